"""train: a net or a baseline, from corpus to run folder."""

import argparse

from lvm_core.config import add_arguments as add_settings
from lvm_core.config import from_namespace, given_values
from lvm_core.errors import SettingsError
from lvm_core.executors import elsewhere
from lvm_core.jobs.kinds import Kind, flag_value
from lvm_core.json_shapes import RunResult
from lvm_core.progress import ProgressLine
from lvm_core.train import TrainConfig, train
from lvm_core.workspace import Workspace

MOST_WORKERS = 1024

JOB = Kind("--run", "--resume", Workspace.run, lambda argv: flag_value(argv, "--model") or TrainConfig().model,
           spreads=True)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one flag a setting, the net's own options, and how to name and resume a run."""
    add_settings(parser, TrainConfig)
    parser.add_argument("--run", help="name of the run [the model and the time]")
    again = "continue --run from its last checkpoint; begin it if there is none yet and settings are given"
    parser.add_argument("--resume", action="store_true", help=again)
    together = "processes that train it together, a GPU each where there are GPUs; the same steps as one takes [1]"
    parser.add_argument("--workers", type=int, metavar="N", help=together)


def run(namespace: argparse.Namespace, workspace: Workspace) -> RunResult:
    """Train, or go on training."""
    only_a_name = namespace.resume and not given_values(TrainConfig, namespace)
    config = None if only_a_name else from_namespace(TrainConfig, namespace)
    n_workers = 1 if namespace.workers is None else namespace.workers
    if not 1 <= n_workers <= MOST_WORKERS:
        raise SettingsError([f"workers is {n_workers}; expected 1 to {MOST_WORKERS}. Give another --workers."])
    with elsewhere(workspace, namespace.on, n_workers) as executor:
        if executor is not None:
            from lvm_core.train.elsewhere import train_together

            return train_together(
                workspace, config, namespace.run, namespace.resume, executor, n_workers, ProgressLine()
            )
    return train(workspace, config, run=namespace.run, resume=namespace.resume, progress=ProgressLine())


def report(result: RunResult) -> str:
    """Return the result as a few lines."""
    lines = [f"{result['run']}: {result['n_parameters']:,} parameters, stopped: {result['stopped']}"]
    lines.append(f"  validation cosine  {result['val_cosine']:.4f} on {result['n_validation_windows']:,} windows")
    lines += [f"  {name:<17}  {value:.4f}" for name, value in result["baselines"].items()]
    if "windows_per_s" in result:
        lines.append(f"  {result['windows']:,} windows in {result['train_s']:.1f} s, {result['windows_per_s']:,.0f}/s")
    return "\n".join(lines + [f"  warning: {flag}" for flag in [*result["flags"], *result.get("order", [])]])
