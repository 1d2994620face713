"""The layer of the diffusion nets: noisy vectors that look at a clean context, and never at one another."""

import torch
from torch import Tensor, nn

from lvm_core.nets.attention import SwiGlu, paces, turned
from lvm_core.nets.stack import RmsNorm

N_FREQUENCIES = 256

Memory = tuple[Tensor, Tensor]
"""Keys and values (B, H, S, P) of a clean context."""


class ClockTime(nn.Module):
    """A time of the diffusion as a vector: 256 sines and cosines, then a net of two layers (LCM 2024, 2.3.3)."""

    def __init__(self, width: int) -> None:
        """Make the net."""
        super().__init__()
        self.net = nn.Sequential(nn.Linear(N_FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, times: Tensor) -> Tensor:
        """Return (..., M) for times (...)."""
        half = N_FREQUENCIES // 2
        pace = torch.exp(-torch.arange(half, device=times.device) * (torch.log(torch.tensor(10_000.0)) / half))
        angle = times[..., None].float() * pace
        out: Tensor = self.net(torch.cat([angle.cos(), angle.sin()], dim=-1))
        return out


class ContextLayer(nn.Module):
    """Attention to a context and, besides, to oneself or to a zero vector; then SwiGLU.

    In the two-tower net both parts are modulated by the time (adaptive layer norm, Peebles and Xie 2023, section 3.2):
    y = x + a f((1 + g) norm(x) + b), with a, b and g zero at first. Self-attention of the denoiser, which in the paper
    sees only the position itself, is left out there.
    """

    pace: Tensor

    def __init__(self, width: int, n_heads: int, d_ff: int, dropout: float = 0.0, modulated: bool = False) -> None:
        """Make the layer; not modulated, it looks at itself too."""
        super().__init__()
        self.n_heads, self.modulated = n_heads, modulated
        self.attention_norm, self.net_norm = RmsNorm(width), RmsNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.net, self.dropout = SwiGlu(width, d_ff), nn.Dropout(dropout)
        self.modulation = nn.Linear(width, 6 * width) if modulated else None
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)
        self.register_buffer("pace", paces(width // n_heads), persistent=False)

    def remember(self, context: Tensor, place: Tensor) -> Memory:
        """Return what a context (B, S, M), its chunks at `place` (S,), is looked at by."""
        return turned(self._heads(self.key(context)), place, self.pace), self._heads(self.value(context))

    def forward(self, z: Tensor, place: Tensor, memory: Memory, seen: Tensor, time: Tensor | None = None) -> Tensor:
        """Return (B, R, M).

        Args:
            z: (B, R, M) vectors, each for itself.
            place: (B, R) where they stand in the text.
            memory: the context's keys and values.
            seen: (B, R, S) bool, which chunks each of them looks at.
            time: (B or 1, R or 1, M) the time of each, where the layer is modulated.
        """
        parts: list[Tensor | None] = [None] * 6
        if self.modulation is not None and time is not None:
            parts = list(self.modulation(nn.functional.silu(time)).chunk(6, dim=-1))
        x = _moved(self.attention_norm(z), parts[0], parts[1])
        q = turned(self._heads(self.query(x)), place[:, None], self.pace)
        own = None
        if not self.modulated:
            own = turned(self._heads(self.key(x)), place[:, None], self.pace), self._heads(self.value(x))
        change = self.out(attend(q, memory, seen[:, None], own).transpose(1, 2).flatten(2))
        z = z + self.dropout(_gated(change, parts[2]))
        change = self.net(_moved(self.net_norm(z), parts[3], parts[4]))
        out: Tensor = z + self.dropout(_gated(change, parts[5]))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-1], self.n_heads, -1).transpose(1, 2)


def _moved(x: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    return x if scale is None or shift is None else (1 + scale) * x + shift


def _gated(x: Tensor, gate: Tensor | None) -> Tensor:
    return x if gate is None else gate * x


def attend(q: Tensor, memory: Memory, seen: Tensor, own: Memory | None) -> Tensor:
    """Return softmax attention (B, H, R, P) of queries to the context's `seen` (B, 1, R, S) chunks and to one more:
    `own` key and value (B, H, R, P), or a zero vector.
    """
    keys, values = memory
    scores = (q @ keys.transpose(-1, -2)).masked_fill(~seen, float("-inf"))
    more = torch.zeros_like(scores[..., :1]) if own is None else (q * own[0]).sum(-1, keepdim=True)
    weights = torch.softmax(torch.cat([more, scores], dim=-1) * q.shape[-1] ** -0.5, dim=-1)
    out = weights[..., 1:] @ values
    return out if own is None else out + weights[..., :1] * own[1]
