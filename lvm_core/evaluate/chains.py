"""How well the next vector of short sequences of unequal length is predicted: padded, masked, every prefix counts.

The error is the mean squared error a dimension, as `torch.nn.functional.mse_loss` gives it. For unit vectors it is
(2 - 2 cosine) / D, and so below 4 / D whatever a model says: read it beside the baselines, never by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core import forecast
from lvm_core.nets.base import SequenceModel
from lvm_core.types import DocumentInfo, VectorSource


@dataclass(frozen=True, slots=True)
class Score:
    """Means over `n` predicted vectors: squared error a dimension, and cosine."""

    n: int
    mse: float
    cosine: float


def score_chains(
    model: SequenceModel, vectors: VectorSource, chains: Sequence[DocumentInfo], rows: frozenset[int] | None = None
) -> Score:
    """Return the scores of `model` on each next vector of `chains`, predicted from all that comes before it.

    Args:
        model: any net or baseline.
        vectors: the matrix that the chains lie in.
        chains: the sequences; those of one vector have nothing to predict.
        rows: where given, only targets at these rows count.
    """
    squares = cosines = 0.0
    count = 0
    for part in forecast.over_articles(model, vectors, chains):
        mask = part.mask if rows is None else part.mask & np.isin(part.rows, np.fromiter(rows, np.int64, len(rows)))
        predictions, truths = part.forecast.vectors[mask], part.truths[mask]
        squares += float(((predictions - truths) ** 2).mean(-1).sum())
        cosines += float((predictions * truths).sum(-1).sum())
        count += int(mask.sum())
    return Score(count, squares / max(count, 1), cosines / max(count, 1))


def unseen_rows(
    texts: Sequence[str], train: Sequence[DocumentInfo], held_out: Sequence[DocumentInfo]
) -> frozenset[int]:
    """Return the rows of `held_out` whose step, from the text before to their own, no training chain makes.

    Chains of a taxonomy meet: most steps near its root are in the training chains as well, whatever the split.
    """

    def steps(chain: DocumentInfo) -> list[tuple[tuple[str, str], int]]:
        span = range(chain.first_row + 1, chain.first_row + chain.n_chunks)
        return [((texts[row - 1], texts[row]), row) for row in span]

    trained = {step for chain in train for step, _ in steps(chain)}
    return frozenset(row for chain in held_out for step, row in steps(chain) if step not in trained)
