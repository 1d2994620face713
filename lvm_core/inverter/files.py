"""An inverter on disk: inverter.safetensors (half precision), config.json and card.md; where to find one."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar, cast

from lvm_core.config import Settings, check, from_dict
from lvm_core.errors import DecoderError, WorkspaceError
from lvm_core.json_shapes import Values
from lvm_core.locks import held
from lvm_core.workspace import SHIPPED, Workspace, own_name, read_json, replacing, slug, write_json, write_text

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = 1
WEIGHTS, CONFIG, CARD, SETTINGS = "inverter.safetensors", "config.json", "card.md", "settings.json"

INVERTER, DENOISER = "inverter", "denoiser"
"""What an inverter's folder can hold: an adapted language model, or a masked denoiser. `kind` in config.json and
settings.json says which; without it, it is the first."""


Scores = dict[str, float]
"""Of a checkpoint by name: samples and seconds so far, losses, round trip."""


class TextSource(TypedDict):
    """A corpus that training texts were taken from."""

    name: str
    digest: str
    licence: str
    n_documents: int


class InverterFile(TypedDict, total=False):
    """config.json of an inverter of either kind; `size` builds its net again, `scores` are rows on test articles."""

    format: int
    name: str
    kind: str
    encoder_id: str
    language_model: str
    size: dict[str, int]
    sources: list[TextSource]
    n_texts: int
    n_parameters: int
    settings: Values
    command: str
    hardware: str
    torch: str
    samples: int
    seconds: float
    finished: bool
    history: list[Scores]
    scores: list[dict[str, str | float]]


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
    from safetensors.torch import save_file

    halves = {k: v.detach().to("cpu", torch.float16).contiguous() for k, v in weights.items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(halves, temporary)
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
    """Return folder and encoder id of every inverter of a kind: the workspace's, newest first, then shipped ones."""
    folder = workspace.inverter("x").parent
    paths = sorted(folder.glob(f"*/{CONFIG}"), key=lambda p: -p.stat().st_mtime) if folder.is_dir() else []
    paths += sorted(SHIPPED.glob(f"{kind}-*/{CONFIG}"))
    result = []
    for path in paths:
        try:
            config = read_json(path)
            if config.get("kind", INVERTER) == kind:
                result.append((path.parent, str(config["encoder_id"])))
        except (WorkspaceError, KeyError, TypeError, AttributeError):
            continue  # a folder that is no inverter hides no other one
    return result


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


def card(config: InverterFile) -> str:
    """Return card.md from config.json: what it is, what it was trained on, how, and how well it does."""
    what, training, scores = (_denoiser if config.get("kind") == DENOISER else _language_model)(config)
    lines = [
        f"# {config.get('kind', INVERTER).capitalize()} for `{config['encoder_id']}`",
        "",
        what,
        "",
        "## Data",
        "",
        "| corpus | training articles | licence | digest |",
        "|---|---|---|---|",
        *(f"| {s['name']} | {s['n_documents']:,} | {s['licence']} | `{s['digest'][:16]}` |" for s in config["sources"]),
        "",
        f"{config['n_texts']:,} texts: chunks of the training articles (split seed"
        f" {config['settings']['split_seed']}), their clauses and joined neighbours. No article whose title is in the"
        " validation or test split of any of these corpora was seen.",
        "",
        "## Training",
        "",
        f"{training} in {config['seconds']:,.0f} s on {config['hardware']}, torch {config['torch']}"
        f"{'' if config['finished'] else '; not finished, resume it for better ones'}.",
        "",
        "```",
        config["command"],
        "```",
        "",
        "## Scores on validation texts",
        "",
        scores,
    ]
    return "\n".join([*lines, "", *_table(config.get("scores", []))]).rstrip() + "\n"


def _language_model(config: InverterFile) -> tuple[str, str, str]:
    last: Scores = config["history"][-1] if config["history"] else {}
    apart = cast(float, config["settings"].get("word_share", 1.0)) < 1
    what = (
        f"Vectors to text: {config['language_model']} (Apache-2.0, not included) with a soft prefix, a word head and"
        f" LoRA, {config['n_parameters']:,} numbers in half precision."
    )
    training = (
        f"Word head: {config['settings']['word_epochs']} passes over all texts. Language model:"
        f" {config['samples']:,} texts{', with hints of a word head trained on other articles,' if apart else ''}"
    )
    scores = (
        f"Loss {last.get('validation_loss', float('nan')):.3f} nats a token; first hypothesis, round-trip cosine"
        f" {last.get('round_trip', float('nan')):.3f}."
    )
    return what, training, scores


def _denoiser(config: InverterFile) -> tuple[str, str, str]:
    last: Scores = config["history"][-1] if config["history"] else {}
    what = (
        "Vectors to text: a masked denoiser on the word pieces of all-MiniLM-L6-v2 (Apache-2.0, embeddings not"
        f" included), begun as that encoder's layers, {config['n_parameters']:,} numbers in half precision."
    )
    scores = (
        f"Loss {last.get('all_hidden', float('nan')):.3f} nats a word piece with all of them hidden,"
        f" {last.get('half_hidden', float('nan')):.3f} with half of them."
    )
    return what, f"{config['samples']:,} texts", scores


def _table(scores: list[dict[str, str | float]]) -> list[str]:
    if not scores:
        return []
    names = list(scores[0])
    rows = [" | ".join(str(row.get(name, "")) for name in names) for row in scores]
    return [
        "## Scores on test articles",
        "",
        f"| {' | '.join(names)} |",
        "|---" * len(names) + "|",
        *(f"| {r} |" for r in rows),
    ]
