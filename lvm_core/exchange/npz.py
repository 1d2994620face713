"""NPZ files of vectors and sequences as existing projects hold them: three layouts, read and checked.

vectors     concept_texts (N,), cpe_ids (N,), vectors (N, D), perhaps tmd_codes (N,): no order is known.
sequences   context_vectors (N, T, D), target_vectors (N, D), and texts and ids where they were kept:
            context_texts (N, T), target_texts (N,), article_ids or doc_ids (N,), positions (N,), sequence_ids (N,).
splits      train_, val_ and test_ contexts (N, T, D), targets (N, D), masks (N, T): chains, padded on the right.

Pickled objects are never loaded: a pickle can run any code. `convert_objects` does, when told to.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.errors import SourceError
from lvm_core.types import Vectors

SPLITS = {"train": "train", "val": "validation", "test": "test"}
SAME = 1e-4
"""Largest difference of two float32 vectors that count as the same chunk."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive chunks with their vectors (n, D): an article, a run of windows, or a chain."""

    title: str
    texts: list[str]
    vectors: Vectors
    ids: list[str | None]
    tmd: list[int | None]


@contextmanager
def open_npz(path: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """Give the arrays of an NPZ file, each read when it is asked for.

    Raises:
        SourceError: if the file is missing, truncated, not an NPZ, or holds pickled objects.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise SourceError(f"{path} is a single array; expected an NPZ of several. See `npz --help`.")
            yield file
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist. Check the path.") from error
    except ValueError as error:
        if "pickle" not in str(error).lower() and "object" not in str(error).lower():
            raise
        raise SourceError(
            f"{path} holds pickled Python objects, and loading a pickle can run any code in it. If you trust where"
            f" it comes from, convert it once: python -m lvm_core npz convert {path} OUT.npz --trust-pickle"
        ) from error
    except (zipfile.BadZipFile, EOFError, OSError, KeyError) as error:
        raise SourceError(f"{path} is damaged or truncated ({error}). Copy it again from where it came.") from error


def layout_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return "vectors", "sequences" or "splits".

    Raises:
        SourceError: if the keys are of none of the three.
    """
    keys = set(arrays)
    if {"context_vectors", "target_vectors"} <= keys:
        return "sequences"
    if any({f"{split}_contexts", f"{split}_targets"} <= keys for split in SPLITS):
        return "splits"
    if "vectors" in keys:
        return "vectors"
    raise SourceError(
        f"The NPZ holds {', '.join(sorted(keys)) or 'nothing'}; expected vectors with concept_texts and cpe_ids,"
        " or context_vectors with target_vectors, or train_/val_/test_ contexts, targets and masks."
    )


def passages_of(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Passage]:
    """Yield what the file holds as runs of consecutive chunks; overlapping windows come back as one run."""
    readers: dict[str, Callable[[Mapping[str, NDArray[Any]]], Iterator[Passage]]] = {
        "vectors": _from_vectors,
        "sequences": _from_windows,
        "splits": _from_splits,
    }
    yield from readers[layout_of(arrays)](arrays)


def _from_vectors(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Passage]:
    vectors = np.asarray(arrays["vectors"], dtype=np.float32)
    n = len(vectors)
    texts = _strings(arrays, "concept_texts", n, "concept")
    ids = _strings(arrays, "cpe_ids", n, "") if "cpe_ids" in arrays else [""] * n
    codes = np.asarray(arrays["tmd_codes"]).tolist() if "tmd_codes" in arrays else [None] * n
    codes = [code if isinstance(code, int) and 0 <= code < 1 << 16 else None for code in codes]
    for start in range(0, n, 1000):
        part = slice(start, start + 1000)
        yield Passage(
            f"concepts {start + 1} to {min(start + 1000, n)}",
            texts[part],
            vectors[part],
            [i or None for i in ids[part]],
            codes[part],
        )


def _strings(arrays: Mapping[str, NDArray[Any]], key: str, n: int, default: str) -> list[str]:
    if key not in arrays:
        return [f"{default} {i + 1}" for i in range(n)]
    texts = [str(x) for x in arrays[key]]
    if len(texts) != n:
        raise SourceError(
            f"'{key}' has {len(texts)} entries, but there are {n} vectors. The file's arrays are not aligned."
        )
    return [text if text.strip() else f"{default} {i + 1}" for i, text in enumerate(texts)]


def _from_windows(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Passage]:
    """Windows that slide by one within one article are merged back into a run: each adds its target."""
    contexts = np.asarray(arrays["context_vectors"], dtype=np.float32)
    targets = np.asarray(arrays["target_vectors"], dtype=np.float32)
    if contexts.ndim != 3 or targets.shape != (len(contexts), contexts.shape[2]):
        raise SourceError(
            f"context_vectors {contexts.shape} and target_vectors {targets.shape} do not fit; expected"
            " (N, T, D) and (N, D)."
        )
    articles = _articles(arrays, len(contexts))
    start = 0
    for i in range(1, len(contexts) + 1):
        slides = (
            i < len(contexts) and articles[i] == articles[i - 1]
            and np.allclose(contexts[i, :-1], contexts[i - 1, 1:], atol=SAME)
            and np.allclose(contexts[i, -1], targets[i - 1], atol=SAME)
        )  # fmt: skip
        if not slides:
            yield _run(arrays, contexts, targets, articles[start], start, i)
            start = i


def _articles(arrays: Mapping[str, NDArray[Any]], n: int) -> list[str]:
    key = next((k for k in ("article_ids", "doc_ids") if k in arrays), None)
    return [str(x) for x in arrays[key]] if key else ["" for _ in range(n)]


def _run(
    arrays: Mapping[str, NDArray[Any]], contexts: Vectors, targets: Vectors, article: str, start: int, stop: int
) -> Passage:
    vectors = np.concatenate([contexts[start], targets[start:stop]])
    title = f"article {article}" if article else f"windows {start + 1} to {stop}"
    if "target_texts" in arrays and "context_texts" in arrays:
        texts = [str(x) for x in arrays["context_texts"][start]] + [str(x) for x in arrays["target_texts"][start:stop]]
    else:
        texts = [f"{title}, chunk {i + 1}" for i in range(len(vectors))]
    return Passage(title, texts, vectors, [None] * len(vectors), [None] * len(vectors))


def _from_splits(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Passage]:
    """A row whose context is the row before with its target is the same chain, one longer."""
    for split in (s for s in SPLITS if f"{s}_contexts" in arrays):
        contexts = np.asarray(arrays[f"{split}_contexts"], dtype=np.float32)
        targets = np.asarray(arrays[f"{split}_targets"], dtype=np.float32)
        masks = np.asarray(arrays.get(f"{split}_masks", np.ones(contexts.shape[:2])), dtype=bool)
        chain: Vectors | None = None
        number = 0
        for context, target, mask in zip(contexts, targets, masks, strict=True):
            real = context[mask]
            if chain is not None and not (len(real) == len(chain) and np.allclose(real, chain, atol=SAME)):
                number += 1
                yield _chain(SPLITS[split], number, chain)
                chain = None
            chain = np.concatenate([real, target[None]])
        if chain is not None:
            yield _chain(SPLITS[split], number + 1, chain)


def _chain(split: str, number: int, vectors: Vectors) -> Passage:
    title = f"{split} chain {number}"
    texts = [f"{title}, concept {i + 1}" for i in range(len(vectors))]
    return Passage(title, texts, vectors, [None] * len(vectors), [None] * len(vectors))


def check_npz(path: Path) -> list[tuple[str, str]]:
    """Return findings ("ok", "warning" or "error", sentence) on the integrity of an NPZ file.

    Checked: layout, alignment, dimensions (768 or 784 are expected), NaN, zero vectors, norms, unique ids,
    windows of five, targets that repeat their own context.

    Raises:
        SourceError: as `open_npz` and `layout_of`.
    """
    findings: list[tuple[str, str]] = []
    with open_npz(path) as arrays:
        layout = layout_of(arrays)
        findings.append(("ok", f"Layout '{layout}' with {', '.join(sorted(arrays))}."))
        stacked = [key for key in arrays if key == "vectors" or key.endswith(("_vectors", "_contexts", "_targets"))]
        for key in stacked:
            findings.extend(_check_vectors(key, np.asarray(arrays[key])))
        findings.extend(_check_alignment(arrays, layout))
        for key in ("cpe_ids", "sequence_ids"):
            if key in arrays and len(set(map(str, arrays[key]))) != len(arrays[key]):
                findings.append(("error", f"'{key}' has repeats; each row needs an id of its own."))
    return findings


def _check_vectors(key: str, values: NDArray[Any]) -> Iterator[tuple[str, str]]:
    dim = values.shape[-1]
    rows = values.reshape(-1, dim).astype(np.float32)
    norms = np.linalg.norm(rows, axis=1)
    yield "ok" if dim in (768, 784) else "warning", f"'{key}' is {values.shape}, {values.dtype}: {dim} dimensions."
    if n_bad := int((~np.isfinite(rows).all(axis=1)).sum()):
        yield "error", f"'{key}' has {n_bad:,} vectors with NaN or infinite values."
    padded = key.endswith("_contexts")
    if (n_zero := int((norms == 0).sum())) and not padded:
        yield "error", f"'{key}' has {n_zero:,} zero vectors."
    real = norms[np.isfinite(norms) & (norms > 0)]
    if len(real) and abs(float(real.mean()) - 1) > 0.02:
        yield "warning", f"'{key}' has a mean norm of {real.mean():.3f}; models here are trained on unit vectors."


def _check_alignment(arrays: Mapping[str, NDArray[Any]], layout: str) -> Iterator[tuple[str, str]]:
    groups = {
        "vectors": [["vectors", "concept_texts", "cpe_ids", "tmd_codes"]],
        "sequences": [["context_vectors", "target_vectors", "context_texts", "target_texts", "sequence_ids",
                       "article_ids", "doc_ids", "positions"]],
        "splits": [[f"{s}_contexts", f"{s}_targets", f"{s}_masks"] for s in SPLITS],
    }  # fmt: skip
    for group in groups[layout]:
        lengths = {key: len(arrays[key]) for key in group if key in arrays}
        if len(set(lengths.values())) > 1:
            yield "error", "Lengths differ: " + ", ".join(f"{k} {n:,}" for k, n in lengths.items()) + "."
    if layout == "sequences" and arrays["context_vectors"].shape[1] != 5:
        yield "warning", f"Windows are of {arrays['context_vectors'].shape[1]} chunks; the usual ones are of 5."
    if layout == "sequences" and not {"article_ids", "doc_ids"} & set(arrays):
        yield "warning", "No article_ids or doc_ids: a split by article cannot be made, so scores may leak."


def convert_objects(source: Path, target: Path, trust: bool) -> dict[str, str]:
    """Rewrite an NPZ with pickled object arrays as one with plain text and numbers; return what became of each.

    Args:
        source: the file; loading it runs whatever code its pickles hold.
        target: the new file.
        trust: must be True: the caller vouches for where the file comes from.

    Raises:
        SourceError: if `trust` is False, or an object array holds neither texts nor numbers.
    """
    from lvm_core.workspace import replacing

    if not trust:
        raise SourceError(
            "Converting loads pickled objects, which can run any code. Say --trust-pickle if you trust the file."
        )
    plain: dict[str, NDArray[Any]] = {}
    changed: dict[str, str] = {}
    with np.load(source, allow_pickle=True) as file:
        for key in file.files:
            values = file[key]
            if values.dtype == object:
                values = _plain(key, values)
                changed[key] = f"objects -> {values.dtype}"
            plain[key] = values
    with replacing(target) as temporary, temporary.open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **plain)
    return changed


def _plain(key: str, values: NDArray[Any]) -> NDArray[Any]:
    flat = values.reshape(-1)
    if all(isinstance(x, (int, np.integer)) for x in flat):
        return values.astype(np.int64)
    if all(isinstance(x, (float, int, np.floating, np.integer)) for x in flat):
        return values.astype(np.float64)
    if all(x is None or isinstance(x, (str, bytes)) or hasattr(x, "hex") for x in flat):
        return np.array(["" if x is None else str(x) for x in flat]).reshape(values.shape)
    if all(isinstance(x, (list, tuple, np.ndarray)) for x in flat) and len({len(x) for x in flat}) == 1:
        return np.stack([np.asarray(x) for x in flat])
    kinds = ", ".join(sorted({type(x).__name__ for x in flat})[:5])
    raise SourceError(f"Array '{key}' holds {kinds}; only texts, ids, numbers and rows of one length can be converted.")
