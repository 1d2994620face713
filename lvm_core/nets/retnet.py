"""RetNet: attention without softmax, its memory decaying at a fixed pace a head."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions
from lvm_core.nets.decay import decay_attention, decay_step
from lvm_core.nets.heads import heads
from lvm_core.nets.stack import Pointwise, Residual, Stack, State


@dataclass
class RetNetOptions(NetOptions):
    """Sizes of RetNet."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(6, "layers", low=1, high=128)
    n_heads: int = setting(4, "heads, which must divide d_model into even widths", low=0, high=128)
    d_ff: int = setting(0, "width of the feed-forward nets; 0: twice d_model", unit="units", low=0, high=65536)


class Retention(nn.Module):
    """Multi-scale retention (Sun et al. 2023, "Retentive network", sections 2.1 and 2.2) with rotary positions."""

    decay: Tensor
    pace: Tensor

    def __init__(self, width: int, n_heads: int) -> None:
        """Make the projections; the heads' decays lie between 1 - 1/32 and 1 - 1/512 (section 3.1)."""
        super().__init__()
        self.n_heads, self.d_head = n_heads, width // n_heads
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.gate, self.out = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.norm = nn.GroupNorm(n_heads, width, affine=False, eps=1e-6)
        self.register_buffer("decay", torch.log1p(-torch.exp2(-torch.linspace(5, 9, n_heads))), persistent=False)
        pace = 1.0 / 10000 ** torch.linspace(0, 1, self.d_head // 2)
        self.register_buffer("pace", pace.repeat_interleave(2), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        place = torch.arange(h.shape[1], device=h.device, dtype=torch.float32)
        q, k, v = self._heads(h, place[:, None, None] * self.pace)
        decay = self.decay.expand(*h.shape[:2], self.n_heads)
        return self._finish(decay_attention(q, k, v, decay), h)

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M), its number and the memory (B, H, N, P)."""
        place, memory = state or (0, None)
        q, k, v = self._heads(h, place * self.pace)
        y, memory = decay_step(q, k, v, self.decay.expand(h.shape[0], self.n_heads), memory)
        return self._finish(y, h), (place + 1, memory)

    def _heads(self, h: Tensor, angle: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = (p(h).unflatten(-1, (self.n_heads, self.d_head)) for p in (self.query, self.key, self.value))
        return rotate(q, angle), rotate(k, angle) * self.d_head**-0.5, v

    def _finish(self, y: Tensor, h: Tensor) -> Tensor:
        flat = y.flatten(-2)
        normed = self.norm(flat.reshape(-1, flat.shape[-1])).view_as(flat)
        out: Tensor = self.out(F.silu(self.gate(h)) * normed)
        return out


def rotate(x: Tensor, angle: Tensor) -> Tensor:
    """Return `x` (..., N) with neighbouring pairs turned by `angle` (..., N) (Su et al. 2021, section 3.2.2)."""
    turned = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).flatten(-2)
    return x * angle.cos().to(x.dtype) + turned * angle.sin().to(x.dtype)


class RetNet(Stack):
    """Layers of retention and feed-forward net, each behind LayerNorm (Sun et al. 2023, section 2.3)."""

    name = "retnet"
    Options = RetNetOptions

    def __init__(self, dim: int, options: RetNetOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model into even widths.
        """
        width = options.d_model or dim
        n_heads = heads(width, options.n_heads, even=True)
        layers: list[nn.Module] = []
        for _ in range(options.n_layers):
            layers.append(Residual(nn.LayerNorm(width), Retention(width, n_heads), options.dropout))
            inner = options.d_ff or 2 * width
            net = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
            layers.append(Residual(nn.LayerNorm(width), Pointwise(net), options.dropout))
        super().__init__(dim, options, width, layers, nn.LayerNorm(width))
