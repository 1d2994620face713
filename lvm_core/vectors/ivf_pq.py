"""Inverted lists of codes (IVF-PQ): 64 bytes a chunk in memory, the nearest by code compared again by their vectors.

Product quantisation: Jegou, Douze and Schmid 2011, "Product Quantization for Nearest Neighbor Search", section 4 for
the inverted lists; the second look at stored vectors: Jegou, Tavenard, Douze and Amsaleg 2011, "Searching in one
billion vectors: re-rank with source coding", with the float16 rows on disk in place of finer codes. Codes of four bits
looked up in registers: Andre, Kermarrec and Le Scouarnec 2017, "Accelerated Nearest Neighbor Search with Quick ADC";
128 parts of 16 centres find as many neighbours as 64 of 256, are learned ten times and searched five times as fast.
"""

from typing import Any

import numpy as np

from lvm_core.types import Hit, Progress, Rows, Vectors, VectorSource, no_progress
from lvm_core.vectors import probe
from lvm_core.vectors.checks import Search, check_search
from lvm_core.vectors.flat import all_but
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.ivf import (
    TRAINING_ROWS_PER_LIST,
    InvertedLists,
    fill,
    in_full,
    n_lists,
    parameters,
    train_lists,
    training_rows,
)
from lvm_core.vectors.probe import Probe

CODE_BYTES, CODE_BITS = 64, 4
"""Of a vector: it is cut into 128 parts, each kept as the nearest of 16 learned ones."""

TARGET_RECALL = 0.97
"""Share of the true nearest chunks that the choice of lists and candidates aims at; .95 is what must be reached."""

COVERAGE = (0.975, 0.99, 1.0)
"""Share of the true neighbours that lie in the lists looked into: the first from which candidates reach the target."""

LEAST_CANDIDATES, MOST_CANDIDATES = 64, 1_024
ROWS_AT_ONCE = 32_768
"""Candidates whose vectors are in memory at a time, 50 MB at D = 384."""


class IvfPqIndex(InvertedLists):
    """Search by codes in the inverted lists nearest to the query, then by the vectors of the best of them."""

    kind = "ivf-pq"

    def __init__(self, faiss_index: Any, source: VectorSource, encoder_id: str, probe: Probe) -> None:
        """Wrap a faiss.IndexIVFPQFastScan of inner products over the unit rows of `source`."""
        super().__init__(faiss_index, encoder_id, probe)
        self._source = source

    def search(self, queries: Vectors, k: int, exclude: Rows | None = None) -> list[list[Hit]]:
        """Return for each of the (Q, D) queries the k hits that there are, best first, none of them in `exclude`.

        Where the lists hold fewer, more lists are looked into, all of them in the end, and then every vector.

        Raises:
            EncoderError: if the queries are not of the index's dimension.
            CorpusError: if k is below 1.
        """
        search = check_search(queries, k, exclude, self)
        selector = all_but(search.exclude)
        n_candidates = max(2, min(self.n_rows, self.probe.n_candidates * max(1, -(-search.k // probe.K))))

        def ask(some: Vectors, n_probe: int) -> list[list[Hit]]:
            hits: list[list[Hit]] = []
            step = max(1, ROWS_AT_ONCE // n_candidates)
            for start in range(0, len(some), step):
                part = unit_rows(some[start : start + step])
                _, rows = self.faiss_index.search(part, n_candidates, params=parameters(n_probe, selector))
                hits += self._ranked(part, rows, search.k)
            return hits

        hits = in_full(search, self.faiss_index, self.probe, ask)
        return [
            line if len(line) >= search.k else self._exactly(query, search)
            for query, line in zip(search.queries, hits, strict=True)
        ]

    def _exactly(self, query: Vectors, search: Search) -> list[Hit]:
        """Return the hits of one query (D,) by looking at every vector: codes of too few levels can lose a row."""
        unit, n_found = unit_rows(query[None]), min(self.n_rows, search.k + len(search.exclude))
        rows = probe.nearest(unit, self._source, self.n_rows, n_found)[0]
        return self._ranked(unit, np.setdiff1d(rows, search.exclude)[None], search.k)[0]

    def _ranked(self, queries: Vectors, candidates: Rows, k: int) -> list[list[Hit]]:
        """Return the k best of each unit query's candidates (Q, n), by the cosines of their stored vectors."""
        needed = np.unique(candidates[candidates >= 0])
        vectors = unit_rows(self._source.rows(needed)) if needed.size else np.empty((0, self.dim), dtype=np.float32)
        hits = []
        for query, rows in zip(queries, candidates, strict=True):
            own = np.sort(rows[rows >= 0])
            scores = vectors[np.searchsorted(needed, own)] @ query
            best = np.argsort(-scores, kind="stable")[:k]
            hits.append([Hit(int(own[i]), float(scores[i])) for i in best])
        return hits


def build_ivf_pq(
    source: VectorSource, n_rows: int, dim: int, encoder_id: str, progress: Progress = no_progress
) -> IvfPqIndex:
    """Return a filled index whose lists and candidates a search are measured; a slice is in memory at a time."""
    import faiss

    lists = n_lists(n_rows)
    sample = training_rows(source, n_rows, lists * TRAINING_ROWS_PER_LIST)
    index = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatIP(dim), dim, lists, n_parts(dim), CODE_BITS, faiss.METRIC_INNER_PRODUCT
    )
    train_lists(index)
    index.pq.cp.min_points_per_centroid = 1
    n_centres = 1 << CODE_BITS
    index.train(sample if len(sample) >= n_centres else np.resize(sample, (n_centres, dim)))
    del sample
    fill(index, source, n_rows, progress)
    samples = probe.held_out(source, n_rows)
    chosen = _chosen(index, source, samples.to_choose)
    measured = probe.recall(IvfPqIndex(index, source, encoder_id, chosen), samples.to_state)
    return IvfPqIndex(index, source, encoder_id, Probe(chosen.n_probe, measured, chosen.n_candidates))


def n_parts(dim: int) -> int:
    """Return into how many parts of one length a vector is cut: 128, or the next number below that divides it."""
    return next(n for n in range(min(8 * CODE_BYTES // CODE_BITS, dim), 0, -1) if dim % n == 0)


def _chosen(faiss_index: Any, source: VectorSource, samples: list[probe.HeldOut]) -> Probe:
    """Return the lists and candidates a search with which each of the samples reaches the target."""
    needed = [probe.lists_needed(faiss_index, sample, source) for sample in samples]
    most = min(MOST_CANDIDATES, faiss_index.ntotal)
    n_probe, n_candidates = int(faiss_index.nlist), most
    for share in COVERAGE:
        n_probe = max(probe.least(lists, share, faiss_index.nlist) for lists in needed)

        def candidates(queries: Vectors, n: int, n_probe: int = n_probe) -> Rows:
            rows: Rows = faiss_index.search(queries, n, params=parameters(n_probe, None))[1]
            return rows

        places = [probe.places_needed(candidates, sample, most) for sample in samples]
        n_candidates = max(probe.least(found, TARGET_RECALL, most) for found in places)
        if n_candidates <= most:
            break
    return Probe(n_probe, 0.0, max(min(LEAST_CANDIDATES, most), min(n_candidates, most)))
