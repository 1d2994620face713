"""Write a corpus as NPZ in the layouts of `lvm_core.exchange.npz`, a block in memory at a time."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from lvm_core.errors import CorpusError
from lvm_core.types import Chunk, DocumentInfo, Vectors
from lvm_core.workspace import need_space, replacing

BLOCK = 4096

ReadRows = Callable[[NDArray[np.int64]], Vectors]
ReadChunks = Callable[[NDArray[np.int64]], list[Chunk]]


def write_vectors(path: Path, n_rows: int, rows: ReadRows, chunks: ReadChunks, ids: Callable[[Chunk], str]) -> None:
    """Write layout "vectors": concept_texts, cpe_ids, tmd_codes (-1 where there is none) and vectors (N, D) float32.

    Args:
        path: the file.
        n_rows: chunks of the corpus.
        rows: reads vectors (n, D) of row numbers.
        chunks: reads chunks of row numbers.
        ids: gives each chunk its id.
    """
    every = np.arange(n_rows, dtype=np.int64)
    stored = [chunk for block in _blocks(every) for chunk in chunks(block)]
    dim = rows(every[:1]).shape[1]
    need_space(path.parent, n_rows * dim * 4)
    with _Writing(path) as file:
        _put(file, "concept_texts", np.array([c.text for c in stored]))
        _put(file, "cpe_ids", np.array([ids(c) for c in stored]))
        _put(file, "tmd_codes", np.array([-1 if c.tmd is None else c.tmd for c in stored], dtype=np.int32))
        _stream(file, "vectors", (n_rows, dim), np.float32, (rows(block) for block in _blocks(every)))


def windows_of(documents: Iterable[DocumentInfo], context: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row (N,) and the article's id (N,) of every window of `context` chunks and their next."""
    firsts, articles = [], []
    for document in documents:
        n = document.n_chunks - context
        if n > 0:
            firsts.append(document.rows[:n])
            articles.append(np.full(n, document.document_id, dtype=np.int64))
    if not firsts:
        raise CorpusError(
            f"No article has more than {context} chunks, so there is no window to write. Use a shorter --context."
        )
    return np.concatenate(firsts), np.concatenate(articles)


def write_sequences(path: Path, documents: list[DocumentInfo], context: int, rows: ReadRows, chunks: ReadChunks) -> int:
    """Write layout "sequences" with texts, sequence_ids, article_ids, doc_ids and positions; return the windows.

    Raises:
        CorpusError: if no article is longer than `context`.
    """
    firsts, articles = windows_of(documents, context)
    n, dim = len(firsts), rows(firsts[:1]).shape[1]
    need_space(path.parent, n * (context + 1) * dim * 4)
    start_of = {d.document_id: d.first_row for d in documents}
    steps = np.arange(context, dtype=np.int64)
    texts = _texts(firsts, context, chunks)
    with _Writing(path) as file:
        _put(file, "sequence_ids", np.arange(n, dtype=np.int64))
        _put(file, "article_ids", articles)
        _put(file, "doc_ids", articles.astype(np.int32))
        _put(file, "positions", (firsts - np.array([start_of[int(a)] for a in articles]) + context).astype(np.int32))
        _put(file, "target_texts", texts[np.searchsorted(_used(firsts, context), firsts + context)])
        context_index = np.searchsorted(_used(firsts, context), firsts[:, None] + steps)
        _stream(file, "context_texts", (n, context), texts.dtype, (texts[context_index[b]] for b in _places(n)))
        _stream(
            file,
            "context_vectors",
            (n, context, dim),
            np.float32,
            (rows((firsts[b][:, None] + steps).reshape(-1)).reshape(-1, context, dim) for b in _places(n)),
        )
        _stream(file, "target_vectors", (n, dim), np.float32, (rows(firsts[b] + context) for b in _places(n)))
    return n


def write_splits(path: Path, splits: dict[str, list[DocumentInfo]], context: int, rows: ReadRows) -> dict[str, int]:
    """Write layout "splits" (train_, val_, test_ contexts, targets, masks) and return the windows of each split."""
    counts = {}
    steps = np.arange(context, dtype=np.int64)
    with _Writing(path) as file:
        for short, name in (("train", "train"), ("val", "validation"), ("test", "test")):
            firsts, _ = windows_of(splits[name], context)
            n, dim = len(firsts), rows(firsts[:1]).shape[1]
            counts[name] = n
            _stream(
                file,
                f"{short}_contexts",
                (n, context, dim),
                np.float32,
                (rows((firsts[b][:, None] + steps).reshape(-1)).reshape(-1, context, dim) for b in _places(n)),
            )
            _stream(file, f"{short}_targets", (n, dim), np.float32, (rows(firsts[b] + context) for b in _places(n)))
            _put(file, f"{short}_masks", np.ones((n, context), dtype=np.float32))
    return counts


def _used(firsts: NDArray[np.int64], context: int) -> NDArray[np.int64]:
    return np.unique((firsts[:, None] + np.arange(context + 1)).reshape(-1))


def _texts(firsts: NDArray[np.int64], context: int, chunks: ReadChunks) -> NDArray[np.str_]:
    used = _used(firsts, context)
    return np.array([chunk.text for block in _blocks(used) for chunk in chunks(block)])


def _blocks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]


def _places(n: int) -> Iterator[slice]:
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))


class _Writing:
    """An NPZ under a temporary name that takes its place when all of it is written."""

    def __init__(self, path: Path) -> None:
        self._replacing = replacing(path)

    def __enter__(self) -> zipfile.ZipFile:
        self._zip = zipfile.ZipFile(self._replacing.__enter__(), "w", zipfile.ZIP_STORED, allowZip64=True)
        return self._zip

    def __exit__(self, *error: object) -> None:
        self._zip.close()
        self._replacing.__exit__(*error)  # type: ignore[arg-type]


def _put(file: zipfile.ZipFile, key: str, values: NDArray[np.generic]) -> None:
    with file.open(f"{key}.npy", "w", force_zip64=True) as out:
        npy.write_array(out, values, allow_pickle=False)


def _stream(
    file: zipfile.ZipFile, key: str, shape: tuple[int, ...], dtype: DTypeLike, blocks: Iterator[NDArray[np.generic]]
) -> None:
    header = {"descr": npy.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with file.open(f"{key}.npy", "w", force_zip64=True) as out:
        npy.write_array_header_1_0(out, header)
        for block in blocks:
            out.write(np.ascontiguousarray(block, dtype=dtype).tobytes())
