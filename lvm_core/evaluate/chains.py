"""How well the next vector of short sequences of unequal length is predicted: padded, masked, every prefix counts.

The error is the mean squared error a dimension, as `torch.nn.functional.mse_loss` gives it. For unit vectors it is
(2 - 2 cosine) / D, and so below 4 / D whatever a model says: read it beside the baselines, never by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lvm_core.nets.base import SequenceModel, unit
from lvm_core.types import DocumentInfo, VectorSource

CHAINS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Score:
    """Means over `n` predicted vectors: squared error a dimension, and cosine."""

    n: int
    mse: float
    cosine: float


@torch.inference_mode()
def score_chains(
    model: SequenceModel, vectors: VectorSource, chains: Sequence[DocumentInfo], rows: frozenset[int] | None = None
) -> Score:
    """Return the scores of `model` on each next vector of `chains`, predicted from all that comes before it.

    Args:
        model: in evaluation mode, on the CPU.
        vectors: the matrix that the chains lie in.
        chains: sequences of at least two vectors; they are padded on the right and masked.
        rows: where given, only targets at these rows count.
    """
    squares = cosines = 0.0
    count = 0
    longest_first = sorted((c for c in chains if c.n_chunks >= 2), key=lambda c: -c.n_chunks)
    for k in range(0, len(longest_first), CHAINS_AT_ONCE):
        x, y, mask = _padded(vectors, longest_first[k : k + CHAINS_AT_ONCE], rows)
        said = model(x).float()
        squares += float(((said - y) ** 2).mean(-1)[mask].sum())
        cosines += float((said * y).sum(-1)[mask].sum())
        count += int(mask.sum())
    return Score(count, squares / max(count, 1), cosines / max(count, 1))


def _padded(
    vectors: VectorSource, chains: Sequence[DocumentInfo], rows: frozenset[int] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the vectors but the last (B, T, D), those after each (B, T, D), and which of these count (B, T)."""
    sizes = np.array([c.n_chunks for c in chains], dtype=np.int64)
    first = np.array([c.first_row for c in chains], dtype=np.int64)
    place = np.arange(sizes.max())
    wanted = first[:, None] + np.minimum(place, sizes[:, None] - 1)
    block = unit(torch.from_numpy(vectors.rows(wanted.ravel()))).view(*wanted.shape, -1)
    mask = place[1:] < sizes[:, None]
    if rows is not None:
        mask &= np.isin(wanted[:, 1:], np.fromiter(rows, dtype=np.int64, count=len(rows)))
    return block[:, :-1], block[:, 1:], torch.from_numpy(mask)


def unseen_rows(
    texts: Sequence[str], train: Sequence[DocumentInfo], held_out: Sequence[DocumentInfo]
) -> frozenset[int]:
    """Return the rows of `held_out` whose step, from the text before to their own, no training chain makes.

    Chains of a taxonomy meet: most steps near its root are in the training chains as well, whatever the split.
    """

    def steps(chain: DocumentInfo) -> list[tuple[tuple[str, str], int]]:
        span = range(chain.first_row + 1, chain.first_row + chain.n_chunks)
        return [((texts[row - 1], texts[row]), row) for row in span]

    known = {step for chain in train for step, _ in steps(chain)}
    return frozenset(row for chain in held_out for step, row in steps(chain) if step not in known)
