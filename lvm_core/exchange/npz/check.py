"""What is wrong with an NPZ: layout, alignment, dimensions, vectors that are none, ids that repeat."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lvm_core.errors import LvmError
from lvm_core.exchange.npz.archive import Archive, open_npz
from lvm_core.exchange.npz.columns import ARTICLES, CODES, IDS, POSITIONS, TEXTS, numbers, text_at
from lvm_core.exchange.npz.layouts import VECTORS, WindowKeys, layout_of, window_sets
from lvm_core.exchange.npz.reading import contents_of

Finding = tuple[str, str]
"""Level ("ok", "warning", "error") and a sentence."""

USUAL_DIMS = (768, 784)
USUAL_CONTEXT = 5
BLOCK_BYTES = 32_000_000


def check_npz(path: Path) -> list[Finding]:
    """Return findings on the integrity of an NPZ file.

    Checked: layout, alignment, dimensions (768 or 784 are expected), NaN, zero vectors, norms, unique ids, order,
    windows of five, arrays that cannot be read.

    Raises:
        SourceError: if it is no NPZ, or of no known layout.
    """
    with open_npz(path) as arrays:
        layout = layout_of(arrays)
        findings: list[Finding] = [("ok", f"Layout '{layout}' with {', '.join(sorted(arrays.headers))}.")]
        findings += _unreadable(arrays)
        sets = window_sets(arrays)
        for key in [key for windows in sets for key in (windows.contexts, windows.targets)] or [
            name for name in VECTORS if name in arrays.headers
        ]:
            findings += _check_vectors(arrays, key, padded=any(key == windows.contexts for windows in sets))
        findings += _check_lengths(arrays, sets)
        findings += _check_ids(arrays)
        findings += _check_order(arrays, sets)
    return findings


def _unreadable(arrays: Archive) -> Iterator[Finding]:
    for name, header in arrays.headers.items():
        if header.problem:
            yield "error", f"'{name}' {header.problem}."
        elif header.pickled:
            yield (
                "warning",
                f"'{name}' holds pickled Python objects, which are never loaded; `npz convert` rewrites them.",
            )


def _check_vectors(arrays: Archive, key: str, padded: bool) -> Iterator[Finding]:
    try:
        axes = ("N", "T", "D") if padded else ("N", "D")
        values = numbers(arrays, key, *axes)
    except LvmError as error:
        yield "error", str(error)
        return
    dim = values.shape[-1]
    level = "ok" if dim in USUAL_DIMS else "warning"
    yield level, f"'{key}' is {values.shape}, {values.dtype}: {dim} dimensions."
    n_bad = n_zero = n_real = 0
    norms_sum = 0.0
    step = max(1, BLOCK_BYTES // max(4 * int(np.prod(values.shape[1:])), 1))
    for start in range(0, len(values), step):
        with np.errstate(over="ignore", invalid="ignore"):
            norms = np.linalg.norm(values[start : start + step].reshape(-1, dim).astype(np.float32), axis=1)
        n_bad += int((~np.isfinite(norms)).sum())
        n_zero += int((norms == 0).sum())
        real = norms[np.isfinite(norms) & (norms > 0)]
        n_real, norms_sum = n_real + len(real), norms_sum + float(real.sum(dtype=np.float64))
    if not len(values):
        yield "error", f"'{key}' holds no vectors."
    if n_bad:
        yield "error", f"'{key}' has {n_bad:,} vectors with NaN or infinite values."
    if n_zero and not padded:
        yield "error", f"'{key}' has {n_zero:,} zero vectors."
    if n_real and abs(norms_sum / n_real - 1) > 0.02:
        yield (
            "warning",
            f"'{key}' has a mean norm of {norms_sum / n_real:.3f}; models here are trained on unit vectors.",
        )


def _check_lengths(arrays: Archive, sets: list[WindowKeys]) -> Iterator[Finding]:
    groups: list[list[str]] = [[windows.contexts, windows.targets, f"{windows.prefix}masks"] for windows in sets]
    beside = ["context_texts", "target_texts", "sequence_ids", *ARTICLES, *POSITIONS]
    if not groups:
        beside = [*TEXTS, *IDS, *CODES, *ARTICLES, *POSITIONS]
        groups = [[name for name in VECTORS if name in arrays.headers][:1]]
    for number, group in enumerate(groups):
        names = [*group, *(beside if number == 0 else [])]
        lengths = {name: arrays.headers[name].shape[0] for name in names
                   if name in arrays.headers and arrays.headers[name].shape}  # fmt: skip
        if len(set(lengths.values())) > 1:
            yield "error", "Lengths differ: " + ", ".join(f"{name} {n:,}" for name, n in lengths.items()) + "."


def _check_ids(arrays: Archive) -> Iterator[Finding]:
    for key in (*IDS, "sequence_ids"):
        header = arrays.headers.get(key)
        if header is None or header.pickled or header.problem or len(header.shape) != 1:
            continue
        values = arrays[key]
        counts = Counter(text_at(values, i) for i in range(len(values)))
        if len(counts) < len(values):
            yield "error", f"'{key}' has repeats; each row needs an id of its own."


def _check_order(arrays: Archive, sets: list[WindowKeys]) -> Iterator[Finding]:
    if sets:
        shape = arrays.headers[sets[0].contexts].shape
        if len(shape) == 3 and shape[1] != USUAL_CONTEXT:
            yield "warning", f"Windows are of {shape[1]} chunks; the usual ones are of {USUAL_CONTEXT}."
        if not any(sets[0].prefix + name in arrays.headers for name in ARTICLES):
            yield "warning", "No article_ids or doc_ids: a split by article cannot be made, so scores may leak."
    try:
        contents = contents_of(arrays)
    except LvmError as error:
        yield "error", str(error)
        return
    for note in contents.notes:
        yield "warning", note
