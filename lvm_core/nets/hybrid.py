"""Hybrid: Mamba-2 layers with attention among them."""

from dataclasses import dataclass

from torch import nn

from lvm_core.config import setting
from lvm_core.errors import SettingsError
from lvm_core.nets.attention import RotaryAttention
from lvm_core.nets.mamba2 import Mamba2Options, head_width, mamba2_layer
from lvm_core.nets.stack import Residual, RmsNorm, Stack


@dataclass
class HybridOptions(Mamba2Options):
    """Sizes of the hybrid."""

    every: int = setting(6, "each so many layers the last one is attention", unit="layers", low=2, high=64)
    n_heads: int = setting(6, "attention heads; must divide d_model into even widths", low=1, high=128)


class Hybrid(Stack):
    """Five layers of Mamba-2, one of attention, and so on (Lieber et al. 2024, "Jamba", section 2.1).

    Positions are told to the attention only, by rotation: the state space knows them already (Glorioso et al. 2024).
    """

    name = "hybrid"
    Options = HybridOptions

    def __init__(self, dim: int, options: HybridOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if heads do not divide the widths.
        """
        width = options.d_model or dim
        d_head = head_width(width * options.expand, options.d_head)
        check_heads(width, options.n_heads)
        layers: list[nn.Module] = []
        for number in range(1, options.n_layers + 1):
            if number % options.every:
                layers.append(mamba2_layer(width, options, d_head))
            else:
                layers.append(Residual(RmsNorm(width), RotaryAttention(width, options.n_heads), options.dropout))
        super().__init__(dim, options, width, layers, RmsNorm(width), options.tmd)


def check_heads(width: int, n_heads: int) -> None:
    """Check that `n_heads` cut `width` into even widths, which rotation needs.

    Raises:
        SettingsError: naming the numbers that do.
    """
    if width % (2 * n_heads):
        near = [n for n in range(1, 2 * n_heads + 1) if width % (2 * n) == 0]
        raise SettingsError(
            [f"n_heads is {n_heads}, which does not divide d_model {width} into even widths; expected one of {near}."]
        )
