"""Vectors as requests hold them: lists of numbers, which may be anything."""

from collections.abc import Sequence

import numpy as np

from lvm_core.errors import DecoderError
from lvm_core.types import Vectors
from lvm_core.vectors.checks import check_vectors


def as_vectors(rows: Sequence[Sequence[float]], dim: int, what: str) -> Vectors:
    """Return lists of numbers as (N, D) float32.

    Raises:
        DecoderError: for a row of another length than `dim`, NaN, infinity, or a vector of zeros.
    """
    for i, row in enumerate(rows):
        if len(row) != dim:
            raise DecoderError(
                f"{what} have {len(row):,} numbers in row {i}",
                f"{dim}: vectors of the encoder that this belongs to",
                "Encode the texts with that one.",
            )
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is refused as such
        return check_vectors(np.array(rows, dtype=np.float64).astype(np.float32), dim, what)
