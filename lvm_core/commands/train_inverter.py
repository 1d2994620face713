"""train-inverter: a decoder from vectors to text for one encoder, from corpora to weights."""

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from lvm_core.config import add_arguments as add_settings
from lvm_core.config import from_namespace
from lvm_core.errors import SettingsError
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.inverter.files import InverterFile

KINDS = {
    "inverter": "a small language model adapted to the vectors, with search",
    "denoiser": "a masked denoiser, all positions at once",
    "aligned": "another encoder's inverter, carried over by a linear map, in seconds",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one flag a setting of any kind, and how to name and resume a training."""
    kinds = "; ".join(f"{name}: {what}" for name, what in KINDS.items())
    parser.add_argument("--kind", choices=list(KINDS), help=f"{kinds} [inverter; that of --run when resuming]")
    known: list[str] = []
    for cls in _settings().values():
        add_settings(parser, cls, skip=known)
        known += [f.name for f in dataclasses.fields(cls)]
    parser.add_argument("--run", help="name of the inverter [the encoder's and the time]")
    parser.add_argument("--resume", action="store_true", help="continue --run from its last checkpoint")


def run(namespace: argparse.Namespace, workspace: Workspace) -> "InverterFile":
    """Train, or go on training."""
    from lvm_core.inverter.files import new_name, training_kind
    from lvm_core.jobs.pulse import note_run

    kind = namespace.kind or training_kind(workspace, namespace.run if namespace.resume else None)
    config = None if namespace.resume else _config(kind, namespace)
    name = namespace.run or (new_name(config.encoder, kind) if config else None)
    if name:
        note_run(name, resume=["train-inverter", "--run", name, "--resume"])
    options = {"name": name, "resume": namespace.resume, "progress": ProgressLine()}
    if kind == "aligned":
        from lvm_core.inverter.align import align_inverter

        return align_inverter(workspace, config, **options)
    if kind == "denoiser":
        from lvm_core.denoiser.train import train_denoiser

        return train_denoiser(workspace, config, **options)
    from lvm_core.inverter.train import train_inverter

    return train_inverter(workspace, config, **options)


def _settings() -> dict[str, type[Any]]:
    from lvm_core.denoiser.config import DenoiserConfig
    from lvm_core.inverter.align_config import AlignConfig
    from lvm_core.inverter.config import InverterConfig

    return {"inverter": InverterConfig, "denoiser": DenoiserConfig, "aligned": AlignConfig}


def _config(kind: str, namespace: argparse.Namespace) -> Any:
    """Return the settings of a kind.

    Raises:
        SettingsError: naming each flag that other kinds have alone, or a setting out of bounds.
    """
    names = {name: [f.name for f in dataclasses.fields(cls)] for name, cls in _settings().items()}
    others = dict.fromkeys(field for fields in names.values() for field in fields if field not in names[kind])
    alien = [field for field in others if field in vars(namespace)]
    if alien:
        raise SettingsError(
            [
                f"--{name.replace('_', '-')} is no setting of --kind {kind}; expected one of its own. Leave it out."
                for name in alien
            ]
        )
    return from_namespace(_settings()[kind], namespace)


def report(result: "InverterFile") -> str:
    """Return the result as a few lines."""
    scores = {k.replace("_", " "): v for k, v in result["history"][-1].items() if k not in ("samples", "seconds")}
    kind = result.get("kind", "inverter")
    return "\n".join(
        [
            f"{result['name']}: {kind} for {result['encoder_id']}, {result['n_parameters']:,} parameters",
            f"  {result['samples']:,} texts in {result['seconds']:,.0f} s",
            f"  validation: {', '.join(f'{name} {value:.3f}' for name, value in scores.items())}",
        ]
    )
