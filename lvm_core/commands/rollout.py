"""`rollout`: feed predictions back and measure their drift, over the articles of a split or from one place.

The Drift page shows what it keeps.
"""

import argparse
from typing import TYPE_CHECKING, cast

from lvm_core import config
from lvm_core.jobs.kinds import Kind
from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.study.drift import DriftStudy, Summary
    from lvm_core.study.rollouts import Rollouts

SHOWN_STEPS = (1, 5, 10, 20, 50)

JOB = Kind(short=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    from lvm_core.snap import SnapSettings
    from lvm_core.study.drift import DriftSettings

    parser.add_argument("--model", action="append", help="model or baseline; repeat for several [the shipped ones]")
    parser.add_argument("--snap", choices=("both", "on", "off"), default="both", help="raw, snapped, or both [both]")
    parser.add_argument("--row", type=int, help="roll out from this row of the corpus and show the text of each step")
    parser.add_argument("--chunk", action="append", help="roll out from chunks of your own; repeat, oldest first")
    config.add_arguments(parser, DriftSettings)
    config.add_arguments(parser, SnapSettings)


def run(namespace: argparse.Namespace, workspace: Workspace) -> "DriftStudy | Rollouts":
    """Roll out and return the measures."""
    from lvm_core.encoders import encoder_for
    from lvm_core.shipped import shipped_models
    from lvm_core.snap import SnapSettings
    from lvm_core.spaces import space_to_measure_in
    from lvm_core.study.drift import DriftSettings, drift_key, drift_study, save_study
    from lvm_core.study.rollouts import described, roll_out, roll_out_from, start_with

    settings = config.from_namespace(DriftSettings, namespace)
    snap = config.from_namespace(SnapSettings, namespace)
    variants: dict[str, SnapSettings | None] = {"raw": None, "snapped": snap}
    kept = {"both": ("raw", "snapped"), "on": ("snapped",), "off": ("raw",)}[namespace.snap]
    chosen = {name: variants[name] for name in kept}
    encoder_id = space_to_measure_in(workspace, namespace.model or [], settings.corpus)
    refs = namespace.model or shipped_models(workspace, encoder_id)
    if namespace.row is not None:
        return roll_out_from(workspace, refs, settings, chosen, namespace.row)
    if namespace.chunk:
        start = start_with(namespace.chunk, encoder_for(encoder_id))
        return described(workspace, settings, start, roll_out(workspace, refs, settings, chosen, start))
    study = drift_study(workspace, refs, settings, chosen, ProgressLine())
    save_study(workspace, drift_key(workspace, refs, settings, snap), study)
    return study


def report(result: Json) -> str:
    """Return the measures, or the texts of one rollout, for people."""
    if "start" in result:
        return _texts(cast("Rollouts", result))
    lines = [
        f"'{result['corpus']}' {result['split']}, {result['n_starts']} starts in {result['n_articles']} articles,"
        f" {result['encoder']}: cosine to the true chunk (95 % interval over articles) and to the nearest real chunk"
    ]
    for row in result["rows"]:
        for step in (s for s in SHOWN_STEPS if s <= result["steps"]):
            truth, near = row["to_truth"][step - 1], row["to_manifold"][step - 1]
            loop = row["to_previous"][step - 1]["mean"]
            lines.append(
                f"{row['model']:24} {row['variant']:8} step {step:2}  {_with_ci(truth)}  manifold {near['mean']:.3f}"
                f"  to the step before {loop:.3f}  clamped {row['clamped'][step - 1]:.0%}"
            )
    return "\n".join(lines)


def _with_ci(value: "Summary") -> str:
    if value["mean"] is None:
        return "  -  "
    ends = value["ci"]
    return f"{value['mean']:.3f}" + (f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else "")


def _texts(result: "Rollouts") -> str:
    lines = [f"from '{result['article']}', after: {result['start']}"]
    for row in result["rows"]:
        lines.append(f"\n{row['model']}, {row['variant']}")
        for step in row["steps"]:
            truth = "" if step["to_truth"] is None else f"{step['to_truth']:.3f}"
            lines.append(f"  {step['step']:2}  {truth:>6}  {step['text']}")
    return "\n".join(lines)
