"""Corpus to matrix: longest chunks first, batch by batch, each batch safe on disk before it counts as done."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvm_core.corpus.locks import corpus_lock
from lvm_core.corpus.store import CorpusStore, iter_texts
from lvm_core.corpus.timings import StageFacts, record
from lvm_core.device import peak_memory
from lvm_core.errors import CorpusError, WorkspaceError
from lvm_core.types import CorpusInfo, Encoder, Progress, Rows, no_progress
from lvm_core.vectors.geometry import follow_similarity
from lvm_core.vectors.index import ensure_index
from lvm_core.vectors.matrix import MatrixInfo, VectorMatrix, map_data, open_matrix, read_info
from lvm_core.vectors.spread import Encoded, Spread
from lvm_core.vectors.work import Meter, Work, part, part_state
from lvm_core.workspace import Workspace, disk_errors, need_space, read_json, write_json

BATCH_SIZE = 512
"""Chunks encoded between two savings; the encoder groups them further."""

SLICE = 8_192
HEADER_BYTES = 128


def encode_corpus(
    workspace: Workspace,
    corpus: str,
    encoder: Encoder,
    progress: Progress = no_progress,
    batch_size: int = BATCH_SIZE,
    elsewhere: Spread | None = None,
) -> VectorMatrix:
    """Return the matrix of `corpus`, made now, finished after an interruption, or found complete; with its index.

    After a kill at any moment the next call goes on at the batch after the last one on disk and gives the same
    bytes. At the end each chunk's cosine to the one before it is stored as its coherence.

    Args:
        workspace: where the corpus lies.
        corpus: its name.
        encoder: makes the vectors.
        progress: told after each batch, with rate and time left.
        batch_size: chunks between two savings; an interrupted encoding keeps its own.
        elsewhere: who else encodes, on machines of one kind to the same bytes; None: this process alone.

    Raises:
        CorpusError: if the corpus is missing, empty, being read in or encoded elsewhere, or changes meanwhile.
        ExecutorLost: if nobody is left who encodes.
        EncoderError: if a chunk cannot be encoded.
        WorkspaceError: if the disk is full or read-only.
    """
    store = CorpusStore(workspace)
    info = store.corpus(corpus)
    path = workspace.vectors(corpus, encoder.id)
    if info.n_chunks == 0:
        raise CorpusError(f"Corpus '{corpus}' holds no chunks", "at least one", "Ingest it again.")
    if _is_current(path, info):
        _mend_coherence(store, info, path)
        ensure_index(workspace, corpus, encoder.id, progress)
        progress(1.0, f"{info.n_chunks:,} chunks were encoded already")
        return open_matrix(workspace, corpus, encoder.id)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with corpus_lock(workspace, corpus):
        info = store.corpus(corpus)
        work = _begin(store, info, encoder, path, batch_size)
        spent_s = _run(work, path, progress, lambda: _same_corpus(store, info, path), elsewhere)
        _finish(workspace, work, path, spent_s)
    matrix = open_matrix(workspace, corpus, encoder.id)
    ensure_index(workspace, corpus, encoder.id, progress)
    progress(1.0, f"{matrix.n_rows:,} chunks encoded in {spent_s:.0f} s")
    return matrix


def _is_current(path: Path, info: CorpusInfo) -> bool:
    """Return whether the matrix is there and of this state of the corpus; a damaged one is made again."""
    try:
        matrix = read_info(path)
        return (
            matrix is not None and matrix.digest == info.digest and len(map_data(path, matrix.n_rows, matrix.dim)) > 0
        )
    except WorkspaceError:
        return False


def _mend_coherence(store: CorpusStore, info: CorpusInfo, path: Path) -> None:
    """Store the coherence of an encoded corpus where a killed process, which wrote it last, left it out."""
    matrix = read_info(path)
    if matrix is not None and store.lacks_coherence(info.name):
        _store_coherence(store, info.name, map_data(path, matrix.n_rows, matrix.dim))


def _begin(store: CorpusStore, info: CorpusInfo, encoder: Encoder, path: Path, batch_size: int) -> Work:
    """Return the work still to do: that of an interrupted encoding of the same chunks, else all of it."""
    texts = list(iter_texts(store, info.name))
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    order: Rows = np.argsort(-lengths, kind="stable")
    work = Work(info, encoder, texts, order, batch_size, 0, 0.0)
    state = read_json(part_state(path)) if part_state(path).exists() else {}
    same = all(
        state.get(key) == value for key, value in work.state(0).items() if key in ("digest", "encoder_id", "dim")
    )
    if same and (part(path).exists() or state["n_done"] * state["batch_size"] >= len(texts)):
        work.batch_size, work.n_done, work.spent_s = state["batch_size"], state["n_done"], state["spent_s"]
        return work
    _reserve(path, len(texts), encoder.dim)
    write_json(part_state(path), work.state(0))
    return work


def _reserve(path: Path, n_rows: int, dim: int) -> None:
    """Make the file with all its blocks, since a mapped file that meets a full disk kills the process."""
    part_state(path).unlink(missing_ok=True)
    n_bytes = n_rows * dim * 2 + HEADER_BYTES
    need_space(path.parent, n_bytes)
    with disk_errors(path):
        data = np.lib.format.open_memmap(part(path), mode="w+", dtype=np.float16, shape=(n_rows, dim))
        data.flush()
        if hasattr(os, "posix_fallocate"):
            with part(path).open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, part(path).stat().st_size)


def _same_corpus(store: CorpusStore, info: CorpusInfo, path: Path) -> None:
    """Raise CorpusError where the corpus was deleted or read in anew while it was being encoded."""
    now = next((corpus for corpus in store.corpora() if corpus.name == info.name), None)
    if now is None or not path.parent.is_dir():
        raise CorpusError(
            f"Corpus '{info.name}' was deleted while it was being encoded",
            "the same chunks to the end",
            "Ingest it again.",
        )
    if now.digest != info.digest:
        raise CorpusError(
            f"Corpus '{info.name}' was read in anew while it was being encoded",
            "the same chunks to the end",
            "Encode it again.",
        )


def _run(work: Work, path: Path, progress: Progress, check: Callable[[], None], elsewhere: Spread | None) -> float:
    """Encode the batches that are left and return the seconds spent in all attempts."""
    if work.n_done >= work.n_batches:
        return work.spent_s
    with disk_errors(path):
        data: NDArray[np.float16] = np.lib.format.open_memmap(part(path), mode="r+")
    meter = Meter(work)
    try:
        for last, rows, vectors in elsewhere.batches(work, path) if elsewhere else _batches(work):
            check()
            data[rows] = vectors
            with disk_errors(path):
                data.flush()  # type: ignore[attr-defined]  # the batch is on disk before the JSON says so
            work.n_done = last
            write_json(part_state(path), work.state(meter.spent_s))
            progress(*meter.report())
    except WorkspaceError:
        check()  # where the corpus is gone, that is why
        raise
    return meter.spent_s


def _batches(work: Work) -> Iterator[Encoded]:
    """Yield the batches that are left, encoded in this process."""
    for number in range(work.n_done, work.n_batches):
        rows = work.rows(number, number + 1)
        yield number + 1, rows, work.encoder.encode([work.texts[i] for i in rows]).astype(np.float16)


def _finish(workspace: Workspace, work: Work, path: Path, spent_s: float) -> None:
    """Give the finished matrix its name, store what follows from it, then write its JSON, which says that it is done.

    A kill anywhere in between is mended by the next call, which finds every batch encoded.
    """
    n_rows, dim = len(work.order), work.encoder.dim
    with disk_errors(path):
        if part(path).exists():
            part(path).replace(path)
    data = map_data(path, n_rows, dim)
    info = work.corpus
    _store_coherence(CorpusStore(workspace), info.name, data)
    facts: StageFacts = {"dim": dim, "n_bytes": path.stat().st_size, "peak_bytes": peak_memory()}
    record(workspace, info.name, "embedding", spent_s, work.encoder.id, facts)
    unit = work.encoder.unit_norm
    mean_norm = 1.0 if unit else _mean_norm(data)
    done = MatrixInfo(info.name, info.digest, work.encoder.id, n_rows, dim, unit, mean_norm, spent_s)
    write_json(path.with_suffix(".json"), dataclasses.asdict(done))
    with disk_errors(path):
        part_state(path).unlink(missing_ok=True)


def _mean_norm(data: NDArray[np.float16]) -> float:
    total = 0.0
    for start in range(0, len(data), SLICE):
        total += float(np.linalg.norm(data[start : start + SLICE].astype(np.float32), axis=1).sum())
    return total / len(data)


def _store_coherence(store: CorpusStore, corpus: str, data: NDArray[np.float16]) -> None:
    values = np.full(len(data), np.nan, dtype=np.float32)
    for start in range(0, len(data), SLICE):
        first = max(start - 1, 0)
        part = data[first : start + SLICE].astype(np.float32)
        values[first + 1 : start + SLICE] = follow_similarity(part)[1:]
    store.set_coherence(corpus, values)
