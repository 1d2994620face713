"""Whether the true next chunk can be found again from its prediction."""

import numpy as np
from numpy.typing import NDArray

from lvm_core.types import Rows, Vectors
from lvm_core.vectors.geometry import Values, unit_rows

BLOCK = 512
"""Queries scored at once: bounds memory at BLOCK x index size x 4 bytes."""


def target_ranks(
    predictions: Vectors, index: Vectors, targets: Rows, excluded: Rows | None = None, block: int = BLOCK
) -> Values:
    """Return the rank (N,) of each target among all rows of a fixed index by cosine, 1 for the best.

    Equal scores share their middle rank, so that a predictor that says the same of everything is placed in the
    middle and not at the top. A prediction that is not finite takes the last rank.

    Args:
        predictions: (N, D).
        index: (M, D) unit norm: the fixed set in which is searched.
        targets: (N,) row of each target in `index`.
        excluded: (N, E) rows of `index` that are no candidates (the context); -1 for none.
        block: queries scored at once.

    Raises:
        ValueError: if a target is among its excluded rows.
    """
    if excluded is not None and (excluded == targets[:, None]).any():
        raise ValueError("A target is among its own excluded rows: windows and exclusions do not belong together.")
    ranks = np.empty(len(predictions))
    for start in range(0, len(predictions), block):
        part = slice(start, start + block)
        left_out = None if excluded is None else excluded[part]
        ranks[part] = _block_ranks(unit_rows(predictions[part]), index, targets[part], left_out)
    return ranks


def _block_ranks(queries: Vectors, index: Vectors, targets: Rows, excluded: Rows | None) -> Values:
    scores = queries @ index.T
    here = np.arange(len(queries))
    truth = scores[here, targets]
    if excluded is not None:
        line, column = np.nonzero(excluded >= 0)
        scores[line, excluded[line, column]] = -np.inf
    above = (scores > truth[:, None]).sum(axis=1)
    level = (scores == truth[:, None]).sum(axis=1) - 1
    ranks = 1 + above + level / 2
    return np.where(np.isfinite(truth), ranks, float(len(index)))


def recall_at(ranks: Values, k: int) -> Values:
    """Return (N,) 1 where the target is among the best k, else 0; the mean is Recall@k, a fraction of 1."""
    return (ranks <= k).astype(np.float64)


def reciprocal_rank(ranks: Values) -> Values:
    """Return (N,) 1 / rank; the mean is MRR, 0 to 1 (Voorhees 1999, TREC-8 question answering track)."""
    return 1.0 / ranks


def contrastive_accuracy(
    predictions: Vectors, targets: Vectors, rows: Rows, batch_size: int = 256, seed: int = 0
) -> Values:
    """Return (N,) the share of its batch's targets that are farther from a prediction than the truth is, 0 to 1.

    Large concept models (Barrault et al. 2024, arXiv:2412.08821), section 2.4.1: L2 distance, the truth and its
    two neighbouring sentences left out of the comparison. Batches are drawn once by `seed`, so that every model
    meets the same rivals. Chance is .5; ties count half; a window whose batch holds no rival is NaN.

    Args:
        predictions: (N, D).
        targets: (N, D).
        rows: (N,) corpus row of each target: neighbours differ by 1.
        batch_size: targets compared with each other.
        seed: of the draw.
    """
    n = len(predictions)
    accuracy = np.full(n, np.nan)
    order = np.random.default_rng(seed).permutation(n)
    for batch in np.array_split(order, max(1, n // batch_size)) if n else []:
        accuracy[batch] = _batch_accuracy(predictions[batch], targets[batch], rows[batch])
    return accuracy


def _batch_accuracy(predictions: Vectors, targets: Vectors, rows: Rows) -> Values:
    # |p - t|^2 less |p|^2, which is the same for every rival
    heads, truths = predictions.astype(np.float64), targets.astype(np.float64)
    far: NDArray[np.float64] = (truths * truths).sum(axis=1)[None, :] - 2 * heads @ truths.T
    truth = np.diagonal(far)[:, None]
    rival = np.abs(rows[:, None] - rows[None, :]) > 1
    won = ((far > truth) + 0.5 * (far == truth)) * rival
    count = rival.sum(axis=1)
    share: Values = np.divide(won.sum(axis=1), count, out=np.full(len(rows), np.nan), where=count > 0)
    return share
