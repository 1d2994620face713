"""Models on disk: run folders of the workspace and the shipped ones beside the code, read the same way.

To list and to find them needs no torch, which takes a second to import: a page shows names before that.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lvm_core.boundary.files import cut, read_bytes
from lvm_core.boundary.json_values import from_json
from lvm_core.errors import ModelError, SettingsError, SpaceMismatch, WorkspaceError
from lvm_core.json_shapes import Member, RunConfig, RunResult, Values
from lvm_core.workspace import SHIPPED, Workspace, read_json, replacing, slug, write_json

if TYPE_CHECKING:
    from lvm_core.nets.base import SequenceModel

CONFIG, WEIGHTS, RESULT, CARD = "config.json", "model.safetensors", "result.json", "card.md"
METRICS, STATE = "metrics.jsonl", "train_state.pt"

DAMAGED = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError, IndexError, MemoryError)
"""What building a net of a damaged description can raise (RecursionError is a RuntimeError)."""

UNFITTED = ("copy-last", "context-mean", "random")
"""Baselines that need no weights: they are models of every encoder."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model that can be loaded. `config` and `result` are the files of its folder."""

    ref: str
    name: str
    kind: str
    encoder_id: str
    context: int
    n_parameters: int
    shipped: bool
    path: Path
    config: RunConfig
    result: RunResult
    created: float

    @property
    def validation_cosine(self) -> float:
        """The cosine on validation articles that its training measured; -1 where none is written down."""
        value = self.result.get("val_cosine")
        return -1.0 if value is None else float(value)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to predict, in evaluation mode on the CPU."""

    info: ModelInfo
    model: "SequenceModel"


@dataclass(frozen=True, slots=True)
class _TrainedOn:
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Described:
    """What config.json must say of a model, whatever else it says."""

    model: str
    kind: str
    encoder_id: str
    context: int
    n_parameters: int
    dim: int = 1
    options: Values | None = None
    corpora: list[_TrainedOn] = field(default_factory=list)
    split_seed: int = 0
    created: float = 0.0


def save_model(folder: Path, model: "SequenceModel", config: RunConfig, half: bool = False) -> None:
    """Write a model that can be loaded from `folder`: its weights, then `config` with the net's own description."""
    from lvm_core.model_weights import save_weights

    save_weights(folder / WEIGHTS, model, half)
    write_json(folder / CONFIG, {**config, **model.config(), "kind": model.kind, "n_parameters": model.n_parameters()})


def list_models(workspace: Workspace, encoder_id: str | None = None) -> list[ModelInfo]:
    """Return every model that can be loaded, shipped ones first, then runs with weights, newest first.

    Args:
        workspace: where the runs are.
        encoder_id: only models of this space.
    """
    shipped = [info for folder in _folders(SHIPPED) if (info := _read(folder, shipped=True))]
    runs = [info for folder in _folders(workspace.runs) if (info := _read(folder, shipped=False))]
    models = shipped + sorted(runs, key=lambda info: -info.created)
    return [info for info in models if encoder_id in (None, info.encoder_id)]


def _folders(root: Path) -> list[Path]:
    """Return the folders in `root` but for those whose name begins with a point, which are being written."""
    return sorted(f for f in root.iterdir() if f.is_dir() and f.name[0] != ".") if root.is_dir() else []


def _read(folder: Path, shipped: bool) -> ModelInfo | None:
    """Return what a folder holds, or None where it holds no model yet."""
    if not (folder / CONFIG).exists() or not (folder / WEIGHTS).exists():
        return None
    try:
        config = read_json(folder / CONFIG)
        result = read_json(folder / RESULT) if (folder / RESULT).exists() else {}
        described = from_json(Described, config, folder.name, extra=True, error=ModelError)
    except (WorkspaceError, ModelError):
        return None  # a damaged run must not hide the others; loading it by name says what is wrong
    if min(described.context, described.dim) < 1 or not isinstance(result, dict):
        return None
    return ModelInfo(
        ref=folder.name,
        name=described.model,
        kind=described.kind,
        encoder_id=described.encoder_id,
        context=described.context,
        n_parameters=described.n_parameters,
        shipped=shipped,
        path=folder,
        config=config,
        result=cast(RunResult, result),
        created=described.created,
    )


def find_model(workspace: Workspace, ref: str, encoder_id: str | None = None) -> ModelInfo:
    """Return the model called `ref`: a run id, a shipped folder, or a baseline that needs no weights.

    Raises:
        ModelError: if there is none, or its folder is damaged.
    """
    if ref in UNFITTED:
        return _unfitted(ref, encoder_id or "")
    places = [(SHIPPED, True)] if re.fullmatch(r"[\w.-]+", ref) else []
    for root, shipped in [(workspace.runs, False), *places]:
        folder = next((f for f in _folders(root) if f.name in (ref, slug(ref))), None)
        if folder is not None:
            info = _read(folder, shipped)
            if info is None:
                raise _damaged(folder)
            return info
    names = [info.ref for info in list_models(workspace, encoder_id)] + list(UNFITTED)
    raise ModelError(
        f"There is no model '{ref}'",
        f"one of {', '.join(names)}",
        "Name one of these, or train one with: python -m lvm_core train",
    )


def _damaged(folder: Path) -> ModelError:
    if not (folder / WEIGHTS).exists():
        remedy = "Let its training write a checkpoint first."
        return ModelError(f"{folder.name} has no weights yet", f"{WEIGHTS} in its folder", remedy)
    return ModelError(
        f"{folder.name} cannot be read: {folder / CONFIG} is missing or damaged",
        "a file that its training wrote",
        "Restore it from a copy, or delete it.",
    )


def _unfitted(ref: str, encoder_id: str) -> ModelInfo:
    context = 5 if ref == "context-mean" else 1
    return ModelInfo(ref, ref, "baseline", encoder_id, context, 0, True, SHIPPED, {"model": ref}, {}, 0.0)


def load_model(workspace: Workspace, ref: str, encoder_id: str | None = None, dim: int | None = None) -> LoadedModel:
    """Return the model called `ref`, ready to predict.

    Args:
        workspace: where the runs are.
        ref: a run id, a shipped model, or a baseline.
        encoder_id: the space it will be used in.
        dim: D; needed only for baselines without weights.

    Raises:
        ModelError: if there is none, or its files are damaged.
        SpaceMismatch: if it belongs to another encoder.
    """
    from lvm_core.nets.build import from_config

    info = find_model(workspace, ref, encoder_id)
    if info.name in UNFITTED:
        return LoadedModel(info, from_config({"model": info.name, "dim": dim or 1, "options": {}}).eval())
    if encoder_id is not None and info.encoder_id != encoder_id:
        remedy = "choose a model of this encoder, or train one with: python -m lvm_core train"
        raise SpaceMismatch(f"model '{ref}'", encoder_id, info.encoder_id, remedy)
    return LoadedModel(info, _built(workspace, info).eval())


def _built(workspace: Workspace, info: ModelInfo) -> "SequenceModel":
    """Return the model in a folder. Unless it came along with the studio, its description may say anything."""
    from lvm_core.model_weights import check_weights, load_weights
    from lvm_core.nets.build import from_config
    from lvm_core.nets.joined import JOINED

    with net_described_in(info.path):
        if info.name in JOINED:
            return _joined(workspace, info)
        if not info.shipped:
            check_weights(info.path / WEIGHTS, info.config)
        model = from_config(info.config)
    load_weights(info.path / WEIGHTS, model)
    return model


@contextlib.contextmanager
def net_described_in(folder: Path) -> Iterator[None]:
    """Say that config.json in `folder` describes no net, where building it inside fails.

    Raises:
        ModelError: if it does.
    """
    try:
        yield
    except (SettingsError, *DAMAGED) as error:
        reason = str(error) if isinstance(error, SettingsError) else f"{type(error).__name__}: {error}"
        raise ModelError(
            f"{folder / CONFIG} describes no net that can be built: {reason}",
            "a net of this studio with options of its own",
            "Restore it from a copy, or delete the run.",
        ) from error


def _joined(workspace: Workspace, info: ModelInfo) -> "SequenceModel":
    from lvm_core.model_weights import load_weights
    from lvm_core.nets.joined import JOINED
    from lvm_core.nets.query import QueryHead

    members = members_of(info)
    for member in members:
        if weights_file_digest(workspace, member["ref"], info.encoder_id) != member["digest"]:
            raise ModelError(
                f"The {info.name} '{info.ref}' was made of another '{member['ref']}' than is there now",
                "its members to be as they were",
                f"Make it again: {info.config.get('command') or f'python -m lvm_core train --model {info.name}'}",
            )
    dim = int(info.config["dim"])
    models = [load_model(workspace, member["ref"], info.encoder_id, dim).model for member in members]
    model: SequenceModel = JOINED[info.name].of(models, info.config["options"], info.path)
    if info.config.get("query"):
        model.query = QueryHead(dim, int(info.config["query"]["context"]))
    load_weights(info.path / WEIGHTS, model, partly=True)
    return model


def members_of(info: ModelInfo) -> list[Member]:
    """Return what a model is made of; [] where it is made of nothing else.

    Raises:
        ModelError: if its description is damaged.
    """
    members = info.config.get("members", [])
    keys = Member.__required_keys__
    if isinstance(members, list) and all(
        isinstance(one, dict) and all(isinstance(one.get(key), str) for key in keys) for one in members
    ):
        return members
    raise ModelError(
        f"{info.path / CONFIG} has members that are none: {cut(repr(members))}",
        'a list of {"ref": "NAME", "digest": "SHA-256 of its weights"}',
        "Restore it from a copy, or delete the run.",
    )


def weights_file_digest(workspace: Workspace, ref: str, encoder_id: str) -> str:
    """Return the SHA-256 of a model's weights file; empty for a baseline without weights."""
    path = find_model(workspace, ref, encoder_id).path / WEIGHTS
    return hashlib.sha256(read_bytes(path, "The weights", error=ModelError)).hexdigest() if path.exists() else ""


def save_joined(folder: Path, model: "SequenceModel", members: list[Member], config: RunConfig) -> None:
    """Write a model made of others: its own weights, and its members by name and digest, not their copies."""
    from lvm_core.boundary.safetensors import save_tensors

    theirs = ("member.", "members.")
    own = {name: t.contiguous() for name, t in model.state_dict().items() if not name.startswith(theirs)}
    with replacing(folder / WEIGHTS) as temporary:
        save_tensors(own, temporary)
    about = {"kind": model.kind, "n_parameters": model.n_parameters(), "members": members}
    write_json(folder / CONFIG, {**config, **model.config(), **about})
