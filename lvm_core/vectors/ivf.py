"""Inverted lists (IVF_FLAT): a search looks into the lists nearest to the query, as many as a measured recall needs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lvm_core.types import Hit, Progress, Rows, Vectors, VectorSource, no_progress
from lvm_core.vectors import probe
from lvm_core.vectors.checks import Search, check_search
from lvm_core.vectors.flat import all_but, hits_of
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.probe import SLICE, Probe

TRAINING_ROWS_PER_LIST = 40

TARGET_RECALL = 0.99
"""Share of the true nearest chunks that a search finds on the queries by which the number of lists is chosen."""

ROWS_PER_HIT = 4
"""A search looks at this many rows a hit at least, so that a large k is not answered from a few lists."""


class InvertedLists:
    """What indexes of inverted lists share: the faiss.IndexIVF, and how many lists a search looks into."""

    def __init__(self, faiss_index: Any, encoder_id: str, probe: Probe) -> None:
        """Wrap a faiss.IndexIVF of inner products over unit vectors."""
        self.encoder_id = encoder_id
        self.probe = probe
        self.faiss_index = faiss_index

    @property
    def dim(self) -> int:
        return int(self.faiss_index.d)

    @property
    def n_rows(self) -> int:
        return int(self.faiss_index.ntotal)

    @property
    def n_lists(self) -> int:
        return int(self.faiss_index.nlist)


class IvfIndex(InvertedLists):
    """Search in the inverted lists nearest to the query."""

    kind = "ivf"

    def search(self, queries: Vectors, k: int, exclude: Rows | None = None) -> list[list[Hit]]:
        """Return for each of the (Q, D) queries the k hits that there are, best first, none of them in `exclude`.

        Where the lists hold fewer, more lists are looked into, all of them in the end.

        Raises:
            EncoderError: if the queries are not of the index's dimension.
            CorpusError: if k is below 1.
        """
        search = check_search(queries, k, exclude, self)
        selector = all_but(search.exclude)

        def ask(some: Vectors, n_probe: int) -> list[list[Hit]]:
            return hits_of(self.faiss_index, some, search.k, parameters(n_probe, selector))

        return in_full(search, self.faiss_index, self.probe, ask)


def in_full(
    search: Search, faiss_index: Any, probe: Probe, ask: Callable[[Vectors, int], list[list[Hit]]]
) -> list[list[Hit]]:
    """Return the hits of `ask` (queries, lists to look into), asked again with more lists where there were too few.

    More lists are looked into from the start where k is large or most rows are excluded.
    """
    hits: list[list[Hit]] = [[] for _ in search.queries]
    if search.k < 1:
        return hits
    n_lists = int(faiss_index.nlist)
    rows_left_per_list = (faiss_index.ntotal - len(search.exclude)) / n_lists
    n_probe = min(n_lists, max(probe.n_probe, int(np.ceil(ROWS_PER_HIT * search.k / rows_left_per_list))))
    short = np.arange(len(hits))
    while short.size:
        for i, answer in zip(short, ask(search.queries[short], n_probe), strict=True):
            hits[i] = answer
        if n_probe >= n_lists:
            break
        short = np.array([i for i in short if len(hits[i]) < search.k], dtype=np.int64)
        n_probe = min(4 * n_probe, n_lists)
    return hits


def n_lists(n_rows: int) -> int:
    """Return how many inverted lists a corpus has: 512 from 20,000 chunks, doubling with the corpus fourfold."""
    wanted = max(1, int(4 * np.sqrt(n_rows)))
    return max(1, min(1 << (wanted.bit_length() - 1), n_rows))


def build_ivf(
    source: VectorSource, n_rows: int, dim: int, encoder_id: str, progress: Progress = no_progress
) -> IvfIndex:
    """Return a filled index whose number of lists a search is measured; a slice is in memory at a time."""
    import faiss

    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, n_lists(n_rows), faiss.METRIC_INNER_PRODUCT)
    train_lists(index)
    index.train(training_rows(source, n_rows, index.nlist * TRAINING_ROWS_PER_LIST))
    fill(index, source, n_rows, progress)
    samples = probe.held_out(source, n_rows)
    needed = [probe.lists_needed(index, sample, source) for sample in samples.to_choose]
    n_probe = max(probe.least(lists, TARGET_RECALL, index.nlist) for lists in needed)
    measured = probe.recall(IvfIndex(index, encoder_id, Probe(n_probe, 0)), samples.to_state)
    return IvfIndex(index, encoder_id, Probe(n_probe, measured))


def train_lists(faiss_index: Any) -> None:
    """Have the centres of an index's lists trained on few rows each, as directions."""
    faiss_index.cp.min_points_per_centroid = 1
    faiss_index.cp.spherical = True


def training_rows(source: VectorSource, n_rows: int, n_wanted: int) -> Vectors:
    """Return about `n_wanted` unit rows (n, D), evenly drawn, where it can be none that the measure asks for."""
    drawn = np.arange(0, n_rows, max(1, n_rows // n_wanted), dtype=np.int64)
    others = np.setdiff1d(drawn, probe.query_rows(n_rows))
    chosen = others if 2 * len(others) >= len(drawn) else drawn
    first = unit_rows(source.rows(chosen[:SLICE]))
    rows = np.empty((len(chosen), first.shape[1]), dtype=np.float32)
    rows[: len(first)] = first
    for start in range(SLICE, len(chosen), SLICE):
        rows[start : start + SLICE] = unit_rows(source.rows(chosen[start : start + SLICE]))
    return rows


def fill(faiss_index: Any, source: VectorSource, n_rows: int, progress: Progress = no_progress) -> None:
    """Add every row, as a unit vector, in blocks."""
    for start in range(0, n_rows, SLICE):
        faiss_index.add(unit_rows(source.slice(start, min(start + SLICE, n_rows))))
        progress(min(start + SLICE, n_rows) / n_rows, f"{min(start + SLICE, n_rows):,} of {n_rows:,} vectors in lists")


def parameters(n_probe: int, selector: Any) -> Any:
    """Return the parameters of a search in `n_probe` lists, of the rows that `selector` takes."""
    import faiss

    make: Any = faiss.SearchParametersIVF
    return make(nprobe=n_probe, sel=selector)
