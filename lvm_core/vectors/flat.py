"""Exact search: every vector of a corpus is compared (FAISS, or a product of matrices for many queries at once)."""

from typing import Any

import numpy as np

from lvm_core.types import Hit, Rows, Vectors
from lvm_core.vectors.checks import check_search
from lvm_core.vectors.geometry import unit_rows

MANY_QUERIES, QUERIES_AT_ONCE = 20, 256
"""From so many queries on a product of matrices is quicker than one pass a query."""


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

    @property
    def vectors(self) -> Vectors:
        """The unit vectors (N, D) as the index holds them, not a copy."""
        import faiss

        held: Vectors = faiss.rev_swig_ptr(self._index.get_xb(), self.n_rows * self.dim)
        return held.reshape(self.n_rows, self.dim)

    def search(self, queries: Vectors, k: int, exclude: Rows | None = None) -> list[list[Hit]]:
        """Return for each of the (Q, D) queries the k hits that there are, best first, none of them in `exclude`.

        Raises:
            EncoderError: if the queries are not of the index's dimension.
            CorpusError: if k is below 1.
        """
        search = check_search(queries, k, exclude, self)
        if search.k < 1:
            return [[] for _ in search.queries]
        if len(search.exclude) and len(search.queries) >= MANY_QUERIES:
            return self._search_many(search.queries, search.k, search.exclude)
        import faiss

        make: Any = faiss.SearchParameters
        return hits_of(self._index, search.queries, search.k, make(sel=all_but(search.exclude)))

    def _search_many(self, queries: Vectors, k: int, exclude: Rows) -> list[list[Hit]]:
        """Multiply matrices and leave the excluded columns out: several times quicker than FAISS with a selector."""
        rows = self.vectors
        hits: list[list[Hit]] = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            scores = unit_rows(queries[start : start + QUERIES_AT_ONCE]) @ rows.T
            scores[:, exclude] = -np.inf
            hits += [_best(line, k) for line in scores]
        return hits


def hits_of(faiss_index: Any, queries: Vectors, k: int, parameters: Any) -> list[list[Hit]]:
    """Return what FAISS gives for each query, without the places it could not fill."""
    scores, rows = faiss_index.search(unit_rows(queries), k, params=parameters)
    return [
        [Hit(int(row), float(score)) for row, score in zip(*pair, strict=True) if row >= 0]
        for pair in zip(rows, scores, strict=True)
    ]


def all_but(rows: Rows) -> Any:
    """Return a FAISS selector of every row but these, None to select all.

    Give it as an argument of the parameters, not as an attribute: only so does FAISS keep it alive.
    """
    import faiss

    return faiss.IDSelectorNot(faiss.IDSelectorBatch(rows)) if len(rows) else None


def _best(scores: Vectors, k: int) -> list[Hit]:
    top = np.argpartition(scores, -k)[-k:]
    return [Hit(int(row), float(scores[row])) for row in top[np.argsort(-scores[top], kind="stable")]]
