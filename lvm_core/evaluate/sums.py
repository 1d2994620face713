"""Sums by article as JSON: small, and enough to compare any two rows of a board window by window."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lvm_core.metrics.bootstrap import Sums

PAIRED = ("cosine", "recall_at_1", "recall_at_5", "recall_at_10", "mrr")
"""Measures that are kept."""


def to_json(sums: dict[str, Sums], titles: Sequence[str]) -> dict[str, Any]:
    """Return titles, windows by article, and one list of sums a measure of PAIRED."""
    return {
        "titles": list(titles),
        "n": sums["cosine"].count.astype(int).tolist(),
        **{name: [round(float(x), 6) for x in sums[name].total] for name in PAIRED},
    }


def from_json(stored: dict[str, Any], name: str) -> Sums:
    """Return the sums of measure `name` of what `to_json` made."""
    return Sums(np.array(stored[name], dtype=np.float64), np.array(stored["n"], dtype=np.float64))
