"""Base-LCM: the large concept model that predicts the next vector by regression."""

from dataclasses import dataclass

from lvm_core.config import setting
from lvm_core.nets.attention import LlamaLayer
from lvm_core.nets.base import NetOptions
from lvm_core.nets.heads import heads
from lvm_core.nets.stack import RmsNorm, Stack


@dataclass
class LcmOptions(NetOptions):
    """Sizes of the Base-LCM; the paper's has 32 layers of width 2048."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(4, "layers", low=1, high=128)
    n_heads: int = setting(
        0, "attention heads, which must divide d_model into even widths; 0: about 64 units each", low=0, high=128
    )
    d_ff: int = setting(0, "width of the feed-forward nets; 0: three times d_model", unit="units", low=0, high=65536)


class Lcm(Stack):
    """PreNet, decoder-only Transformer, PostNet (LCM team 2024, "Large concept models", section 2.3.1).

    RMSNorm before each part, rotary positions, SwiGLU. PreNet and PostNet are the linear maps of the stack: the
    vectors here are unit norm, so the paper's normaliser has nothing to do.
    """

    name = "lcm"
    Options = LcmOptions

    def __init__(self, dim: int, options: LcmOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model into even widths.
        """
        width = options.d_model or dim
        n_heads = heads(width, options.n_heads, even=True)
        d_ff = options.d_ff or 3 * width
        layers = [LlamaLayer(width, n_heads, d_ff, 0, options.dropout) for _ in range(options.n_layers)]
        super().__init__(dim, options, width, layers, RmsNorm(width))
