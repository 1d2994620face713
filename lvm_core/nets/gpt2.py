"""GPT-2's body without its embeddings: does a net that was made for words predict vectors?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.config import setting
from lvm_core.errors import SettingsError
from lvm_core.nets.base import NetOptions
from lvm_core.nets.heads import heads
from lvm_core.nets.stack import Stack


@dataclass
class Gpt2Options(NetOptions):
    """Sizes of the body; the defaults are DistilGPT-2's."""

    d_model: int = setting(768, "width of the layers; a multiple of n_heads", unit="units", low=1, high=8192)
    n_layers: int = setting(6, "layers", low=1, high=128)
    n_heads: int = setting(12, "attention heads; must divide d_model", low=1, high=128)
    n_positions: int = setting(1024, "longest text; positions are learned", unit="chunks", low=2, high=65536)


class Gpt2Layer(nn.Module):
    """Attention, then a feed-forward net of four times the width, LayerNorm before each (Radford et al. 2019, 2.3)."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        """Make the layer; the parts are named as in the published weights."""
        super().__init__()
        self.n_heads = n_heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.attn_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.c_fc, self.mlp_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        parts = self.c_attn(self.ln_1(h)).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
        h = h + self.dropout(self.attn_proj(mixed.transpose(1, 2).flatten(2)))
        inner = F.gelu(self.c_fc(self.ln_2(h)), approximate="tanh")
        out: Tensor = h + self.dropout(self.mlp_proj(inner))
        return out


class LearnedPositions(nn.Module):
    """Adds a learned vector for its position to each input."""

    def __init__(self, n_positions: int, width: int) -> None:
        """Start small, as GPT-2 does."""
        super().__init__()
        self.wpe = nn.Parameter(0.02 * torch.randn(n_positions, width))

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M).

        Raises:
            SettingsError: if the text is longer than there are positions.
        """
        if h.shape[1] > len(self.wpe):
            raise SettingsError(
                [f"the text has {h.shape[1]} chunks; expected at most n_positions = {len(self.wpe)}. Shorten it."]
            )
        return h + self.wpe[: h.shape[1]]


class Gpt2(Stack):
    """Learned positions, layers, LayerNorm (Radford et al. 2019); six layers as in DistilGPT-2 (Sanh et al. 2019)."""

    name = "gpt2"
    Options = Gpt2Options

    def __init__(self, dim: int, options: Gpt2Options) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model.
        """
        width = options.d_model
        n_heads = heads(width, options.n_heads)
        layers = [Gpt2Layer(width, n_heads, options.dropout) for _ in range(options.n_layers)]
        positions = LearnedPositions(options.n_positions, width)
        super().__init__(dim, options, width, [positions, *layers], nn.LayerNorm(width))
