"""RWKV-4: a weighted mean of all values so far, weights decaying at a pace a channel, computed as attention or step."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions
from lvm_core.nets.stack import Residual, Stack, State

BLOCK = 16
"""Positions whose weights are computed at once; a block holds (B, BLOCK, BLOCK, M) numbers."""

NOTHING = -1e38
"""The logarithm of the weight of an empty past."""


@dataclass
class RwkvOptions(NetOptions):
    """Sizes of RWKV."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(6, "layers", low=1, high=128)
    d_ff: int = setting(0, "width of the feed-forward nets; 0: four times d_model", unit="units", low=0, high=65536)


class TimeMix(nn.Module):
    """The WKV attention (Peng et al. 2023, "RWKV", section 3.1.2, equations 11 to 19), in float32."""

    def __init__(self, width: int, depth: float) -> None:
        """Make the layer; `depth` is its place in the stack, 0 to 1, which the initial paces depend on (appendix E)."""
        super().__init__()
        self.mix = nn.Parameter(mixing(width, depth, 3))
        place = torch.arange(width) / max(1, width - 1)
        self.decay = nn.Parameter(-5 + 8 * place ** (0.7 + 1.3 * depth))  # log of the pace
        self.first = nn.Parameter(((torch.arange(width) + 1) % 3 - 1) * 0.5 + torch.tensor(0.3).log())
        self.key, self.value, self.receptance = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        r, k, v = self._project(h, shifted(h))
        outs, state = [], None
        for first in range(0, h.shape[1], BLOCK):
            part = slice(first, first + BLOCK)
            out, state = self._block(k[:, part], v[:, part], state)
            outs.append(out)
        return self._finish(r, torch.cat(outs, dim=1))

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M), the input itself and the running sums."""
        before, sums = state or (torch.zeros_like(h), None)
        r, k, v = self._project(h, before)
        out, sums = self._block(k[:, None], v[:, None], sums)
        return self._finish(r, out[:, 0]), (h, sums)

    def _project(self, h: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        for_k, for_v, for_r = (h * m + before * (1 - m) for m in self.mix)
        return torch.sigmoid(self.receptance(for_r)), self.key(for_k).float(), self.value(for_v).float()

    def _finish(self, r: Tensor, wkv: Tensor) -> Tensor:
        out: Tensor = self.output(r * wkv.to(r.dtype))
        return out

    def _block(self, k: Tensor, v: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the means (B, L, M) of a block and the sums behind it: numerator, denominator, their log scale."""
        length, pace = k.shape[1], self.decay.float().exp()  # (M,)
        numerator, denominator, scale = state or (torch.zeros_like(k[:, 0]),) * 2 + (torch.full_like(k[:, 0], NOTHING),)
        place = torch.arange(length, device=k.device)
        age = (place[:, None] - 1 - place).float()[..., None]  # (L, L, 1): steps since s was the last one
        weights = k[:, None] - age * pace  # (B, L, L, M), by t and s
        now = torch.eye(length, dtype=torch.bool, device=k.device)[..., None]
        weights = torch.where(now, k[:, None] + self.first, weights)
        weights = weights.masked_fill((place[:, None] < place)[..., None], float("-inf"))
        carried = scale[:, None] - place[:, None] * pace  # (B, L, M)
        top = torch.maximum(weights.amax(2), carried)
        shares, old = (weights - top[:, :, None]).exp(), (carried - top).exp()
        out = (old * numerator[:, None] + torch.einsum("btsm,bsm->btm", shares, v)) / (
            old * denominator[:, None] + shares.sum(2)
        )
        left = k - (length - 1 - place)[:, None] * pace  # (B, L, M): what each weighs behind the block
        carried = scale - length * pace
        top = torch.maximum(left.amax(1), carried)
        shares, old = (left - top[:, None]).exp(), (carried - top).exp()
        return out, (old * numerator + (shares * v).sum(1), old * denominator + shares.sum(1), top)


class ChannelMix(nn.Module):
    """The feed-forward net of RWKV: squared ReLU behind a gate, mixed with the position before (equations 20 to 22)."""

    def __init__(self, width: int, d_ff: int, depth: float) -> None:
        """Make the layer."""
        super().__init__()
        self.mix = nn.Parameter(mixing(width, depth, 2))
        self.key, self.value = nn.Linear(width, d_ff, bias=False), nn.Linear(d_ff, width, bias=False)
        self.receptance = nn.Linear(width, width, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        return self._mixed(h, shifted(h))

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M) and the input itself."""
        return self._mixed(h, torch.zeros_like(h) if state is None else state), h

    def _mixed(self, h: Tensor, before: Tensor) -> Tensor:
        for_k, for_r = (h * m + before * (1 - m) for m in self.mix)
        out: Tensor = torch.sigmoid(self.receptance(for_r)) * self.value(torch.relu(self.key(for_k)).square())
        return out


def shifted(h: Tensor) -> Tensor:
    """Return `h` (B, T, M) one position later, zeros in front."""
    return nn.functional.pad(h, (0, 0, 1, 0))[:, :-1]


def mixing(width: int, depth: float, n: int) -> Tensor:
    """Return the initial shares (n, M) of the present position against the one before (appendix E)."""
    shares = (torch.arange(width) / width) ** (1 - depth)
    return torch.stack([shares, shares + 0.3 * depth, shares**0.5] if n == 3 else [shares, shares])


class Rwkv(Stack):
    """Layers of time mixing and channel mixing behind LayerNorm (Peng et al. 2023, section 3.1)."""

    name = "rwkv"
    Options = RwkvOptions

    def __init__(self, dim: int, options: RwkvOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        width, n = options.d_model or dim, options.n_layers
        layers: list[nn.Module] = []
        for number in range(n):
            depth = number / max(1, n - 1)
            layers.append(Residual(nn.LayerNorm(width), TimeMix(width, depth), options.dropout))
            mixer = ChannelMix(width, options.d_ff or 4 * width, depth)
            layers.append(Residual(nn.LayerNorm(width), mixer, options.dropout))
        super().__init__(dim, options, width, layers, nn.LayerNorm(width))
