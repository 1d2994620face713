"""Transformer: decoder layers that attend to themselves and to the embedded context, both causally."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.errors import SettingsError
from lvm_core.nets.base import NetOptions, SequenceModel


@dataclass
class TransformerOptions(NetOptions):
    """Sizes of the Transformer; the defaults have 17,867,520 parameters at D = 768."""

    d_model: int = setting(
        512, "width of the layers; a multiple of n_heads and of 2", unit="units", low=2, high=8192, label="width"
    )
    n_heads: int = setting(8, "attention heads; must divide d_model", low=1, high=128, label="heads")
    n_layers: int = setting(4, "layers", low=1, high=64, label="layers")
    d_ff: int = setting(
        2048, "width of the feed-forward nets", unit="units", low=1, high=65536, label="feed-forward width"
    )


class Transformer(SequenceModel):
    """Decoder layers (Vaswani et al. 2017, section 3.1) over one sequence, with sinusoidal positions (section 3.5).

    Self-attention, and cross-attention to the embedded context itself, both behind a causal mask.
    """

    name = "transformer"
    Options = TransformerOptions

    def __init__(self, dim: int, options: TransformerOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model, or d_model is odd.
        """
        super().__init__(dim, options)
        _check_sizes(options)
        width = options.d_model
        self.input = nn.Linear(dim, width)
        self.dropout = nn.Dropout(options.dropout)
        # one constructor call a layer: nn.TransformerDecoder copies one layer, and all would start alike
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(width, options.n_heads, options.d_ff, options.dropout, batch_first=True)
            for _ in range(options.n_layers)
        )
        self.mix = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.head = nn.Linear(width, dim)

    def last_layer(self) -> nn.Linear:
        return self.head

    def correction(self, x: Tensor) -> Tensor:
        width = self.input.out_features
        # unit vectors have entries of size 1/sqrt(D): brought to the size of the positions before they are added
        memory = self.dropout(self.input(x * math.sqrt(self.dim)) + positions(x.shape[1], width, x.device))
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], device=x.device, dtype=memory.dtype)
        hidden = memory  # (B, T, d_model)
        for layer in self.layers:
            hidden = layer(hidden, memory, tgt_mask=mask, memory_mask=mask, tgt_is_causal=True, memory_is_causal=True)
        out: Tensor = self.head(self.mix(hidden))
        return out


def _check_sizes(options: TransformerOptions) -> None:
    problems = []
    if options.d_model % options.n_heads:
        near = [h for h in range(1, options.d_model + 1) if options.d_model % h == 0 and h <= 2 * options.n_heads]
        problems.append(
            f"n_heads is {options.n_heads}, which does not divide d_model {options.d_model};"
            f" expected one of {', '.join(map(str, near))}."
        )
    if options.d_model % 2:
        problems.append(f"d_model is {options.d_model}; expected an even number (half sine, half cosine).")
    if problems:
        raise SettingsError(problems)


def positions(length: int, width: int, device: torch.device) -> Tensor:
    """Return the sinusoidal codes (T, width) of positions 0 .. T - 1 (Vaswani et al. 2017, section 3.5)."""
    place = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    pace = torch.exp(torch.arange(0, width, 2, device=device, dtype=torch.float32) * (-math.log(10000.0) / width))
    return torch.stack([torch.sin(place * pace), torch.cos(place * pace)], dim=-1).reshape(length, width)
