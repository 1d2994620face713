"""train-inverter: a decoder from vectors to text for one encoder, from corpora to weights."""

import argparse
from typing import Any

from lvm_core.config import add_arguments as add_settings
from lvm_core.config import from_namespace
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one flag a setting, and how to name and resume a training."""
    from lvm_core.inverter.config import InverterConfig

    add_settings(parser, InverterConfig)
    parser.add_argument("--run", help="name of the inverter [the encoder's and the time]")
    parser.add_argument("--resume", action="store_true", help="continue --run from its last checkpoint")


def run(namespace: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    """Train, or go on training."""
    from lvm_core.inverter.config import InverterConfig
    from lvm_core.inverter.files import new_name
    from lvm_core.inverter.train import train_inverter
    from lvm_core.jobs.pulse import note_run

    config = None if namespace.resume else from_namespace(InverterConfig, namespace)
    name = namespace.run or (new_name(config.encoder) if config else None)
    if name:
        note_run(name, resume=["train-inverter", "--run", name, "--resume"])
    return train_inverter(workspace, config, name=name, resume=namespace.resume, progress=ProgressLine())


def report(result: dict[str, Any]) -> str:
    """Return the result as a few lines."""
    last = result["history"][-1]
    return "\n".join(
        [
            f"{result['name']}: inverter for {result['encoder_id']}, {result['n_parameters']:,} parameters",
            f"  {result['samples']:,} texts in {result['seconds']:,.0f} s",
            f"  validation: loss {last['validation_loss']:.3f}, round-trip cosine {last['round_trip']:.3f}",
        ]
    )
