"""Windows put together again: each is a few consecutive chunks, and windows that overlap come of one text.

It does not matter in which order windows come, how far they are apart, or whether some are missing: a window goes on
where its beginning is the end of another, longest overlaps first, as a genome is put together of reads.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
MIX = np.uint64(0x9E3779B97F4A7C15)
"""Odd, and without a pattern: the golden ratio of 64 bits."""

Segment = tuple[int, int]
"""A window, and its first chunk that no earlier window of the run brought."""


def chunk_keys(vectors: NDArray[Any]) -> Keys:
    """Return a number for each vector (..., D); equal vectors, rounded to float16, have equal ones (...,)."""
    weights = np.random.default_rng(0).integers(1, 1 << 63, vectors.shape[-1], dtype=np.uint64) | np.uint64(1)
    with np.errstate(over="ignore", invalid="ignore"):
        bits = np.ascontiguousarray(vectors.astype(np.float16) + np.float16(0)).view(np.uint16)
    keys: Keys = bits.astype(np.uint64) @ weights
    return keys


class Assembly:
    """Windows (N, L) of chunk keys being joined to runs; windows of two documents never are."""

    def __init__(self, keys: Keys, documents: NDArray[np.int64], order: NDArray[np.int64]) -> None:
        """Take the keys (N, L), the document of each window (N,), and the order (N,) in which windows are preferred."""
        self._length = keys.shape[1]
        self._keys = keys
        self._document_keys = (documents.astype(np.uint64) + np.uint64(1)) * MIX
        self._rank = {window: rank for rank, window in enumerate(order.tolist())}
        self._next: dict[int, Segment] = {}
        self._end_of: dict[int, int] = {}
        self.n_repeated = 0
        self._join_neighbours(order)
        self._drop_repeats()

    def _ngram(self, windows: NDArray[np.int64], start: int, stop: int) -> Keys:
        """Return one number for the chunks `start` to before `stop` of each of the windows."""
        numbers: Keys = self._document_keys[windows]
        with np.errstate(over="ignore"):
            for column in range(start, stop):
                numbers = numbers * MIX + self._keys[windows, column]
        return numbers

    def _join_neighbours(self, order: NDArray[np.int64]) -> None:
        """Join windows that slide by one as they come, so that texts stored in order stay as they are."""
        slides = self._ngram(order[:-1], 1, self._length) == self._ngram(order[1:], 0, self._length - 1)
        if self._length == 1:
            slides[:] = False
        starts = np.flatnonzero(np.append([True], ~slides)[: len(order)])
        for first, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
            run = order[first:stop].tolist()
            self._end_of[run[0]] = run[-1]
            self._next.update((before, (after, self._length - 1)) for before, after in pairwise(run))

    def _drop_repeats(self) -> None:
        """Leave out single windows that say what another says."""
        windows = np.fromiter(self._rank, dtype=np.int64)
        number_of = dict(zip(windows.tolist(), self._ngram(windows, 0, self._length).tolist(), strict=True))
        counts = Counter(number_of.values())
        for window in [start for start, end in self._end_of.items() if start == end]:
            if counts[number_of[window]] > 1:
                counts[number_of[window]] -= 1
                self.n_repeated += 1
                del self._end_of[window]

    def runs(self) -> Iterator[list[Segment]]:
        """Yield each run as the windows that it is made of."""
        for overlap in range(self._length - 1, 0, -1):
            self._join(overlap)
        for start in self._end_of:
            run = [(start, 0)]
            while run[-1][0] in self._next:
                run.append(self._next[run[-1][0]])
            yield run

    def _join(self, overlap: int) -> None:
        """Join each run to the one that begins with the `overlap` chunks that it ends with."""
        starts = np.fromiter(self._end_of.keys(), dtype=np.int64)
        ends = np.fromiter(self._end_of.values(), dtype=np.int64)
        heads: dict[int, list[int]] = defaultdict(list)
        for start, number in zip(starts.tolist(), self._ngram(starts, 0, overlap).tolist(), strict=True):
            heads[number].append(start)
        tails = self._ngram(ends, self._length - overlap, self._length).tolist()
        first_of = dict(zip(ends.tolist(), starts.tolist(), strict=True))
        for end, number in zip(ends.tolist(), tails, strict=True):
            start = self._follower(end, heads.get(number, ()), overlap, first_of[end])
            if start is None:
                continue
            heads[number].remove(start)
            self._next[end] = (start, overlap)
            last, first = self._end_of.pop(start), first_of[end]
            self._end_of[first], first_of[last] = last, first

    def _follower(self, end: int, candidates: Sequence[int], overlap: int, first: int) -> int | None:
        """Return the run that follows: the next window if it is one of the candidates, else one that is sure enough.

        A few chunks may stand in several places of a text; a whole window of them seldom does.
        """
        candidates = [start for start in candidates if start != first and start != end]
        adjacent = next((start for start in candidates if self._rank[start] == self._rank[end] + 1), None)
        if adjacent is not None or not candidates:
            return adjacent
        if overlap == self._length - 1:
            return candidates[0]
        return candidates[0] if overlap > 1 and len(candidates) == 1 else None


def grown_chains(rows: Sequence[tuple[int, ...]]) -> list[int]:
    """Return which rows of chunk keys are the beginning of no other row: chains are often stored as they grow."""
    beginnings = {row[:length] for row in rows for length in range(1, len(row))}
    seen: set[tuple[int, ...]] = set()
    longest = []
    for number, row in enumerate(rows):
        if row not in beginnings and row not in seen:
            seen.add(row)
            longest.append(number)
    return longest
