"""A deeper net on everything the filter sees: the last chunks, the means of older stretches, and what it says."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions
from lvm_core.nets.memory import memory_features, spans_within
from lvm_core.nets.mlp import SpanNet


@dataclass
class DeepMlpOptions(NetOptions):
    """Sizes of the deep MLP."""

    dropout: float = setting(0.2, "share of hidden units left out while training", low=0.0, high=0.9)
    context: int = setting(5, "chunks it looks back", "chunks", low=1, high=100)
    d_hidden: int = setting(2048, "width of the hidden layers", "units", low=2, high=16384)
    n_blocks: int = setting(1, "residual blocks of two layers behind the first layer", low=0, high=16)


class Block(nn.Module):
    """h + W2 relu(W1 norm(h)), the pre-activation form of a residual block (He et al. 2016, "Identity mappings")."""

    def __init__(self, width: int, dropout: float) -> None:
        """Make the two layers."""
        super().__init__()
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        """Return (..., d_hidden)."""
        out: Tensor = h + self.dropout(self.second(F.relu(self.first(self.norm(h)))))
        return out


class DeepMlp(SpanNet):
    """ReLU, LayerNorm and residual blocks on the last five chunks, older stretches' means and the filter's prediction.

    Its 14 million parameters want a million windows: on 126,000 the small `mlp` with fewer inputs does better. ReLU and
    width rather than depth, since both are what a CPU's matrix units are quick at.
    """

    name = "deep-mlp"
    Options = DeepMlpOptions

    def __init__(self, dim: int, options: DeepMlpOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        super().__init__(dim, options)
        self.spans = spans_within(options.context)
        n_vectors = len(self.spans) + (1 if options.residual else 0)
        self.input = nn.Linear(n_vectors * dim, options.d_hidden)
        self.norm, self.dropout = nn.LayerNorm(options.d_hidden), nn.Dropout(options.dropout)
        self.blocks = nn.ModuleList(Block(options.d_hidden, options.dropout) for _ in range(options.n_blocks))
        self.head = nn.Linear(options.d_hidden, dim)

    def correction(self, x: Tensor, filtered: Tensor | None = None) -> Tensor:
        """Return what is added to the starting point (B, T, D), which is `filtered`, the filter's prediction."""
        features, _ = memory_features(x, self.spans)  # (B, T, K, D)
        parts = [features.flatten(2).float()]
        if self.filter is not None:
            parts.append(self.filter(x) if filtered is None else filtered)
        # entries of unit vectors brought to size 1, so that the first layer starts like any other
        hidden = self.dropout(self.norm(F.relu(self.input(torch.cat(parts, dim=-1) * self.dim**0.5))))
        for block in self.blocks:
            hidden = block(hidden)
        out: Tensor = self.head(hidden)
        return out
