"""Write a corpus as NPZ in the layouts of `lvm_core.exchange.npz`, a block in memory at a time."""

import contextlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from lvm_core.boundary.files import is_regular
from lvm_core.errors import CorpusError, SourceError
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
    with NpzWriter(path) as file:
        file.put("concept_texts", np.array([c.text for c in stored]))
        file.put("cpe_ids", np.array([ids(c) for c in stored]))
        file.put("tmd_codes", np.array([-1 if c.tmd is None else c.tmd for c in stored], dtype=np.int32))
        file.stream("vectors", (n_rows, dim), np.float32, (rows(block) for block in _blocks(every)))


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
            f"No article has more than {context} chunks, so there is no window to write",
            "at least one",
            "Use a shorter --context.",
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
    with NpzWriter(path) as file:
        file.put("sequence_ids", np.arange(n, dtype=np.int64))
        file.put("article_ids", articles)
        file.put("doc_ids", articles.astype(np.int32))
        file.put("positions", (firsts - np.array([start_of[int(a)] for a in articles]) + context).astype(np.int32))
        file.put("target_texts", texts[np.searchsorted(_used(firsts, context), firsts + context)])
        context_index = np.searchsorted(_used(firsts, context), firsts[:, None] + steps)
        file.stream("context_texts", (n, context), texts.dtype, (texts[context_index[b]] for b in _places(n)))
        file.stream(
            "context_vectors",
            (n, context, dim),
            np.float32,
            (rows((firsts[b][:, None] + steps).reshape(-1)).reshape(-1, context, dim) for b in _places(n)),
        )
        file.stream("target_vectors", (n, dim), np.float32, (rows(firsts[b] + context) for b in _places(n)))
    return n


def write_splits(path: Path, splits: dict[str, list[DocumentInfo]], context: int, rows: ReadRows) -> dict[str, int]:
    """Write layout "splits" (train_, val_, test_ contexts, targets, masks) and return the windows of each split."""
    counts = {}
    steps = np.arange(context, dtype=np.int64)
    with NpzWriter(path) as file:
        for short, name in (("train", "train"), ("val", "validation"), ("test", "test")):
            firsts, _ = windows_of(splits[name], context)
            n, dim = len(firsts), rows(firsts[:1]).shape[1]
            counts[name] = n
            file.stream(
                f"{short}_contexts",
                (n, context, dim),
                np.float32,
                (rows((firsts[b][:, None] + steps).reshape(-1)).reshape(-1, context, dim) for b in _places(n)),
            )
            file.stream(f"{short}_targets", (n, dim), np.float32, (rows(firsts[b] + context) for b in _places(n)))
            file.put(f"{short}_masks", np.ones((n, context), dtype=np.float32))
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


def only_over_npz(path: Path) -> None:
    """Raise SourceError if something that is no NPZ lies at `path`."""
    if path.exists() and not _may_be_replaced(path):
        raise SourceError(
            f"{path} exists and is no NPZ, so it is not overwritten",
            "an NPZ, or the name of a new file",
            "Choose another name.",
        )


def _may_be_replaced(path: Path) -> bool:
    if not is_regular(path):
        return False
    with path.open("rb") as file:
        return file.read(2) in (b"PK", b"")


class NpzWriter:
    """An NPZ under a temporary name that takes its place when all of it is written."""

    def __init__(self, path: Path, compress: bool = False) -> None:
        """Say where it goes, and whether its arrays are packed tightly."""
        self._stack = contextlib.ExitStack()
        self._path, self._method = path, zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            temporary = stack.enter_context(replacing(self._path))
            self._zip = stack.enter_context(zipfile.ZipFile(temporary, "w", self._method, allowZip64=True))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def put(self, key: str, values: NDArray[Any]) -> None:
        """Write an array."""
        with self._zip.open(f"{key}.npy", "w", force_zip64=True) as out:
            npy.write_array(out, values, allow_pickle=False)

    def stream(self, key: str, shape: tuple[int, ...], dtype: DTypeLike, blocks: Iterator[NDArray[Any]]) -> None:
        """Write an array of which a block is in memory at a time."""
        header = {"descr": npy.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        with self._zip.open(f"{key}.npy", "w", force_zip64=True) as out:
            npy.write_array_header_1_0(out, header)
            for block in blocks:
                out.write(np.ascontiguousarray(block, dtype=dtype).tobytes())
