"""Batches of a training of inverters: vectors with noise and token rows, each batch made from (seed, step) alone.

So a training that was interrupted goes on bit for bit as if it had not been. Noise on the vectors teaches the
decoder to read predictions, which are never quite an embedding of anything (Large Concept Models 2024, section
2.4.3: robustness of the decoder).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lvm_core.inverter.data import TrainingTexts
from lvm_core.inverter.net import END

POOL = 40
"""Batches sorted by length together: little padding, and still a different mix each epoch."""


@dataclass(frozen=True)
class Batch:
    """Vectors (B, D), tokens (B, T) with the end after each text, lengths (B,) including it."""

    vectors: Tensor
    tokens: Tensor
    lengths: Tensor


def noisy(vectors: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Return unit vectors (B, D), half of them moved by noise of a norm up to `noise`."""
    n, dim = vectors.shape
    norm = torch.rand(n, 1, generator=generator) * noise * (torch.rand(n, 1, generator=generator) < 0.5)
    return F.normalize(vectors + torch.randn(n, dim, generator=generator) / dim**0.5 * norm, dim=-1)


def make_batch(data: TrainingTexts, places: NDArray[np.int64], end: int = END) -> Batch:
    """Return the texts at `places` as one batch, each followed by the token `end`."""
    rows = [data.text(int(i)) for i in places]
    lengths = torch.tensor([len(row) + 1 for row in rows])
    tokens = torch.full((len(rows), int(lengths.max())), end)
    for place, row in zip(tokens, rows, strict=True):
        place[: len(row)] = torch.from_numpy(row.astype(np.int64))
    return Batch(data.unit_vectors(places), tokens, lengths)


def length_batches(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], size: int, seed: int, first: int
) -> Iterator[NDArray[np.int64]]:
    """Yield `rows` of texts in batches of like `lengths` from step `first` on, without end."""
    epoch, step = 0, 0
    while True:
        rng = np.random.default_rng([seed, epoch])
        for batch in _epoch(rng.permutation(rows), lengths, size, rng):
            if step >= first:
                yield batch
            step += 1
        epoch += 1


def _epoch(
    order: NDArray[np.int64], lengths: NDArray[np.int64], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size * POOL):
        pool = order[start : start + size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches = [pool[i : i + size] for i in range(0, len(pool), size)]
        for k in rng.permutation(len(batches)):
            yield batches[k]


def rate_share(step: int, total: int, warmup: int, decay: float) -> float:
    """Return the learning rate's share of its highest: rising, flat, falling to zero (Hu et al. 2024, MiniCPM)."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    return rise * min(1.0, (total - step) / max(total * decay, 1))
