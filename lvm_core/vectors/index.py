"""The nearest-chunk index of a corpus; scores are cosines in every kind.

`INDEXES` has the kinds that LVM_INDEX can name: FAISS on this machine (exact search in small corpora, inverted lists in
larger ones, lists of codes in the largest; or one of these whatever the size), or PostgreSQL. A new kind is one file
with functions that build and open it, and one line there.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from lvm_core.corpus.timings import Cost, record
from lvm_core.errors import CorpusError, SettingsError, WorkspaceError
from lvm_core.types import Progress, no_progress
from lvm_core.vectors.flat import FlatIndex
from lvm_core.vectors.ivf import IvfIndex, build_ivf
from lvm_core.vectors.ivf_pq import IvfPqIndex, build_ivf_pq
from lvm_core.vectors.matrix import VectorMatrix, open_matrix
from lvm_core.vectors.pgvector import PgVectorIndex, build_pgvector, open_pgvector
from lvm_core.vectors.stored_index import IndexNote, read_index, read_note, write_index
from lvm_core.workspace import Workspace

EXACT_BELOW = 20_000
"""Chunks; fewer are searched one by one in a few milliseconds."""

CODES_FROM = 300_000
"""Chunks; so many and more are kept in memory as codes: their float32 vectors would take 1.5 kB each at D = 384."""

BUILT_ON_OPENING_BELOW = 200_000
"""Chunks; the index of a larger corpus takes minutes, and whoever opens it is told what makes it."""

FaissIndex = FlatIndex | IvfIndex | IvfPqIndex
StoredIndex = FaissIndex | PgVectorIndex


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
    cost = Cost()
    index = kind.build(workspace, matrix, progress)
    seconds, note = cost.seconds, stored_note(workspace, matrix)
    facts = cost.facts(matrix.dim, note.file_bytes if note else 0)
    record(workspace, corpus, "index", seconds, index.kind, facts)
    return seconds


def open_index(workspace: Workspace, corpus: str, encoder_id: str) -> StoredIndex:
    """Return the index of an encoded corpus, of the kind that LVM_INDEX names.

    Raises:
        CorpusError: if the corpus is not encoded, or not indexed where that takes long (many chunks, PostgreSQL).
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


def about_index(workspace: Workspace, corpus: str, encoder_id: str) -> str:
    """Return how an encoded corpus is searched and what that finds, for people; no index is opened for it.

    Raises:
        LvmError: as `open_matrix`.
    """
    matrix = open_matrix(workspace, corpus, encoder_id)
    name = os.environ.get("LVM_INDEX") or "faiss"
    if name not in FAISS and name != "faiss":
        return _kind().about
    kind = _faiss_kind(matrix, name)
    if kind == FlatIndex.kind:
        return "exact: each search looks at every chunk"
    note = stored_note(workspace, matrix)
    return note.about if note is not None and note.kind == kind else f"{kind}, not built yet"


def stored_note(workspace: Workspace, matrix: VectorMatrix) -> IndexNote | None:
    """Return what is written of the stored index of a matrix; None where there is none of its present rows."""
    note = read_note(workspace.index(matrix.corpus, matrix.encoder_id))
    return note if note is not None and note.is_of(matrix) else None


def _kind() -> IndexKind:
    name = os.environ.get("LVM_INDEX") or "faiss"
    if name not in INDEXES:
        raise SettingsError([f"LVM_INDEX is {name!r}; expected {' or '.join(INDEXES)}."])
    return INDEXES[name]


@dataclass(frozen=True, slots=True)
class _FaissKind:
    """An index of FAISS, of one kind or, where `name` is "faiss", of the kind that the size asks for."""

    name: str

    def build(self, workspace: Workspace, matrix: VectorMatrix, progress: Progress) -> FaissIndex:
        index = self._built(matrix, progress)
        if not isinstance(index, FlatIndex):
            write_index(index, matrix, workspace.index(matrix.corpus, matrix.encoder_id))
            progress(1.0, f"{matrix.n_rows:,} vectors in {index.n_lists} lists, {index.probe.n_probe} looked into")
        return index

    def open(self, workspace: Workspace, matrix: VectorMatrix) -> FaissIndex:
        """Return exact search in a small corpus, else the stored index, built again if it is stale or changed."""
        stored = self._stored(workspace, matrix)
        if stored is not None:
            return stored
        if matrix.n_rows >= BUILT_ON_OPENING_BELOW:
            raise CorpusError(
                f"Corpus '{matrix.corpus}' ({matrix.n_rows:,} chunks) has no {_faiss_kind(matrix, self.name)} index of"
                " its present vectors",
                "one, which takes a few minutes to build",
                f"Build it with: python -m lvm_core encode --corpus {matrix.corpus}"
                f" --encoder {matrix.encoder_id.rpartition('@')[0]}",
            )
        try:
            return self.build(workspace, matrix, no_progress)
        except WorkspaceError:  # a workspace that cannot be written can still be searched
            return self._built(matrix, no_progress)

    def is_kept(self, workspace: Workspace, matrix: VectorMatrix) -> bool:
        kind, path = _faiss_kind(matrix, self.name), workspace.index(matrix.corpus, matrix.encoder_id)
        note = stored_note(workspace, matrix)
        return kind == FlatIndex.kind or (note is not None and note.kind == kind and note.is_unchanged(path))

    def _built(self, matrix: VectorMatrix, progress: Progress) -> FaissIndex:
        kind = _faiss_kind(matrix, self.name)
        if kind == FlatIndex.kind:
            return FlatIndex.from_vectors(matrix.slice(0, matrix.n_rows), matrix.encoder_id)
        progress(0.0, f"grouping {matrix.n_rows:,} vectors")
        build = build_ivf if kind == IvfIndex.kind else build_ivf_pq
        return build(matrix, matrix.n_rows, matrix.dim, matrix.encoder_id, progress)

    def _stored(self, workspace: Workspace, matrix: VectorMatrix) -> FaissIndex | None:
        kind = _faiss_kind(matrix, self.name)
        if kind == FlatIndex.kind:
            return FlatIndex.from_vectors(matrix.slice(0, matrix.n_rows), matrix.encoder_id)
        return read_index(matrix, workspace.index(matrix.corpus, matrix.encoder_id), kind)


def kind_for(n_rows: int) -> str:
    """Return which kind of FAISS index a corpus of so many chunks has, where LVM_INDEX names none."""
    if n_rows < EXACT_BELOW:
        return FlatIndex.kind
    return IvfIndex.kind if n_rows < CODES_FROM else IvfPqIndex.kind


def _faiss_kind(matrix: VectorMatrix, name: str) -> str:
    return kind_for(matrix.n_rows) if name == "faiss" else name


def _is_in_postgres(_: Workspace, matrix: VectorMatrix) -> bool:
    try:
        open_pgvector(matrix)
    except CorpusError:  # this state of the corpus is not there yet
        return False
    return True


FAISS = {
    "faiss": "FAISS on this machine, of the kind that the size asks for",
    FlatIndex.kind: "FAISS, every chunk compared",
    IvfIndex.kind: "FAISS, inverted lists of vectors",
    IvfPqIndex.kind: "FAISS, inverted lists of 64-byte codes, the best compared again",
}
"""Kinds of index on this machine, each with a line for people."""

INDEXES: dict[str, IndexKind] = {
    **{
        name: IndexKind(about, kind.build, kind.open, kind.is_kept)
        for name, about in FAISS.items()
        for kind in [_FaissKind(name)]
    },
    "postgres": IndexKind(
        "pgvector in the database at LVM_DATABASE_URL",
        lambda _, matrix, progress: build_pgvector(matrix, progress=progress),
        lambda _, matrix: open_pgvector(matrix),
        _is_in_postgres,
    ),
}
