"""`sweep`: train over a grid or a list of settings, or over the seeds' schedule of a hundred runs."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lvm_core.boundary.files import user_path
from lvm_core.boundary.json_values import read_json_file
from lvm_core.config import add_arguments as add_settings
from lvm_core.config import given_values
from lvm_core.errors import JobError, SettingsError, SourceError
from lvm_core.jobs import pulse
from lvm_core.jobs.kinds import Kind
from lvm_core.json_shapes import RunResult, Values
from lvm_core.progress import ProgressLine
from lvm_core.train import TrainConfig
from lvm_core.types import Progress
from lvm_core.workspace import Workspace, own_name

if TYPE_CHECKING:
    from lvm_core.train.sweep import Sweep, SweepJson

SCHEDULES = ("hundred",)

JOB = Kind("--name", place=Workspace.sweep, spreads=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what varies, what stays, and how to name, resume and show a sweep."""
    parser.add_argument(
        "--vary", action="append", default=[], metavar="NAME=V1,V2",
        help="a setting of train, or an option of the net, and its values; several make a grid."
        " Values that hold commas are parted by ';'",
    )  # fmt: skip
    parser.add_argument("--list", metavar="FILE", help="JSON: a list of objects, each the settings of one run")
    parser.add_argument(
        "--preset", "--schedule", dest="preset", choices=SCHEDULES, help="hundred: the seeds' five weeks, 100 runs"
    )
    parser.add_argument(
        "--budget", type=float, metavar="MINUTES",
        help="cut passes, widths and training windows of all runs alike until they end within so many minutes",
    )  # fmt: skip
    parser.add_argument("--most", type=int, metavar="N", help="only the first N runs")
    parser.add_argument("--name", help="name of the sweep [sweep and the time]; given again, the sweep goes on")
    parser.add_argument("--resume", action="store_true", help="go on with --name: what is done is not done again")
    parser.add_argument("--show", action="store_true", help="show the ranking of --name so far; train nothing")
    parser.add_argument("--dry-run", action="store_true", help="list the runs; train nothing")
    add_settings(parser, TrainConfig)


def run(namespace: argparse.Namespace, workspace: Workspace) -> "SweepJson":
    """Make or continue the sweep, and train what is left of it."""
    from lvm_core.executors import elsewhere
    from lvm_core.train import sweep as sweeps
    from lvm_core.train.elsewhere import run_sweep_elsewhere

    name = own_name(namespace.name or f"sweep-{time.strftime('%Y%m%d-%H%M%S')}", "--name")
    exists = workspace.sweep(name).exists()
    if namespace.show or namespace.resume:
        if not namespace.name:
            raise JobError("--show and --resume were given without a sweep", "the name of one", "Add --name NAME.")
        sweep = sweeps.read_sweep(workspace, name)
    elif exists:
        sweep = sweeps.read_sweep(workspace, name)
        if namespace.budget is None or sweep.budget_s != namespace.budget * 60:
            _check_same(sweep, sweep_of(namespace, name))
    else:
        sweep = sweep_of(namespace, name)
        _keep_within(workspace, sweep, namespace.budget)
        sweeps.check_sweep(workspace, sweep, dim_of(workspace, sweep.base))
    if namespace.show or namespace.dry_run:
        return sweep.to_json()
    pulse.note_run(name)
    with elsewhere(workspace, namespace.on) as executor:
        if executor is not None:
            return run_sweep_elsewhere(workspace, sweep, executor, ProgressLine()).to_json()
    return sweeps.run_sweep(workspace, sweep, trainer(workspace), ProgressLine()).to_json()


def _keep_within(workspace: Workspace, sweep: "Sweep", minutes: float | None) -> None:
    from lvm_core.train.budget import fit_into

    if minutes is not None:
        cut = fit_into(workspace, sweep, dim_of(workspace, sweep.base), minutes)
        sweep.budget_s = minutes * 60
        windows = f"{cut.windows:,} training windows" if cut.windows else "all training windows"
        said = f"{len(sweep.children)} runs within {minutes:g} min: {cut.width:.0%} of the widths, {cut.epochs} passes"
        ProgressLine()(0.0, f"{said}, {windows}; reckoned {cut.seconds / 60:.0f} min")


def trainer(workspace: Workspace) -> Any:
    """Return the function that trains one run of a sweep."""
    from lvm_core.train import train

    def one(config: TrainConfig | None, run: str, resume: bool, progress: Progress) -> RunResult:
        return train(workspace, config, run=run, resume=resume, progress=progress)

    return one


def sweep_of(namespace: argparse.Namespace, name: str) -> "Sweep":
    """Return the new sweep that the flags ask for."""
    from lvm_core.train import plan, presets
    from lvm_core.train.sweep import new_sweep

    base = given_values(TrainConfig, namespace)
    base |= cast(Values, base.pop("options", {}))
    ways = [bool(namespace.vary), bool(namespace.list), bool(namespace.preset)]
    if sum(ways) != 1:
        raise SettingsError(
            ["A sweep was given none or several; expected one of --vary (which may be repeated), --list, --preset."]
        )
    left_out: list[str] = []
    if namespace.preset:
        runs, left_out = presets.hundred(plan.option_names())
    elif namespace.list:
        runs = listed(Path(namespace.list))
    else:
        runs = presets.grid(presets.varied(namespace.vary))
    return new_sweep(name, base, runs[: namespace.most] if namespace.most else runs, left_out)


def listed(path: Path) -> list[Values]:
    """Return the settings of each run in a JSON file.

    Raises:
        SourceError: if it is not a list of objects.
    """
    runs = read_json_file(user_path(path, "The list of runs"), "The list of runs")
    if not isinstance(runs, list) or not all(isinstance(item, dict) for item in runs):
        raise SourceError(
            f"{path} holds no list of objects", 'one such as [{"lr": 0.001}, {"lr": 0.0005}]', "Write it anew."
        )
    return runs


def dim_of(workspace: Workspace, base: Values) -> int:
    """Return D of the corpora that the sweep trains on (384 where they are not encoded, which train will say)."""
    from lvm_core.train.plan import config_of, corpus_dim

    return corpus_dim(workspace, config_of({k: base[k] for k in ("corpus", "encoder") if k in base}))


def _check_same(old: Any, new: Any) -> None:
    if old.base != new.base or [c.settings for c in old.children] != [c.settings for c in new.children]:
        raise JobError(
            f"There is a sweep '{old.name}' of other settings already",
            "the same settings, or a name that no sweep has",
            f"Choose another --name, or go on with it: python -m lvm_core sweep --name {old.name} --resume",
        )


def report(result: "SweepJson") -> str:
    """Return the ranking as a table, then what failed, waits and was left out."""
    lines = [f"{result['name']}: {len(result['ranking'])} of {len(result['children'])} runs finished"]
    for row in result["ranking"]:
        settings = ", ".join(f"{k} {v}" for k, v in row["settings"].items() if k not in ("week", "label"))
        lines.append(f"{row['rank']:>4}  {row['val_cosine']:.4f}  {row['seconds']:7.1f} s  {row['run']}  {settings}")
    lines += [f"failed  {c['run']}: {c['message']}" for c in result["children"] if c["state"] == "failed"]
    waiting = [c for c in result["children"] if c["state"] in ("waiting", "running")]
    lines += [f"{c['state']:<7}  {c['run']}  {c['settings']}" for c in waiting]
    return "\n".join(lines + [f"left out: {sentence}" for sentence in result["left_out"]])
