"""Directions and angles: what unit norm and cosine mean, said once."""

import numpy as np

from lvm_core.types import Vectors


def unit_rows(vectors: Vectors) -> Vectors:
    """Return `vectors` (..., D) with every row at unit norm; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return scaled
