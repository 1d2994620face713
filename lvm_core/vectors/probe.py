"""How far a search in inverted lists must look: measured on queries held out of the corpus, against exact search."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.types import Index, Rows, Vectors, VectorSource
from lvm_core.vectors.geometry import unit_rows

K = 16
"""Neighbours of each query: the snap's default."""

N_QUERIES, CONTEXT = 256, 5
"""Places that queries are taken from; one is a chunk, one the mean of so many in a row, which a prediction is like."""

MARGIN = 100
"""Rows on either side of a query that count as its own article, and so neither as neighbours nor as hits."""

SLICE = 16_384
"""Rows in memory at a time."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How far each search looks, and the share of the true neighbours that this found on held-out queries.

    `n_probe` lists are looked into; of their rows the `n_candidates` nearest by their codes are compared by their
    vectors, all of them where it is 0.
    """

    n_probe: int
    recall: float
    n_candidates: int = 0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Unit queries (Q, D), the rows (low, high) that are each one's own, and its true neighbours among the others."""

    queries: Vectors
    own: list[tuple[int, int]]
    truth: list[Rows]

    @property
    def most_own(self) -> int:
        """The most rows that a query has to leave out."""
        return max((high - low for low, high in self.own), default=0)

    def others(self, number: int, rows: Rows) -> Rows:
        """Return `rows`, found for a query, without places that were not filled and without its own rows."""
        low, high = self.own[number]
        kept: Rows = rows[(rows >= 0) & ((rows < low) | (rows >= high))]
        return kept


@dataclass(frozen=True, slots=True)
class Samples:
    """Queries to choose by and others to state the recall by, chunks and means of chunks apart in both."""

    to_choose: list[HeldOut]
    to_state: list[HeldOut]


def _starts(n_rows: int) -> list[int]:
    return [int(start) for start in np.unique(np.linspace(0, max(n_rows - CONTEXT, 0), N_QUERIES).astype(np.int64))]


def query_rows(n_rows: int) -> Rows:
    """Return the rows that the queries of `held_out` are made of: lists must not be trained on them."""
    windows = np.array(_starts(n_rows), dtype=np.int64)[:, None] + np.arange(CONTEXT)
    rows: Rows = np.unique(np.minimum(windows, n_rows - 1))
    return rows


def held_out(source: VectorSource, n_rows: int) -> Samples:
    """Return queries out of a corpus of `n_rows`, with their true neighbours by exact search."""
    margin, starts = min(MARGIN, n_rows // 50), _starts(n_rows)
    windows = [unit_rows(source.slice(start, min(start + CONTEXT, n_rows))) for start in starts]
    own = [(max(start - margin, 0), start + CONTEXT + margin) for start in starts]
    chunks, means = (np.stack([rows[len(rows) // 2] for rows in windows]), [rows.mean(axis=0) for rows in windows])
    queries = np.concatenate([chunks, unit_rows(np.stack(means))])
    found = nearest(queries, source, n_rows, min(K + CONTEXT + 2 * margin, n_rows))
    samples = Samples([], [])
    for number in range(4):
        kind, part = number // 2, slice(number % 2, None, 2)
        mine = slice(kind * len(own), (kind + 1) * len(own))
        sample = HeldOut(queries[mine][part], own[part], [])
        sample.truth.extend(sample.others(i, rows)[:K] for i, rows in enumerate(found[mine][part]))
        (samples.to_state if number % 2 else samples.to_choose).append(sample)
    return samples


def nearest(queries: Vectors, source: VectorSource, n_rows: int, k: int) -> Rows:
    """Return the k rows (Q, k) nearest to each of the unit queries (Q, D), best first; a slice is held at a time."""
    import faiss

    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    rows = np.full((len(queries), k), -1, dtype=np.int64)
    for start in range(0, n_rows, SLICE):
        block = unit_rows(source.slice(start, min(start + SLICE, n_rows)))
        more, places = faiss.knn(queries, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
        scores = np.concatenate([scores, more], axis=1)
        rows = np.concatenate([rows, places + start], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores, rows = np.take_along_axis(scores, best, axis=1), np.take_along_axis(rows, best, axis=1)
    return rows


def lists_needed(faiss_index: Any, sample: HeldOut, source: VectorSource) -> NDArray[np.int64]:
    """Return for every true neighbour of a sample how many lists must be looked into to meet it, ascending."""
    n_lists = int(faiss_index.nlist)
    _, order = faiss_index.quantizer.search(sample.queries, n_lists)  # (Q, lists), the nearest first
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(n_lists), order.shape), axis=1)
    rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *sample.truth]))
    home = faiss_index.quantizer.assign(unit_rows(source.rows(rows)), 1)[:, 0] if len(rows) else rows
    needed = [place[i, home[np.searchsorted(rows, truth)]] + 1 for i, truth in enumerate(sample.truth)]
    return np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *needed]))


def places_needed(search: Callable[[Vectors, int], Rows], sample: HeldOut, most: int) -> NDArray[np.int64]:
    """Return for every true neighbour how many candidates must be compared to meet it, ascending; `most` + 1: not met.

    Args:
        search: gives the rows (Q, n) of the n candidates of queries (Q, D), the best first.
        sample: the queries.
        most: candidates asked for.
    """
    found = search(sample.queries, most + sample.most_own)
    needed = [np.zeros(0, dtype=np.int64)]
    for number, truth in enumerate(sample.truth):
        at = {row: place + 1 for place, row in enumerate(sample.others(number, found[number])[:most].tolist())}
        needed.append(np.array([at.get(row, most + 1) for row in truth.tolist()], dtype=np.int64))
    return np.sort(np.concatenate(needed))


def least(needed: NDArray[np.int64], share: float, otherwise: int) -> int:
    """Return the least number that is enough for `share` of what `needed` (N,), ascending, asks for."""
    if not len(needed):
        return otherwise
    return int(needed[min(len(needed), int(np.ceil(share * len(needed)))) - 1])


def recall(index: Index, samples: list[HeldOut]) -> float:
    """Return the share of the true neighbours that searches of `index` find, each without the query's own rows."""
    n_found = n_true = 0
    for sample in samples:
        for query, (low, high), truth in zip(sample.queries, sample.own, sample.truth, strict=True):
            hits = index.search(query[None], K, exclude=np.arange(low, high, dtype=np.int64))[0]
            n_found += len({hit.row for hit in hits} & set(truth.tolist()))
            n_true += len(truth)
    return round(n_found / n_true, 4) if n_true else 1.0
