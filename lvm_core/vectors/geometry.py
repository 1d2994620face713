"""Directions and angles: what unit norm and cosine mean, said once.

`lvm_core.nets.base.unit` is the same scaling for tensors, on whatever device they are.
"""

import numpy as np
from numpy.typing import NDArray

from lvm_core.types import Vectors

Values = NDArray[np.float64]
"""One number a row."""


def unit_rows(vectors: Vectors) -> Vectors:
    """Return `vectors` (..., D) with every row at unit norm, float32 and contiguous; a row of zeros stays zero."""
    wide = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(wide, axis=-1, keepdims=True)
    scaled: Vectors = np.divide(wide, norms, out=np.zeros(wide.shape, dtype=np.float32), where=norms != 0)
    return scaled


def cosine(a: Vectors, b: Vectors) -> Values:
    """Return the cosine (...,) of each row of `a` (..., D) to the same row of `b` (..., D), -1 to 1.

    Leading shapes are broadcast. 0 for a row of zeros, NaN for one that holds NaN.
    """
    cosines: Values = np.einsum("...d,...d->...", unit_rows(a), unit_rows(b), dtype=np.float64)
    return cosines


def follow_similarity(vectors: Vectors) -> NDArray[np.float32]:
    """Return for each of the (N, D) vectors its cosine to the one before, (N,) float32; the first is NaN."""
    similarity = np.full(len(vectors), np.nan, dtype=np.float32)
    if len(vectors) > 1:
        rows = unit_rows(vectors)
        similarity[1:] = np.einsum("nd,nd->n", rows[1:], rows[:-1])
    return similarity


def effective_rank(vectors: Vectors) -> float:
    """Return how many directions the (N, D) vectors spread over: the exponential of the entropy of the
    normalised singular values of the centred matrix (Roy and Vetterli 2007, "The effective rank", section 2).

    A model that collapses to the mean has a far lower rank than its targets. 0 for vectors that are all equal.
    """
    if len(vectors) < 2:
        return 0.0
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    if singular[0] < 1e-5 * np.linalg.norm(vectors):  # what is left is rounding
        return 0.0
    share = singular / singular.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))
