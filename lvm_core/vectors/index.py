"""The nearest-chunk index of a corpus; scores are cosines in every kind.

`INDEXES` has the kinds that LVM_INDEX can name: FAISS on this machine (exact search in small corpora, inverted lists
in large ones), or PostgreSQL. A new kind is one file with functions that build and open it, and one line there.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from lvm_core.corpus.timings import record
from lvm_core.errors import CorpusError, SettingsError, WorkspaceError
from lvm_core.types import Progress, no_progress
from lvm_core.vectors.flat import FlatIndex
from lvm_core.vectors.ivf import IvfIndex, build_ivf
from lvm_core.vectors.matrix import VectorMatrix, open_matrix
from lvm_core.vectors.pgvector import PgVectorIndex, build_pgvector, open_pgvector
from lvm_core.vectors.stored_ivf import read_ivf, write_ivf
from lvm_core.workspace import Workspace

EXACT_BELOW = 20_000
"""Chunks; fewer are searched one by one in a few milliseconds."""

StoredIndex = FlatIndex | IvfIndex | PgVectorIndex


@dataclass(frozen=True, slots=True)
class IndexKind:
    """Where the vectors of a corpus are searched.

    Attributes:
        about: one line for people.
        build: makes the index of a matrix and keeps it where it took more than a moment.
        open: returns the index of a matrix, or raises an LvmError that says how to make it.
        is_kept: whether the index of a matrix lies ready, or is made in a moment.
    """

    about: str
    build: Callable[[Workspace, VectorMatrix, Progress], StoredIndex]
    open: Callable[[Workspace, VectorMatrix], StoredIndex]
    is_kept: Callable[[Workspace, VectorMatrix], bool]


def build_index(workspace: Workspace, corpus: str, encoder_id: str, progress: Progress = no_progress) -> StoredIndex:
    """Return the index of an encoded corpus, of the kind that LVM_INDEX names, kept where it took time to build.

    Raises:
        CorpusError: if the corpus is not encoded.
        SpaceMismatch: if it is encoded with other encoders only.
        SettingsError: if LVM_INDEX names no kind of index.
        WorkspaceError: if the disk is full or read-only.
    """
    return _kind().build(workspace, open_matrix(workspace, corpus, encoder_id), progress)


def ensure_index(workspace: Workspace, corpus: str, encoder_id: str, progress: Progress = no_progress) -> float:
    """Build the index of an encoded corpus unless it is kept already, note how long that took, and return the seconds.

    Raises:
        LvmError: as `build_index`.
    """
    matrix, kind = open_matrix(workspace, corpus, encoder_id), _kind()
    if kind.is_kept(workspace, matrix):
        return 0.0
    start = time.monotonic()
    index = kind.build(workspace, matrix, progress)
    seconds = time.monotonic() - start
    record(workspace, corpus, "index", seconds, index.kind)
    return seconds


def open_index(workspace: Workspace, corpus: str, encoder_id: str) -> StoredIndex:
    """Return the index of an encoded corpus, of the kind that LVM_INDEX names.

    Raises:
        CorpusError: if the corpus is not encoded, or not indexed in PostgreSQL where it is to be searched there.
        SpaceMismatch: if it is encoded with other encoders only.
        SettingsError: if LVM_INDEX names no kind of index.
        SourceError: if PostgreSQL does not answer.
    """
    return _kind().open(workspace, open_matrix(workspace, corpus, encoder_id))


def kept_index(workspace: Workspace, corpus: str, encoder_id: str) -> StoredIndex | None:
    """Return the index of an encoded corpus where it lies ready or is made in a moment, else None.

    Raises:
        LvmError: as `open_index`.
    """
    matrix, kind = open_matrix(workspace, corpus, encoder_id), _kind()
    return kind.open(workspace, matrix) if kind.is_kept(workspace, matrix) else None


def _kind() -> IndexKind:
    name = os.environ.get("LVM_INDEX") or "faiss"
    if name not in INDEXES:
        raise SettingsError([f"LVM_INDEX is {name!r}; expected {' or '.join(INDEXES)}."])
    return INDEXES[name]


def _build_faiss(workspace: Workspace, matrix: VectorMatrix, progress: Progress) -> FlatIndex | IvfIndex:
    if matrix.n_rows < EXACT_BELOW:
        return FlatIndex.from_vectors(matrix.slice(0, matrix.n_rows), matrix.encoder_id)
    progress(0.0, f"grouping {matrix.n_rows:,} vectors")
    index = _ivf_of(matrix)
    write_ivf(index, matrix, workspace.index(matrix.corpus, matrix.encoder_id))
    progress(1.0, f"{matrix.n_rows:,} vectors in {index.n_lists} lists, {index.probe.n_probe} looked into")
    return index


def _open_faiss(workspace: Workspace, matrix: VectorMatrix) -> FlatIndex | IvfIndex:
    """Return exact search below 20,000 chunks, else the stored index, built again if it is stale or changed."""
    stored = _read_faiss(workspace, matrix)
    if stored is not None:
        return stored
    try:
        return _build_faiss(workspace, matrix, no_progress)
    except WorkspaceError:  # a workspace that cannot be written can still be searched
        return _ivf_of(matrix)


def _read_faiss(workspace: Workspace, matrix: VectorMatrix) -> IvfIndex | None:
    if matrix.n_rows < EXACT_BELOW:
        return None
    return read_ivf(matrix, workspace.index(matrix.corpus, matrix.encoder_id))


def _is_in_faiss(workspace: Workspace, matrix: VectorMatrix) -> bool:
    return matrix.n_rows < EXACT_BELOW or _read_faiss(workspace, matrix) is not None


def _is_in_postgres(_: Workspace, matrix: VectorMatrix) -> bool:
    try:
        open_pgvector(matrix)
    except CorpusError:  # this state of the corpus is not there yet
        return False
    return True


def _ivf_of(matrix: VectorMatrix) -> IvfIndex:
    return build_ivf(matrix.slice, matrix.n_rows, matrix.dim, matrix.encoder_id)


INDEXES: dict[str, IndexKind] = {
    "faiss": IndexKind("FAISS on this machine", _build_faiss, _open_faiss, _is_in_faiss),
    "postgres": IndexKind(
        "pgvector in the database at LVM_DATABASE_URL",
        lambda _, matrix, progress: build_pgvector(matrix, progress=progress),
        lambda _, matrix: open_pgvector(matrix),
        _is_in_postgres,
    ),
}
