"""Performer: softmax attention by positive random features, as a recurrence."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions
from lvm_core.nets.decay import decay_attention, decay_step
from lvm_core.nets.heads import heads
from lvm_core.nets.stack import Pointwise, Residual, Stack, State


@dataclass
class PerformerOptions(NetOptions):
    """Sizes of the Performer."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(4, "layers", low=1, high=128)
    n_heads: int = setting(0, "attention heads, which must divide d_model; 0: about 64 units each", low=0, high=128)
    n_features: int = setting(256, "random features a head", low=1, high=8192)
    d_ff: int = setting(0, "width of the feed-forward nets; 0: twice d_model", unit="units", low=0, high=65536)


class FavorAttention(nn.Module):
    """Causal FAVOR+ (Choromanski et al. 2021, section 2): exp(w.x - |x|^2 / 2) with orthogonal w.

    Features are scaled by the largest key feature so far, and the memory with them: the exact value without overflow,
    and no later position touches an earlier one (a stabiliser over all positions does).
    """

    features: Tensor

    def __init__(self, width: int, n_heads: int, n_features: int) -> None:
        """Draw the features once; they are kept with the weights."""
        super().__init__()
        self.n_heads, self.d_head = n_heads, width // n_heads
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.register_buffer("features", orthogonal_features(n_features, self.d_head))  # (N, d_head)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        q, k, v = self._heads(h)
        top = k.amax(-1).cummax(1).values  # (B, T, H)
        decay = nn.functional.pad(top[:, :-1] - top[:, 1:], (0, 0, 1, 0))
        keys = (k - top[..., None]).exp()
        return self._finish(decay_attention(_queries(q), keys, _counted(v), decay))

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M), the largest key feature so far (B, H) and the memory (B, H, N, P + 1)."""
        q, k, v = self._heads(h)
        before, memory = state or (k.amax(-1), None)
        top = torch.maximum(before, k.amax(-1))
        y, memory = decay_step(_queries(q), (k - top[..., None]).exp(), _counted(v), before - top, memory)
        return self._finish(y), (top, memory)

    def _heads(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = (p(h).float().unflatten(-1, (self.n_heads, -1)) for p in (self.query, self.key, self.value))
        return self._log_features(q), self._log_features(k), v

    def _log_features(self, x: Tensor) -> Tensor:
        x = x * self.d_head**-0.25
        features: Tensor = x @ self.features.T - x.square().sum(-1, keepdim=True) / 2
        return features

    def _finish(self, y: Tensor) -> Tensor:
        mean = y[..., :-1] / y[..., -1:].clamp(min=1e-9)
        out: Tensor = self.out(mean.flatten(-2))
        return out


def _queries(q: Tensor) -> Tensor:
    """A query's scale cancels: each is taken relative to its own largest feature."""
    return (q - q.amax(-1, keepdim=True)).exp()


def _counted(v: Tensor) -> Tensor:
    """Values with a one behind them: its weighted sum is the denominator."""
    return torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)


def orthogonal_features(n: int, width: int) -> Tensor:
    """Return (n, width) Gaussian directions, orthogonal within each block of `width` (section 2.4)."""
    blocks = [torch.linalg.qr(torch.randn(width, width)).Q.T for _ in range(-(-n // width))]
    directions = torch.cat(blocks)[:n]
    lengths: Tensor = torch.randn(n, width).norm(dim=1, keepdim=True)
    return directions * lengths


class Performer(Stack):
    """Layers of FAVOR+ attention and feed-forward net behind LayerNorm; positions by a sine code on the input."""

    name = "performer"
    Options = PerformerOptions

    def __init__(self, dim: int, options: PerformerOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model.
        """
        width = options.d_model or dim
        n_heads = heads(width, options.n_heads)
        inner = options.d_ff or 2 * width
        layers: list[nn.Module] = [Positions(width)]
        for _ in range(options.n_layers):
            attention = FavorAttention(width, n_heads, options.n_features)
            layers.append(Residual(nn.LayerNorm(width), attention, options.dropout))
            net = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
            layers.append(Residual(nn.LayerNorm(width), Pointwise(net), options.dropout))
        super().__init__(dim, options, width, layers, nn.LayerNorm(width))


class Positions(nn.Module):
    """Adds the sine code of its position (Vaswani et al. 2017, section 3.5) to each input."""

    def __init__(self, width: int) -> None:
        """Remember the paces; an odd width leaves its last entry alone."""
        super().__init__()
        self.width = width

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        return h + self._code(torch.arange(h.shape[1], device=h.device))

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M) and how many there were."""
        place = 0 if state is None else state
        return h + self._code(torch.tensor([place], device=h.device))[0], place + 1

    def _code(self, place: Tensor) -> Tensor:
        half = self.width // 2
        pace = torch.exp(torch.arange(half, device=place.device) * (-math.log(10000.0) / max(1, half)))
        angle = place[:, None].float() * pace
        code = torch.cat([angle.sin(), angle.cos()], dim=-1)
        return nn.functional.pad(code, (0, self.width - 2 * half))
