"""An NPZ with pickled objects rewritten as one of plain texts and numbers, for those who vouch for it."""

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from lvm_core.errors import LvmError, SourceError
from lvm_core.exchange.npz.archive import Archive, open_npz
from lvm_core.exchange.npz.write import NpzWriter


def convert_objects(source: Path, target: Path, trust: bool) -> dict[str, str]:
    """Rewrite an NPZ with pickled object arrays as one with plain arrays; return what became of each that changed.

    Texts, ids and numbers stay what they are, dates and dictionaries become text (ISO 8601, JSON). What is none of
    these is left out by name.

    Args:
        source: the file; loading it runs whatever code its pickles hold.
        target: the new file.
        trust: must be True: the caller vouches for where the file comes from.

    Raises:
        SourceError: if `trust` is False, or the file is no NPZ or holds nothing that can be converted.
        WorkspaceError: if the target cannot be written.
    """
    if not trust:
        raise SourceError(
            "Converting loads pickled objects, which can run any code",
            "your word that you trust the file",
            "Say it with --trust-pickle.",
        )
    changed: dict[str, str] = {}
    with open_npz(source, target.parent) as arrays, NpzWriter(target, compress=True) as file:
        n_written = 0
        for name, header in arrays.headers.items():
            values, change = _plain(arrays, name) if header.pickled else _unchanged(arrays, name)
            if change:
                changed[name] = change
            if values is not None:
                file.put(name, values)
                n_written += 1
        if not n_written:
            reasons = "; ".join(f"{name}: {why}" for name, why in changed.items()) or "it holds no arrays"
            raise SourceError(
                f"Nothing of {source} could be converted ({reasons})",
                "at least one array",
                "Copy it again from where it came.",
            )
    return changed


def _unchanged(arrays: Archive, name: str) -> tuple[NDArray[Any] | None, str]:
    try:
        return arrays[name], ""
    except LvmError as error:
        return None, f"left out: {error}"


def _plain(arrays: Archive, name: str) -> tuple[NDArray[Any] | None, str]:
    """Return a pickled array without its objects, and what became of it."""
    try:
        with zipfile.ZipFile(arrays.path) as archive, archive.open(f"{name}.npy") as file:
            values: NDArray[Any] = npy.read_array(file, allow_pickle=True)
        flat = values.reshape(-1)
        plain = _without_objects(values, flat)
    except Exception as error:  # whatever code the pickles hold may raise anything
        return None, f"left out: it cannot be loaded ({type(error).__name__}: {str(error)[:200]})"
    if plain is None:
        kinds = ", ".join(sorted({type(x).__name__ for x in flat})[:5])
        return None, f"left out: it holds {kinds}; only texts, ids, dates, numbers, dictionaries and rows of one length"
    return plain, f"objects -> {plain.dtype}"


def _without_objects(values: NDArray[Any], flat: NDArray[Any]) -> NDArray[Any] | None:
    """Return the same values as plain text or numbers, None where they are neither."""
    if all(isinstance(x, (bool, np.bool_)) for x in flat):
        return values.astype(bool)
    if all(isinstance(x, (int, np.integer)) for x in flat):
        return values.astype(np.int64)
    if all(isinstance(x, (float, int, np.floating, np.integer)) for x in flat):
        return values.astype(np.float64)
    texts = [_text(x) for x in flat]
    if all(text is not None for text in texts):
        return np.array(texts, dtype=np.str_).reshape(values.shape)
    if all(isinstance(x, (list, tuple, np.ndarray)) for x in flat) and len({len(x) for x in flat}) == 1:
        rows = np.stack([np.asarray(x) for x in flat])
        return _without_objects(rows, rows.reshape(-1)) if rows.dtype.hasobject else rows
    return None


def _text(value: Any) -> str | None:
    """Return a text, id, date or dictionary as text, None for anything else."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) or type(value).__name__ == "UUID" or isinstance(value, (np.datetime64, np.str_)):
        return str(value)
    return None
