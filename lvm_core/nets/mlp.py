"""A plain multi-layer net on what the linear filter sees: the last five chunks and the means of older stretches."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions, SequenceModel
from lvm_core.nets.memory import memory_features, spans_within


@dataclass
class MlpOptions(NetOptions):
    """Sizes of the MLP."""

    context: int = setting(5, "chunks it looks back; beyond five as means of stretches", "chunks", low=1, high=100)
    d_hidden: int = setting(1024, "width of the hidden layers", unit="units", low=1, high=16384)
    n_layers: int = setting(3, "hidden layers", low=1, high=16)


class Mlp(SequenceModel):
    """Linear, GELU, LayerNorm, `n_layers` times, on the features of `memory_features`; no state, one pass.

    Beside the features each position gets, per feature, whether it is there at all: a context of two chunks is
    not a context of five with three zeros.
    """

    name = "mlp"
    sliding = True
    Options = MlpOptions

    def __init__(self, dim: int, options: MlpOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        super().__init__(dim, options)
        self.spans = spans_within(options.context)
        width = options.d_hidden
        layers: list[nn.Module] = [nn.Dropout(options.dropout / 2)]
        size = len(self.spans) * (dim + 1)
        for _ in range(options.n_layers):
            layers += [nn.Linear(size, width), nn.GELU(), nn.LayerNorm(width), nn.Dropout(options.dropout)]
            size = width
        self.mix = nn.Sequential(*layers)
        self.head = nn.Linear(width, dim)

    @property
    def reach(self) -> int:
        """The number of chunks that a position sees at most."""
        return self.spans[-1][1]

    def last_layer(self) -> nn.Linear:
        return self.head

    def correction(self, x: Tensor) -> Tensor:
        features, there = memory_features(x, self.spans)  # (B, T, K, D), (T, K)
        # brought to entries of size 1, so that the first layer starts like any other
        flat = features.flatten(2) * self.dim**0.5
        marks = there.to(flat.dtype).expand(x.shape[0], -1, -1)
        out: Tensor = self.head(self.mix(torch.cat([flat, marks], dim=-1)))
        return out
