"""Inverted lists (IVF_FLAT): a search looks into the lists nearest to the query, as many as a measured recall needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lvm_core.types import Hit, Rows, Vectors
from lvm_core.vectors.checks import check_search
from lvm_core.vectors.flat import all_but, hits_of
from lvm_core.vectors.geometry import unit_rows

TRAINING_ROWS_PER_LIST = 64
SLICE = 16_384

TARGET_RECALL = 0.99
"""Share of the true nearest chunks that a search finds, on the sample by which the number of lists is chosen."""

N_SAMPLE, K_SAMPLE, CONTEXT = 256, 16, 5
"""Queries of the sample, neighbours of each (the snap's default), and the chunks whose mean stands for a prediction."""

ROWS_PER_HIT = 4
"""A search looks at this many rows a hit at least, so that a large k is not answered from a few lists."""

Read = Callable[[int, int], Vectors]
"""Gives the vectors (stop - start, D) of rows start to before stop."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How many lists each search looks into, and what share of the true neighbours that found on the sample."""

    n_probe: int
    recall: float


class IvfIndex:
    """Search in the inverted lists nearest to the query."""

    kind = "ivf"

    def __init__(self, faiss_index: Any, encoder_id: str, probe: Probe) -> None:
        """Wrap a faiss.IndexIVFFlat of inner products over unit vectors."""
        self.encoder_id = encoder_id
        self.probe = probe
        self.faiss_index = faiss_index

    @classmethod
    def from_vectors(cls, vectors: Vectors, encoder_id: str) -> "IvfIndex":
        """Return an index over `vectors` (N, D), which need not be unit."""
        return build_ivf(lambda start, stop: vectors[start:stop], len(vectors), vectors.shape[1], encoder_id)

    @property
    def dim(self) -> int:
        return int(self.faiss_index.d)

    @property
    def n_rows(self) -> int:
        return int(self.faiss_index.ntotal)

    @property
    def n_lists(self) -> int:
        return int(self.faiss_index.nlist)

    def search(self, queries: Vectors, k: int, exclude: Rows | None = None) -> list[list[Hit]]:
        """Return for each of the (Q, D) queries the k hits that there are, best first, none of them in `exclude`.

        Where the lists hold fewer, more lists are looked into, all of them in the end.

        Raises:
            EncoderError: if the queries are not of the index's dimension.
            CorpusError: if k is below 1.
        """
        search = check_search(queries, k, exclude, self)
        hits: list[list[Hit]] = [[] for _ in search.queries]
        if search.k < 1:
            return hits
        selector = all_but(search.exclude)
        n_probe = self._first_probe(search.k, len(search.exclude))
        short = np.arange(len(hits))
        while short.size:
            answers = hits_of(self.faiss_index, search.queries[short], search.k, _parameters(n_probe, selector))
            for i, answer in zip(short, answers, strict=True):
                hits[i] = answer
            if n_probe >= self.n_lists:
                break
            short = np.array([i for i in short if len(hits[i]) < search.k], dtype=np.int64)
            n_probe = min(4 * n_probe, self.n_lists)
        return hits

    def _first_probe(self, k: int, n_excluded: int) -> int:
        """Return the lists to look into at first: more where k is large or most rows are excluded."""
        rows_left_per_list = (self.n_rows - n_excluded) / self.n_lists
        return min(self.n_lists, max(self.probe.n_probe, int(np.ceil(ROWS_PER_HIT * k / rows_left_per_list))))


def n_lists(n_rows: int) -> int:
    """Return how many inverted lists a corpus has: 512 from 20,000 chunks, doubling with the corpus fourfold."""
    wanted = max(1, int(4 * np.sqrt(n_rows)))
    return max(1, min(1 << (wanted.bit_length() - 1), n_rows))


def build_ivf(read: Read, n_rows: int, dim: int, encoder_id: str) -> IvfIndex:
    """Return a filled index whose number of lists a search is measured; a slice is in memory at a time."""
    import faiss

    lists = n_lists(n_rows)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1
    index.cp.spherical = True
    step = max(1, n_rows // (lists * TRAINING_ROWS_PER_LIST))
    sample = [unit_rows(read(i, min(i + SLICE, n_rows))[::step]) for i in range(0, n_rows, SLICE)]
    index.train(np.concatenate(sample))
    for start in range(0, n_rows, SLICE):
        index.add(unit_rows(read(start, min(start + SLICE, n_rows))))
    return IvfIndex(index, encoder_id, _measured_probe(index, read, n_rows))


def _measured_probe(faiss_index: Any, read: Read, n_rows: int) -> Probe:
    """Return the least power of two of lists that finds `TARGET_RECALL` of the sample's true neighbours."""
    queries = _sample_queries(read, n_rows)
    k = min(K_SAMPLE, n_rows)
    truth = _true_neighbours(queries, read, n_rows, k)
    n_probe = 1
    while n_probe < faiss_index.nlist:
        recall = _recall(hits_of(faiss_index, queries, k, _parameters(n_probe, None)), truth)
        if recall >= TARGET_RECALL:
            return Probe(n_probe, round(recall, 4))
        n_probe *= 2
    return Probe(int(faiss_index.nlist), 1.0)


def _sample_queries(read: Read, n_rows: int) -> Vectors:
    """Return unit queries (Q, D): chunks of the corpus, and means of a few chunks in a row, which lie between them.

    Predictions are more like the latter, and their neighbours lie in more lists.
    """
    starts = np.unique(np.linspace(0, max(n_rows - CONTEXT, 0), N_SAMPLE // 2).astype(int))
    rows = [unit_rows(read(int(start), min(int(start) + CONTEXT, n_rows))) for start in starts]
    return unit_rows(np.stack([vectors[0] for vectors in rows] + [vectors.mean(axis=0) for vectors in rows]))


def _true_neighbours(queries: Vectors, read: Read, n_rows: int, k: int) -> list[set[int]]:
    scores = np.empty((len(queries), 0), dtype=np.float32)
    rows = np.empty((len(queries), 0), dtype=np.int64)
    for start in range(0, n_rows, SLICE):
        more = queries @ unit_rows(read(start, min(start + SLICE, n_rows))).T  # (Q, rows of the slice)
        scores = np.concatenate([scores, more], axis=1)
        rows = np.concatenate([rows, np.broadcast_to(np.arange(start, start + more.shape[1]), more.shape)], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores, rows = np.take_along_axis(scores, best, axis=1), np.take_along_axis(rows, best, axis=1)
    return [set(line) for line in rows.tolist()]


def _recall(hits: list[list[Hit]], truth: list[set[int]]) -> float:
    n_right = sum(len({hit.row for hit in line} & rows) for line, rows in zip(hits, truth, strict=True))
    return n_right / sum(len(rows) for rows in truth)


def _parameters(n_probe: int, selector: Any) -> Any:
    import faiss

    make: Any = faiss.SearchParametersIVF
    return make(nprobe=n_probe, sel=selector)
