"""Digests of weights: what an encoder id is made of."""

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lvm_core.boundary.files import regular_file
from lvm_core.encoders.model_folder import Configuration
from lvm_core.errors import EncoderError

WEIGHT_SUFFIXES = (".safetensors", ".bin")
ID_DIGITS = 12
BLOCK_BYTES = 1 << 22


def weight_files(folder: Path, modules: bool = True) -> list[Path]:
    """Return the weight files of a model folder in a fixed order.

    Where a part comes both as safetensors and as a pickle, the safetensors count alone, as they do in loading.

    Args:
        folder: a transformers or sentence-transformers folder.
        modules: also take the parts in numbered subfolders, such as `2_Dense`.

    Raises:
        EncoderError: if there are none.
    """
    files = _preferred(folder)
    if modules:
        for part in sorted(p for p in folder.iterdir() if p.is_dir() and p.name[:1].isdigit()):
            files += _preferred(part)
    if not files:
        raise EncoderError(
            f"The folder {folder} holds no weights",
            "model.safetensors or pytorch_model.bin",
            "Give the folder of a downloaded sentence-transformers model.",
        )
    for path in files:
        regular_file(path, "The weights", error=EncoderError)
    return files


def _preferred(folder: Path) -> list[Path]:
    for suffix in WEIGHT_SUFFIXES:
        files = sorted(p for p in folder.iterdir() if p.suffix == suffix and p.name.startswith(("model", "pytorch")))
        if files:
            return files
    return []


def digest_of(files: list[Path]) -> str:
    """Return the SHA-256 (64 hex) of the files' bytes in their order; remembered while they stay unchanged."""
    stats = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return _digest(tuple(stats))


@functools.lru_cache(maxsize=64)
def _digest(stats: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _, _ in stats:
        with Path(path).open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()


def make_id(name: str, digest: str) -> str:
    """Return the encoder id, such as `all-MiniLM-L6-v2@53aa51172d14`."""
    return f"{name}@{digest[:ID_DIGITS]}"


def configured_digest(weights_digest: str, configuration: Configuration) -> str:
    """Return what an id is made of: the weights alone where all else is as usual, else both."""
    differences = configuration.differences()
    if not differences:
        return weights_digest
    text = json.dumps([weights_digest, differences], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def lacking(folder: Path, missing: Sequence[str]) -> EncoderError:
    """Return the error that refuses a model whose files lack weights."""
    return EncoderError(
        f"The model in {folder} lacks {len(missing):,} of its weights ({', '.join(missing[:3])} ...) or has them in"
        " other shapes",
        "all of them, since its vectors would be random",
        "Download it again, completely.",
    )
