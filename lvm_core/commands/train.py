"""train: a net or a baseline, from corpus to run folder."""

import argparse
import sys
from typing import Any

from lvm_core.config import add_arguments as add_settings
from lvm_core.config import from_namespace
from lvm_core.progress import ProgressLine
from lvm_core.train import TrainConfig, train
from lvm_core.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one flag a setting, the net's own options, and how to name and resume a run."""
    add_settings(parser, TrainConfig)
    parser.add_argument("--run", help="name of the run [the model and the time]")
    parser.add_argument("--resume", action="store_true", help="continue --run from its last checkpoint")


def run(namespace: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    """Train, or go on training."""
    config = None if namespace.resume else from_namespace(TrainConfig, namespace)
    warnings = check_data(workspace, config) if config else []
    result = train(workspace, config, run=namespace.run, resume=namespace.resume, progress=ProgressLine())
    return {**result, "order": warnings}


def check_data(workspace: Workspace, config: TrainConfig) -> list[str]:
    """Return what is to be said about the order of the data, on stderr as well, before hours are spent on it.

    Raises:
        CorpusError: if it has no order that a model could learn, and the settings do not say yes to that.
    """
    from lvm_core.dataset.order_notes import ask_about_order
    from lvm_core.spaces import space_to_train_in

    space = space_to_train_in(workspace, config.corpora, config.encoder)
    warnings = ask_about_order(workspace, config.corpora, space, config.yes)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr, flush=True)
    return warnings


def report(result: dict[str, Any]) -> str:
    """Return the result as a few lines."""
    lines = [f"{result['run']}: {result['n_parameters']:,} parameters, stopped: {result['stopped']}"]
    lines.append(f"  validation cosine  {result['val_cosine']:.4f} on {result['n_validation_windows']:,} windows")
    lines += [f"  {name:<17}  {value:.4f}" for name, value in result["baselines"].items()]
    if "windows_per_s" in result:
        lines.append(f"  {result['windows']:,} windows in {result['train_s']:.1f} s, {result['windows_per_s']:,.0f}/s")
    return "\n".join(lines + [f"  warning: {flag}" for flag in [*result["flags"], *result.get("order", [])]])
