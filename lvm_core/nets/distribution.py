"""Nets that predict a distribution: what they say is the mean of some samples, and each sample is a prediction too."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions, SequenceModel

QUARTILES_OF = 20_000
"""Chunks that median and quartiles are taken from."""


@dataclass
class DistributionOptions(NetOptions):
    """Sizes of the layers that read the context."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(4, "layers that read the context", low=1, high=128)
    n_heads: int = setting(
        0, "attention heads, which must divide d_model into even widths; 0: about 64 units each", low=0, high=128
    )
    d_ff: int = setting(0, "width of the feed-forward nets; 0: three times d_model", unit="units", low=0, high=65536)


class Distribution(SequenceModel):
    """A net with noise as a second input, trained by a loss of its own on samples.

    What is sampled is the next chunk less the starting point, entry by entry less its median and divided by the
    distance of its quartiles (LCM team 2024, "Large concept models", section 2.3.1). Sample k is made of the same noise
    whatever the text, its length and its neighbours in the batch, so that a question has one answer; samples come in
    pairs of opposite noise, whose mean is nearer to that of all (antithetic variates).
    """

    n_samples: int
    """Samples that the prediction is the mean of."""
    middle: Tensor
    width: Tensor

    def normaliser(self) -> None:
        """Register median and distance of the quartiles: 0 and 1 until `prepare` has seen data."""
        self.register_buffer("middle", torch.zeros(self.dim))
        self.register_buffer("width", torch.ones(self.dim))

    @abstractmethod
    def draw(self, x: Tensor, n: int, last: Tensor | None = None) -> Tensor:
        """Return `n` normalised samples (n, B, T, D) after each position of `x` (B, T, D); after `last` (B,) alone
        (n, B, D) where given.
        """

    @abstractmethod
    def sampling_loss(self, x: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the loss of samples after `x` (B, T, D) for normalised targets of that shape, where `mask` (B, T)."""

    def correction(self, x: Tensor) -> Tensor:
        return self.restored(self.draw(x, self.n_samples).mean(0))

    def unscaled_at(self, x: Tensor, last: Tensor) -> Tensor:
        return self.samples_at(x, last, self.n_samples).mean(0)

    def samples_at(self, x: Tensor, last: Tensor, n: int) -> Tensor:
        """Return the first `n` samples (n, B, D) of the chunk after the position `last` (B,) of each text in `x`."""
        start = self.starting_point(x)
        at = None if start is None else start[torch.arange(len(x), device=x.device), last]
        return self.onto_start(self.restored(self.draw(x, n, last)), at)

    def restored(self, samples: Tensor) -> Tensor:
        """Return normalised samples (..., D) as differences to the starting point."""
        return samples * self.width + self.middle

    def normalised(self, x: Tensor, y: Tensor) -> Tensor:
        """Return what is to be sampled for the next chunks `y` (B, T, D) after `x`, normalised."""
        with torch.no_grad():
            start = self.starting_point(x)
            return ((y if start is None else y - start) - self.middle) / self.width

    def prepare(self, pairs: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        parts, n = [], 0
        for x, y, mask in pairs:
            parts.append(self.normalised(x, y)[mask])
            n += len(parts[-1])
            if n >= QUARTILES_OF:
                break
        if n < 2:
            return
        quarters = torch.tensor([0.25, 0.5, 0.75], device=self.middle.device)
        low, middle, high = torch.quantile(torch.cat(parts)[:QUARTILES_OF], quarters, dim=0)
        self.middle.copy_(middle)
        self.width.copy_((high - low).clamp(min=1e-6))

    def training_loss(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor | None:
        return self.sampling_loss(x, self.normalised(x, y), mask)


def standing_noise(n: int, width: int, device: torch.device, uniform: bool = False) -> Tensor:
    """Return noise (n, width), the same row k for every `n`: Gaussian, or uniform between -1/2 and 1/2.

    Rows 2k and 2k + 1 are opposites.
    """
    rows: list[Tensor] = []
    for pair in range((n + 1) // 2):
        generator = torch.Generator().manual_seed(pair)
        row = torch.rand(width, generator=generator) - 0.5 if uniform else torch.randn(width, generator=generator)
        rows += [row, -row]
    return torch.stack(rows[:n]).to(device) if rows else torch.zeros(0, width, device=device)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of `values` (B, T) where `mask` (B, T) is True."""
    real = mask.to(values.device, values.dtype)
    return (values * real).sum() / real.sum().clamp(min=1.0)


class Backbone(nn.Module):
    """Linear(D, M), then layers (B, T, M) -> (B, T, M), then a norm: the context that samples are made from."""

    def __init__(self, dim: int, width: int, layers: list[nn.Module], norm: nn.Module) -> None:
        """Join the parts."""
        super().__init__()
        self.scale = dim**0.5  # entries of unit vectors, brought to size 1
        self.input, self.layers, self.norm = nn.Linear(dim, width), nn.ModuleList(layers), norm

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, T, M) for vectors (B, T, D)."""
        h: Tensor = self.input(x * self.scale)
        for layer in self.layers:
            h = layer(h)
        out: Tensor = self.norm(h)
        return out
