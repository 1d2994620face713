"""Hyena: gates and one long convolution whose kernel a small net writes."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions
from lvm_core.nets.stack import Pointwise, Residual, Stack, long_convolution

HORIZON = 1024
"""Positions over which the kernel's clock runs from 0 to 1, whatever the length of a text."""


@dataclass
class HyenaOptions(NetOptions):
    """Sizes of Hyena."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(4, "layers", low=1, high=128)
    d_filter: int = setting(64, "width of the net that writes the kernels", unit="units", low=2, high=1024)
    d_ff: int = setting(0, "width of the feed-forward nets; 0: twice d_model", unit="units", low=0, high=65536)


class Kernel(nn.Module):
    """Kernels (M, T) from positions: a net of sines, then decay (Poli et al. 2023, section 3.3)."""

    pace: Tensor

    def __init__(self, width: int, d_filter: int, frequency: float = 14.0, n_bands: int = 4) -> None:
        """Make the net; channels fade at paces spread from fast to slow (the reference's modulation)."""
        super().__init__()
        self.n_bands, self.frequency = n_bands, nn.Parameter(torch.full((d_filter,), frequency))
        sizes = [1 + 2 * n_bands, d_filter, d_filter, d_filter]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.out = nn.Linear(d_filter, width, bias=False)
        slow, fast = math.log(100) / 1.5, math.log(100) / 0.02  # a hundredth is left after 1.5 and .02 of the horizon
        self.register_buffer("pace", torch.linspace(slow, fast, width), persistent=False)

    def forward(self, length: int) -> Tensor:
        """Return the kernels (M, T)."""
        clock = torch.arange(length, device=self.pace.device, dtype=torch.float32)[:, None] / HORIZON
        bands = 2 * math.pi * clock * torch.linspace(1e-4, self.n_bands - 1, self.n_bands, device=clock.device)
        z = torch.cat([clock, bands.cos(), bands.sin()], dim=-1)
        for layer in self.hidden:
            z = torch.sin(self.frequency * layer(z))
        kernels: Tensor = self.out(z) * torch.exp(-clock * self.pace)
        return kernels.T


class HyenaMixer(nn.Module):
    """The operator of order 2: y = x1 * conv(x2 * v) (Poli et al. 2023, definition 3.1, algorithm 3)."""

    def __init__(self, width: int, d_filter: int) -> None:
        """Make projections, short convolution, kernel and the direct path beside it."""
        super().__init__()
        self.in_proj, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.short = nn.Conv1d(3 * width, 3 * width, 3, groups=3 * width, padding=2)
        self.kernel = Kernel(width, d_filter)
        self.direct = nn.Parameter(torch.randn(width))

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        length = h.shape[1]
        mixed = self.short(self.in_proj(h).transpose(1, 2))[..., :length]
        outer, inner, value = mixed.float().chunk(3, dim=1)  # (B, M, T)
        gated = inner * value
        y = outer * (long_convolution(gated, self.kernel(length)) + self.direct[:, None] * gated)
        out: Tensor = self.out_proj(y.transpose(1, 2))
        return out


class Hyena(Stack):
    """Layers of Hyena operators and feed-forward nets behind LayerNorm."""

    name = "hyena"
    Options = HyenaOptions

    def __init__(self, dim: int, options: HyenaOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        width = options.d_model or dim
        inner = options.d_ff or 2 * width
        layers: list[nn.Module] = []
        for _ in range(options.n_layers):
            layers.append(Residual(nn.LayerNorm(width), HyenaMixer(width, options.d_filter), options.dropout))
            net = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
            layers.append(Residual(nn.LayerNorm(width), Pointwise(net), options.dropout))
        super().__init__(dim, options, width, layers, nn.LayerNorm(width))
