"""Training batches: segments of articles as index arrays, gathered from the matrix a block at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lvm_core.nets.base import unit
from lvm_core.types import DocumentInfo, Rows, Vectors, VectorSource

BLOCK_ROWS = 8192
"""Rows gathered from the matrix at once: enough to make the call's own cost small, 12 MB at D = 384."""

UNTOLD = 0.5
"""Share of the chunks to come whose TMD code a net is not told while it trains."""


@dataclass(frozen=True, slots=True)
class Segments:
    """Stretches of consecutive chunks of one article: rows `start` .. `start + n_targets`."""

    start: Rows
    n_targets: Rows


def cut_segments(documents: Sequence[DocumentInfo], length: int, rng: np.random.Generator) -> Segments:
    """Return segments in which each chunk but an article's first is a target exactly once.

    The first segment of an article has 1 to `length` targets by chance, so that over the epochs a chunk is
    predicted from every number of chunks before it.
    """
    phases = rng.integers(1, length + 1, size=len(documents))
    starts, counts = [], []
    for document, phase in zip(documents, phases, strict=True):
        last = document.n_chunks - 1
        if last < 1:
            continue
        edges = np.concatenate([[0], np.arange(min(phase, last), last, length), [last]])
        edges = np.unique(edges)
        starts.append(document.first_row + edges[:-1])
        counts.append(np.diff(edges))
    if not starts:
        return Segments(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    return Segments(np.concatenate(starts).astype(np.int64), np.concatenate(counts).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Batch:
    """`x` (B, T, D) vectors, `y` (B, T, D) the next one at each position, `mask` (B, T) True where y is real.

    `tmd` (B, T, 16) are the TMD vectors of the next ones, zero where none is told; None where none is asked for.
    """

    x: Tensor
    y: Tensor
    mask: Tensor
    tmd: Tensor | None = None


class TrainingSet:
    """Training batches gathered by index; the order of an epoch depends on the seed and the epoch alone."""

    def __init__(
        self,
        vectors: VectorSource,
        documents: Sequence[DocumentInfo],
        length: int,
        batch_size: int,
        seed: int,
        group: int = 1,
        normalise: bool = False,
        tmd: Vectors | None = None,
    ) -> None:
        """Say what to draw from.

        Args:
            vectors: the matrix.
            documents: the training articles.
            length: targets in a segment.
            batch_size: segments in a batch.
            seed: of the order.
            group: so many neighbouring segments stay together in a batch (for same-article negatives).
            normalise: whether rows still have to be brought to unit norm.
            tmd: TMD vector (n_rows, 16) of each row, where the net is to be told of the chunk to come.
        """
        self.vectors, self.length, self.batch_size = vectors, length, batch_size
        self.documents = [d for d in documents if d.n_chunks >= 2]
        self.seed, self.group, self.normalise, self.tmd = seed, group, normalise, tmd
        self.n_windows = sum(d.n_chunks - 1 for d in self.documents)

    def _order(self, epoch: int) -> Segments:
        rng = np.random.default_rng((self.seed, epoch))
        segments = cut_segments(self.documents, self.length, rng)
        groups = rng.permutation(-(-len(segments.start) // self.group))
        order = (groups[:, None] * self.group + np.arange(self.group)).ravel()
        order = order[order < len(segments.start)]
        return Segments(segments.start[order], segments.n_targets[order])

    def n_batches(self, epoch: int) -> int:
        """Return the number of batches in an epoch (it varies a little with the random first segments)."""
        return -(-len(self._order(epoch).start) // self.batch_size)

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of `epoch` from number `first` on, on the CPU."""
        order = self._order(epoch)
        a_block = max(1, BLOCK_ROWS // (self.batch_size * (self.length + 1))) * self.batch_size
        for begin in range(first * self.batch_size, len(order.start), a_block):
            start, counts = order.start[begin : begin + a_block], order.n_targets[begin : begin + a_block]
            rows = start[:, None] + np.minimum(np.arange(self.length + 1), counts[:, None])
            block = self._gather(rows)
            mask = torch.from_numpy(np.arange(self.length) < counts[:, None])
            for k in range(0, len(start), self.batch_size):
                longest = int(counts[k : k + self.batch_size].max())
                part = block[k : k + self.batch_size, : longest + 1]
                told = self._told(rows[k : k + self.batch_size, 1 : longest + 1], (epoch, begin + k))
                yield Batch(part[:, :-1], part[:, 1:], mask[k : k + self.batch_size, :longest], told)

    def _told(self, rows: Rows, place: tuple[int, int]) -> Tensor | None:
        """Return the TMD vectors of the chunks to come, a share `UNTOLD` of them left out by chance."""
        if self.tmd is None:
            return None
        told = np.random.default_rng((self.seed, *place)).random(rows.shape) >= UNTOLD
        return torch.from_numpy(self.tmd[rows] * told[..., None].astype(np.float32))

    def _gather(self, rows: Rows) -> Tensor:
        block = torch.from_numpy(self.vectors.rows(rows.ravel())).view(*rows.shape, -1)
        return unit(block) if self.normalise else block
