"""When bfloat16 serves: the hardware is quick at it and the vectors stay in the same space."""

from typing import TYPE_CHECKING

from lvm_core.device import has_fast_bf16

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
