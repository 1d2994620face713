"""How near predictions are to what came next, and whether they look ahead or back."""

import numpy as np
from numpy.typing import NDArray

from lvm_core.types import Rows, Vectors
from lvm_core.vectors.geometry import Values, cosine, unit_rows


def squared_error(predictions: Vectors, targets: Vectors) -> Values:
    """Return the mean squared error (N,) over the D components; for unit vectors 2 (1 - cosine) / D.

    The seeds' training loss; D is in it, so encoders of different widths do not compare.
    """
    difference = np.asarray(predictions, dtype=np.float64) - np.asarray(targets, dtype=np.float64)
    squares: Values = np.mean(difference * difference, axis=-1)
    return squares


def nearer(predictions: Vectors, ahead: Vectors, behind: Vectors, seen: NDArray[np.bool_] | None = None) -> Values:
    """Return (N,) 1 where a prediction is nearer to `ahead` than to `behind` (both (N, D)), 0 where not, .5 on a tie.

    As *direction* of FACTS: `ahead` is the next chunk, `behind` the one just before the context, which is as far
    from the context's middle. Chance, and any rule that is blind to order, is at .5. Windows that are not `seen`
    (nothing stands before their context) are NaN.
    """
    gap = cosine(predictions, ahead) - cosine(predictions, behind)
    share = np.where(gap > 0, 1.0, np.where(gap < 0, 0.0, 0.5))
    return share if seen is None else np.where(seen, share, np.nan)


def matched_rivals(
    context_mean: Vectors, targets: Rows, article: Vectors, excluded: NDArray[np.bool_], n_rivals: int = 4
) -> Rows:
    """Return (N, n_rivals) rows of the article that are as far from the context as the next chunk is; -1 where too few.

    A prediction that only stays near its context cannot tell these rivals from the truth, so *direction against
    matched rivals* asks for what the context's position alone does not give.

    Args:
        context_mean: (N, D) mean of each window's context.
        targets: (N,) row of the next chunk within `article`.
        article: (M, D) all chunks of the article, unit norm.
        excluded: (N, M) True for chunks that may not be rivals (the context; the target is left out anyway).
        n_rivals: how many to take, nearest in cosine to the context mean first.
    """
    scores = unit_rows(context_mean) @ article.T
    here = np.arange(len(targets))
    gap = np.abs(scores - scores[here, targets][:, None]).astype(np.float64)
    gap[excluded] = np.inf
    gap[here, targets] = np.inf
    order = np.argsort(gap, axis=1, kind="stable")[:, :n_rivals].astype(np.int64)
    order[~np.isfinite(np.take_along_axis(gap, order, axis=1))] = -1
    missing = n_rivals - order.shape[1]
    return np.pad(order, ((0, 0), (0, missing)), constant_values=-1) if missing > 0 else order


def nearer_than_rivals(predictions: Vectors, targets: Vectors, pool: Vectors, rivals: Rows) -> Values:
    """Return (N,) the share of each window's rivals that are farther from the prediction than the target is.

    Ties count half; a window without rivals is NaN. Chance is .5.

    Args:
        predictions: (N, D).
        targets: (N, D).
        pool: (M, D) unit norm; `rivals` are rows of it.
        rivals: (N, R) rows, -1 for none.
    """
    heads = unit_rows(predictions)
    truth = cosine(predictions, targets)
    total, count = np.zeros(len(heads)), np.zeros(len(heads))
    for column in range(rivals.shape[1]):
        present = rivals[:, column] >= 0
        theirs = cosine(heads, pool[np.where(present, rivals[:, column], 0)])
        won = np.where(truth > theirs, 1.0, np.where(truth < theirs, 0.0, 0.5))
        total += np.where(present, won, 0.0)
        count += present
    shares: Values = np.divide(total, count, out=np.full(len(heads), np.nan), where=count > 0)
    return shares


def coherence(vectors: Vectors, first_rows: Rows, n_chunks: Rows) -> float:
    """Return the mean cosine of adjacent chunks within articles, 0 for none.

    Sequences whose neighbours are no nearer than strangers cannot be predicted by anything; a corpus far below
    the one a model was trained on is a broken pairing, not a hard test.
    """
    total, count = 0.0, 0
    for first, n in zip(first_rows.tolist(), n_chunks.tolist(), strict=True):
        if n > 1:
            article = np.asarray(vectors[first : first + n], dtype=np.float32)
            total += float(cosine(article[1:], article[:-1]).sum())
            count += n - 1
    return total / count if count else 0.0
