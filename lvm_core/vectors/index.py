"""FAISS: exact search in small corpora, inverted lists in large ones; scores are cosines either way.

LVM_INDEX=postgres searches in PostgreSQL instead (`lvm_core.vectors.pgvector`).
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from lvm_core.errors import CorpusError, EncoderError, SettingsError, WorkspaceError
from lvm_core.types import Hit, Progress, Rows, Vectors, no_progress
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.matrix import VectorMatrix, open_matrix
from lvm_core.vectors.pgvector import PgVectorIndex, build_pgvector, open_pgvector
from lvm_core.workspace import Workspace, need_space, read_json, replacing, write_json

EXACT_BELOW = 20_000
"""Chunks; fewer are searched one by one in a few milliseconds."""

N_LISTS = 512
LISTS_PER_PROBE = 32
TRAINING_ROWS_PER_LIST = 64
SLICE = 16_384

MANY_QUERIES, QUERIES_AT_ONCE = 20, 256
"""From so many queries on a product of matrices is quicker than one pass a query."""


def n_lists(n_rows: int) -> int:
    """Return how many inverted lists a corpus has: 512 from 20,000 chunks, doubling with the corpus fourfold."""
    wanted = max(1, int(4 * np.sqrt(n_rows)))
    return max(1, min(1 << (wanted.bit_length() - 1), n_rows))


class FlatIndex:
    """Exact search over unit vectors in memory."""

    kind = "exact"

    def __init__(self, faiss_index: Any, encoder_id: str) -> None:
        """Wrap a FAISS inner-product index over unit vectors."""
        self.encoder_id = encoder_id
        self._index = faiss_index

    @classmethod
    def from_vectors(cls, vectors: Vectors, encoder_id: str) -> "FlatIndex":
        """Return an exact index over `vectors` (N, D), which need not be unit."""
        import faiss

        index = faiss.IndexFlatIP(vectors.shape[1])
        if len(vectors):
            index.add(unit_rows(vectors))
        return cls(index, encoder_id)

    @property
    def dim(self) -> int:
        return int(self._index.d)

    @property
    def n_rows(self) -> int:
        return int(self._index.ntotal)

    def search(self, queries: Vectors, k: int, exclude: Rows | None = None) -> list[list[Hit]]:
        """Return for each of the (Q, D) queries at most k hits, best first, none of them in `exclude`.

        Raises:
            EncoderError: if the queries are not of the index's dimension.
            CorpusError: if k is below 1.
        """
        queries = np.atleast_2d(np.asarray(queries, dtype=np.float32))
        if queries.shape[1] != self.dim and queries.size:
            raise EncoderError(
                f"The queries have {queries.shape[1]} dimensions; the index of '{self.encoder_id}' has {self.dim}."
                " Encode them with the same encoder."
            )
        if k < 1:
            raise CorpusError(f"k is {k}; expected at least 1 neighbour.")
        if not queries.size or not self.n_rows:
            return [[] for _ in range(len(queries) if queries.size else 0)]
        if exclude is not None and len(queries) >= MANY_QUERIES:
            return self._search_many(queries, k, np.unique(exclude))
        return self._hits(queries, min(k, self.n_rows), self._parameters(exclude))

    def _search_many(self, queries: Vectors, k: int, exclude: Rows) -> list[list[Hit]]:
        """Multiply matrices and leave the excluded columns out: several times quicker than FAISS with a selector."""
        import faiss

        rows = faiss.rev_swig_ptr(self._index.get_xb(), self.n_rows * self.dim).reshape(self.n_rows, self.dim)
        k = min(k, self.n_rows - len(exclude))
        found: list[list[Hit]] = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            scores = unit_rows(queries[start : start + QUERIES_AT_ONCE]) @ rows.T
            scores[:, exclude] = -np.inf
            found += [_best(own, k) for own in scores]
        return found

    def _hits(self, queries: Vectors, k: int, parameters: Any) -> list[list[Hit]]:
        scores, rows = self._index.search(unit_rows(queries), k, params=parameters)
        return [
            [Hit(int(row), float(score)) for row, score in zip(*pair, strict=True) if row >= 0]
            for pair in zip(rows, scores, strict=True)
        ]

    def _parameters(self, exclude: Rows | None) -> Any:
        import faiss

        # As an argument, not as an attribute: only so does FAISS keep the selector alive.
        make: Any = faiss.SearchParameters
        return make(sel=_all_but(exclude))


class IvfIndex(FlatIndex):
    """Search in the inverted lists nearest to the query (IVF_FLAT)."""

    kind = "ivf"

    def _search_many(self, queries: Vectors, k: int, exclude: Rows) -> list[list[Hit]]:
        return self._hits(queries, min(k, self.n_rows), self._parameters(exclude))

    @property
    def n_probe(self) -> int:
        """Lists looked into for each query: 16 of 512."""
        return max(1, int(self._index.nlist) // LISTS_PER_PROBE)

    @classmethod
    def from_vectors(cls, vectors: Vectors, encoder_id: str) -> "IvfIndex":
        """Return an index over `vectors` (N, D), which need not be unit."""
        return cls(_build_ivf(lambda start, stop: vectors[start:stop], *vectors.shape), encoder_id)

    def _parameters(self, exclude: Rows | None) -> Any:
        import faiss

        make: Any = faiss.SearchParametersIVF
        return make(nprobe=self.n_probe, sel=_all_but(exclude))


def _best(scores: Vectors, k: int) -> list[Hit]:
    if k < 1:
        return []
    top = np.argpartition(scores, -k)[-k:]
    return [Hit(int(row), float(scores[row])) for row in top[np.argsort(-scores[top], kind="stable")]]


def _all_but(rows: Rows | None) -> Any:
    """Return a FAISS selector of every row but these, None to select all."""
    import faiss

    if rows is None or not len(rows):
        return None
    return faiss.IDSelectorNot(faiss.IDSelectorBatch(np.unique(np.asarray(rows, dtype=np.int64))))


def build_index(
    workspace: Workspace, corpus: str, encoder_id: str, progress: Progress = no_progress
) -> FlatIndex | IvfIndex | PgVectorIndex:
    """Return the index of an encoded corpus, written to disk where it took more than a moment to build.

    Where LVM_INDEX is "postgres", it is written to the database at LVM_DATABASE_URL instead.

    Raises:
        CorpusError: if the corpus is not encoded.
        SpaceMismatch: if it is encoded with other encoders only.
        WorkspaceError: if the disk is full or read-only.
    """
    if in_postgres():
        return build_pgvector(workspace, corpus, encoder_id, progress=progress)
    matrix = open_matrix(workspace, corpus, encoder_id)
    if matrix.n_rows < EXACT_BELOW:
        return FlatIndex.from_vectors(matrix.slice(0, matrix.n_rows), encoder_id)
    path = workspace.index(corpus, encoder_id)
    progress(0.0, f"grouping {matrix.n_rows:,} vectors")
    index = IvfIndex(_build_ivf(matrix.slice, matrix.n_rows, matrix.dim), encoder_id)
    _write(index, matrix, path)
    progress(1.0, f"{matrix.n_rows:,} vectors in {n_lists(matrix.n_rows)} lists")
    return index


def open_index(workspace: Workspace, corpus: str, encoder_id: str) -> FlatIndex | IvfIndex | PgVectorIndex:
    """Return the index of an encoded corpus: exact below 20,000 chunks, else the stored one, rebuilt if it is stale.

    Where LVM_INDEX is "postgres", it is the one in the database at LVM_DATABASE_URL.

    Raises:
        CorpusError: if the corpus is not encoded, or not indexed in PostgreSQL where it is to be searched there.
        SpaceMismatch: if it is encoded with other encoders only.
        SourceError: if PostgreSQL does not answer.
    """
    matrix = open_matrix(workspace, corpus, encoder_id)
    if in_postgres():
        return open_pgvector(matrix)
    if matrix.n_rows < EXACT_BELOW:
        return FlatIndex.from_vectors(matrix.slice(0, matrix.n_rows), encoder_id)
    stored = _read(matrix, workspace.index(corpus, encoder_id))
    if stored is not None:
        return stored
    try:
        return build_index(workspace, corpus, encoder_id)
    except WorkspaceError:  # a workspace that cannot be written can still be searched
        return IvfIndex(_build_ivf(matrix.slice, matrix.n_rows, matrix.dim), encoder_id)


def in_postgres() -> bool:
    """Return whether LVM_INDEX says that PostgreSQL is to be searched.

    Raises:
        SettingsError: if it says something else altogether.
    """
    wanted = os.environ.get("LVM_INDEX") or "faiss"
    if wanted not in ("faiss", "postgres"):
        raise SettingsError([f"LVM_INDEX is {wanted!r}; expected faiss or postgres."])
    return wanted == "postgres"


def _build_ivf(read: Any, n_rows: int, dim: int) -> Any:
    """Return a filled faiss.IndexIVFFlat; `read(start, stop)` gives vectors, a slice in memory at a time."""
    import faiss

    lists = n_lists(n_rows)
    quantizer = faiss.IndexFlatIP(dim)
    index = faiss.IndexIVFFlat(quantizer, dim, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1
    index.cp.spherical = True
    step = max(1, n_rows // (lists * TRAINING_ROWS_PER_LIST))
    sample = [unit_rows(read(i, min(i + SLICE, n_rows))[::step]) for i in range(0, n_rows, SLICE)]
    index.train(np.concatenate(sample))
    for start in range(0, n_rows, SLICE):
        index.add(unit_rows(read(start, min(start + SLICE, n_rows))))
    return index


def _identity(matrix: VectorMatrix) -> dict[str, Any]:
    return {
        "digest": matrix.digest,
        "encoder_id": matrix.encoder_id,
        "n_rows": matrix.n_rows,
        "dim": matrix.dim,
        "n_lists": n_lists(matrix.n_rows),
    }


def _write(index: FlatIndex, matrix: VectorMatrix, path: Path) -> None:
    import faiss

    need_space(path.parent, matrix.n_rows * (matrix.dim * 4 + 8))
    path.with_suffix(".json").unlink(missing_ok=True)
    with replacing(path) as temporary:
        faiss.write_index(index._index, str(temporary))
    write_json(path.with_suffix(".json"), _identity(matrix))


def _read(matrix: VectorMatrix, path: Path) -> IvfIndex | None:
    """Return the stored index if it is of this very matrix and can be read."""
    import faiss

    beside = path.with_suffix(".json")
    if not path.exists() or not beside.exists() or read_json(beside) != _identity(matrix):
        return None
    try:
        return IvfIndex(faiss.read_index(str(path)), matrix.encoder_id)
    except RuntimeError:  # a damaged file; it is built again
        return None
