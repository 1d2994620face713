"""When bfloat16 serves: the hardware is quick at it and the vectors stay in the same space."""

from typing import TYPE_CHECKING

import numpy as np

from lvm_core.device import has_fast_bf16
from lvm_core.types import Vectors

if TYPE_CHECKING:
    import torch

FAITHFUL_COSINE = 0.998
"""At or above this cosine to the fp32 vector, a bfloat16 vector counts as the same space."""

PROBES = [
    "The Moon is Earth's only natural satellite.",
    "In 1905 he published four papers, on the photoelectric effect, Brownian motion, special relativity and energy.",
    "gravity",
    "Its population was 3,645,218 at the census, and the city's port handled 40 % of the country's trade that year.",
]


def quick_at_bf16(device: "torch.device") -> bool:
    """Return whether the device multiplies bfloat16 natively."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and has_fast_bf16()


def cosines(a: Vectors, b: Vectors) -> Vectors:
    """Return the cosine (N,) of each row of `a` (N, D) to the same row of `b` (N, D)."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: Vectors = (a * b).sum(axis=1) / np.maximum(norms, 1e-12)
    return found
