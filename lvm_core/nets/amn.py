"""Attention mixture network: the mean of the context, corrected by a small net that looks at it twice."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions, SequenceModel, causal_mask, causal_mean


@dataclass
class AmnOptions(NetOptions):
    """Sizes of the AMN; the defaults have 1,510,912 parameters at D = 768."""

    dropout: float = setting(0.0, "share of hidden units left out while training", low=0.0, high=0.9)
    d_model: int = setting(256, "width of keys and queries", unit="units", low=1, high=8192, label="width")
    d_hidden: int = setting(
        512, "width of the mixing net's first layer", unit="units", low=2, high=16384, label="hidden width"
    )


class Amn(SequenceModel):
    """Attends from the running mean over the context and adds a learned correction to that mean.

    The window net of the old system, made causal: mean and attention at position t see chunks 0 .. t, so its
    five-chunk form is the last position at T = 5. Dot-product attention with scale 1/sqrt(d_model) as in
    Vaswani et al. 2017, section 3.2.1, over the chunks themselves as values.
    """

    name = "amn"
    Options = AmnOptions

    def __init__(self, dim: int, options: AmnOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        super().__init__(dim, options)
        self.context_encoder = nn.Linear(dim, options.d_model)
        self.query_encoder = nn.Linear(dim, options.d_model)
        half = max(1, options.d_hidden // 2)
        self.mix = nn.Sequential(
            nn.Linear(2 * dim, options.d_hidden),
            nn.GELU(),
            nn.LayerNorm(options.d_hidden),
            nn.Dropout(options.dropout),
            nn.Linear(options.d_hidden, half),
            nn.GELU(),
            nn.LayerNorm(half),
            nn.Dropout(options.dropout),
        )
        self.head = nn.Linear(half, dim)

    def last_layer(self) -> nn.Linear:
        return self.head

    def start(self, x: Tensor) -> Tensor:
        return causal_mean(x)

    def attention(self, x: Tensor) -> Tensor:
        """Return the weights (B, T, T) with which each position looks at the chunks up to it; rows sum to 1."""
        keys, query = self.context_encoder(x), self.query_encoder(causal_mean(x))  # (B, T, d_model)
        scores = query @ keys.transpose(1, 2) / math.sqrt(keys.shape[-1])  # (B, T, T)
        scores = scores.masked_fill(causal_mask(x.shape[1], x.device), float("-inf"))
        weights: Tensor = scores.softmax(dim=-1)
        return weights

    def correction(self, x: Tensor) -> Tensor:
        mean = causal_mean(x)  # (B, T, D)
        weights = self.attention(x)
        attended = weights @ x.to(weights.dtype)  # (B, T, D)
        out: Tensor = self.head(self.mix(torch.cat([mean.to(attended.dtype), attended], dim=-1)))
        return out
