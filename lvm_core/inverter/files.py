"""An inverter on disk: inverter.safetensors (half precision), config.json and card.md; where to find one."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from lvm_core.config import Settings, check, from_dict
from lvm_core.errors import DecoderError, WorkspaceError
from lvm_core.inverter.card import ALIGNED, DENOISER, INVERTER, AlignedFile, InverterFile, Scores, TextSource, card
from lvm_core.locks import held
from lvm_core.workspace import SHIPPED, Workspace, own_name, read_json, replacing, slug, write_json, write_text

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ALIGNED", "DENOISER", "INVERTER", "AlignedFile", "InverterFile", "Scores", "TextSource", "card"]

FORMAT = 1
WEIGHTS, CONFIG, CARD, SETTINGS = "inverter.safetensors", "config.json", "card.md", "settings.json"


class InverterSettings(Settings, Protocol):
    """The settings of either kind."""

    encoder: str


S = TypeVar("S", bound=InverterSettings)


def new_name(encoder: str, kind: str = INVERTER) -> str:
    """Return a folder name for a new inverter of an encoder."""
    return f"{kind}-{slug(encoder)}-{time.strftime('%Y%m%d-%H%M%S')}"


def training_kind(workspace: Workspace, name: str | None) -> str:
    """Return of which kind the training called `name` is; the first kind where there is none."""
    path = workspace.inverter(name or "") / SETTINGS
    return str(read_json(path).get("kind", INVERTER)) if name and path.exists() else INVERTER


@contextlib.contextmanager
def training_lock(workspace: Workspace, folder: Path) -> Iterator[None]:
    """Hold the right to train into the inverter's `folder`.

    Raises:
        DecoderError: if another process trains there.
    """
    refusal = DecoderError(
        f"Another process trains '{folder.name}' right now",
        "one process at a time",
        "Wait until it is done, stop it, or choose another name with --run.",
    )
    with held(workspace.lock("inverter", folder.name), refusal):
        yield


def training_folder(
    workspace: Workspace, cls: type[S], config: S | None, name: str | None, resume: bool, kind: str = INVERTER
) -> tuple[Path, S]:
    """Return the folder and the settings of a training: a new one's, or those of one to resume. Nothing is written.

    Args:
        workspace: where inverters lie.
        cls: the settings of the kind.
        config: None when resuming.
        name: of the folder; made of the encoder's name and the time by default.
        resume: whether it must be there already.
        kind: of the training.

    Raises:
        DecoderError: if the name is taken, or there is nothing to resume.
        SettingsError: if a setting is out of bounds, or the name none for a folder.
    """
    if name:
        own_name(name, "--run")
    if resume:
        folder = workspace.inverter(name or "")
        if not name or not (folder / SETTINGS).exists():
            raise DecoderError(
                f"There is no training of an inverter called {name!r} in {workspace.root} to resume",
                "one that was begun there",
                "Give the name of one with --run, or start one without --resume.",
            )
        return folder, from_dict(cls, {k: v for k, v in read_json(folder / SETTINGS).items() if k != "kind"})
    config = check(config or cls())
    folder = workspace.inverter(name or new_name(config.encoder, kind))
    if (folder / SETTINGS).exists():
        raise DecoderError(
            f"{folder} holds an inverter already",
            "a name that no inverter has",
            f"Resume it with --run {folder.name} --resume, or choose another name.",
        )
    return folder, config


def begin(workspace: Workspace, folder: Path, config: Settings, kind: str = INVERTER) -> None:
    """Write the settings of a training that nothing speaks against any more, so that it can be resumed from here on."""
    if not (folder / SETTINGS).exists():
        workspace.make(folder)
        write_json(folder / SETTINGS, {"kind": kind, **dataclasses.asdict(config)})


def export(folder: Path, weights: "Mapping[str, Tensor]", about: InverterFile) -> InverterFile:
    """Write weights in half precision, then card and config, each whole or not at all; return the config."""
    import torch

    from lvm_core.boundary.safetensors import save_tensors

    halves = {k: v.detach().to("cpu", torch.float16).contiguous() for k, v in weights.items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_tensors(halves, temporary)
    config: InverterFile = {
        "format": FORMAT,
        "name": folder.name,
        **about,
        "n_parameters": sum(v.numel() for v in halves.values()),
    }
    write_text(folder / CARD, card(config))
    write_json(folder / CONFIG, config)
    return config


def find_inverter(workspace: Workspace, encoder_id: str, kind: str = INVERTER) -> Path | None:
    """Return the folder of the newest inverter of this encoder id in the workspace, else of the shipped one."""
    return next((path for path, space in inverters(workspace, kind) if space == encoder_id), None)


def inverters(workspace: Workspace, kind: str = INVERTER) -> list[tuple[Path, str]]:
    """Return folder and encoder id of every inverter of a kind, the workspace's first, newest first.

    Those that were carried over from another encoder come last: one that was trained for its own reads better.
    """
    folder = workspace.inverter("x").parent
    paths = sorted(folder.glob(f"*/{CONFIG}"), key=lambda p: -p.stat().st_mtime) if folder.is_dir() else []
    paths += sorted(SHIPPED.glob(f"{kind}-*/{CONFIG}"))
    trained, carried = list[tuple[Path, str]](), list[tuple[Path, str]]()
    for path in paths:
        try:
            config = read_json(path)
            if config.get("kind", INVERTER) == kind:
                (carried if "aligned" in config else trained).append((path.parent, str(config["encoder_id"])))
        except (WorkspaceError, KeyError, TypeError, AttributeError):
            continue  # a folder that is no inverter hides no other one
    return trained + carried


def read_weights(folder: Path) -> "tuple[InverterFile, dict[str, Tensor]]":
    """Return config.json and the weights in float32.

    Raises:
        DecoderError: if a file is missing, damaged, or written by a newer version.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config: InverterFile = read_json(folder / CONFIG)
    if config.get("format") != FORMAT:
        raise DecoderError(
            f"{folder} has the format {config.get('format')!r}",
            str(FORMAT),
            f"Train it anew with: {config.get('command', 'python -m lvm_core train-inverter')}",
        )
    try:
        return config, {k: v.to(torch.float32) for k, v in load_file(folder / WEIGHTS).items()}
    except (OSError, SafetensorError) as error:
        raise DecoderError(
            f"{folder / WEIGHTS} cannot be read: {error}",
            "whole weights",
            f"Restore it from a copy, or train it anew with: {config['command']}",
        ) from error
