"""Every choice of a training on concept chains."""

from dataclasses import dataclass

from lvm_core.config import setting
from lvm_core.json_shapes import Value

BEST, BUILT_IN = "all-mpnet-base-v2+tmd", "all-MiniLM-L6-v2+tmd"
"""Encoders of concepts, the better one first."""


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Which chains, and which net on them."""

    n: int = setting(2000, "make, train: how many chains", "chains", 1, 1_000_000)
    seed: int = setting(0, "which chains, and which weights a net begins with", low=0)
    encoder: str = setting(
        "",
        "train: encoder of the concepts; +tmd behind a name adds the 16 dimensions of domain, task and modifier;"
        f" empty: {BEST} where it is installed, else {BUILT_IN}",
    )
    model: str = setting("latent-mamba", "train: the net")
    epochs: int = setting(20, "train: passes over the training chains", "", 1, 10_000)
    plain: bool = setting(False, "train: the net alone, not on top of the linear filter")
    options: dict[str, Value] = setting({}, "train: an option of the net", flag="option")  # noqa: RUF009 - it is a field
