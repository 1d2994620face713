"""Hybrid: Mamba-2 layers with attention among them."""

from dataclasses import dataclass

from torch import nn

from lvm_core.config import setting
from lvm_core.nets.attention import RotaryAttention
from lvm_core.nets.heads import all_sizes, heads
from lvm_core.nets.mamba2 import Mamba2Options, head_width, mamba2_layer
from lvm_core.nets.stack import Residual, RmsNorm, Stack


@dataclass
class HybridOptions(Mamba2Options):
    """Sizes of the hybrid."""

    every: int = setting(6, "each so many layers the last one is attention", unit="layers", low=2, high=64)
    n_heads: int = setting(
        0, "attention heads, which must divide d_model into even widths; 0: about 64 units each", low=0, high=128
    )


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
        d_head, n_heads = all_sizes(
            lambda: head_width(width * options.expand, options.d_head),
            lambda: heads(width, options.n_heads, even=True),
        )
        layers: list[nn.Module] = []
        for number in range(1, options.n_layers + 1):
            if number % options.every:
                layers.append(mamba2_layer(width, options, d_head))
            else:
                layers.append(Residual(RmsNorm(width), RotaryAttention(width, n_heads), options.dropout))
        super().__init__(dim, options, width, layers, RmsNorm(width), options.tmd)
