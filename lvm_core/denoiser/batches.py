"""Batches of a denoiser's training: texts of like length, some of their word pieces hidden, noise on their vectors.

Every random choice is made from (seed, step) alone, so that an interrupted training goes on bit for bit.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lvm_core.inverter.batches import make_batch, noisy
from lvm_core.inverter.data import TrainingTexts

POOL = 8_192
"""Texts sorted by length together: hardly any padding, and still a different mix each epoch."""

LOOKED_OVER = 0.1
"""Share of the word pieces in sight that are predicted too, half of them after another was put in their place: so the
net learns which of the words that it sees do not belong there."""


@dataclass(frozen=True)
class MaskedBatch:
    """Vectors (B, D), word pieces (B, T) as they are and as the net sees them, lengths (B,), and which count (B, T)."""

    vectors: Tensor
    tokens: Tensor
    seen: Tensor
    lengths: Tensor
    scored: Tensor


def token_batches(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], n_tokens: int, seed: int, first: int
) -> Iterator[NDArray[np.int64]]:
    """Yield `rows` of texts in batches of about `n_tokens` from step `first` on, without end."""
    epoch, step = 0, 0
    while True:
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(rows)
        for start in range(0, len(order), POOL):
            pool = order[start : start + POOL]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            edges = _edges(lengths[pool], n_tokens)
            for k in rng.permutation(len(edges) - 1):
                if step >= first:
                    yield pool[edges[k] : edges[k + 1]]
                step += 1
        epoch += 1


def _edges(lengths: NDArray[np.int64], n_tokens: int) -> list[int]:
    """Return where batches of texts begin that are sorted by `lengths`, and where the last one ends."""
    edges = [0]
    for i, length in enumerate(lengths.tolist()):
        if i > edges[-1] and (i + 1 - edges[-1]) * length > n_tokens:
            edges.append(i)
    return [*edges, len(lengths)]


def masked_batch(
    data: TrainingTexts, places: NDArray[np.int64], mask: int, noise: float, seed: int, share: float | None = None
) -> MaskedBatch:
    """Return the texts at `places` with word pieces hidden.

    Args:
        data: texts with tokens and vectors.
        places: (B,) of the texts.
        mask: the id that hides a word piece.
        noise: largest norm of the noise on the vectors.
        seed: of masks and noise.
        share: of the word pieces that are hidden; None draws one for each text, more often a large one (Chang et al.
            2022, section 3.3: the cosine schedule), and looks over some of those in sight.
    """
    generator = torch.Generator().manual_seed(seed)
    batch = make_batch(data, places, end=0)
    tokens, lengths = batch.tokens[:, :-1], batch.lengths - 1
    is_text = torch.arange(tokens.shape[1]) < lengths[:, None]
    shares = torch.cos(torch.rand(len(tokens), 1, generator=generator) * (math.pi / 2)) if share is None else share
    drawn = torch.rand(tokens.shape, generator=generator).masked_fill(~is_text, 2.0)
    hidden = drawn < shares
    hidden |= drawn == drawn.min(1, keepdim=True).values  # at least one
    seen = tokens.masked_fill(hidden & is_text, mask)
    scored = hidden & is_text
    if share is None:
        looked = torch.rand(tokens.shape, generator=generator)
        in_sight = is_text & ~hidden
        others = tokens[is_text]
        others = others[torch.randint(len(others), tokens.shape, generator=generator)]
        seen = torch.where(in_sight & (looked < LOOKED_OVER / 2), others, seen)
        scored = scored | (in_sight & (looked < LOOKED_OVER))
    vectors = noisy(batch.vectors, noise, generator) if noise else batch.vectors
    return MaskedBatch(vectors, tokens, seen, lengths, scored)
