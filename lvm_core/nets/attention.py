"""Causal softmax attention with rotary positions, and the layer of today's language models made of it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.nets.stack import RmsNorm, State


class RotaryAttention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2) whose queries and keys are turned by their position
    (Su et al. 2021, "RoFormer", section 3.2.2; the two halves of a head are the pairs, as in Llama).
    """

    pace: Tensor

    def __init__(self, width: int, n_heads: int, n_kv_heads: int = 0, base: float = 10_000.0) -> None:
        """Make the projections; fewer key and value heads than query heads are shared among them."""
        super().__init__()
        self.n_heads, self.n_kv, self.d_head = n_heads, n_kv_heads or n_heads, width // n_heads
        self.query = nn.Linear(width, n_heads * self.d_head, bias=False)
        self.key, self.value = (nn.Linear(width, self.n_kv * self.d_head, bias=False) for _ in range(2))
        self.out = nn.Linear(n_heads * self.d_head, width, bias=False)
        self.register_buffer("pace", paces(self.d_head, base), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        q, k, v = self._heads(h, torch.arange(h.shape[1], device=h.device))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.n_kv != self.n_heads)
        out: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return out

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M) and all keys and values so far: attention's memory grows with the text."""
        place = 0 if state is None else state[0].shape[2]
        q, k, v = self._heads(h[:, None], torch.tensor([place], device=h.device))
        if state is not None:
            k, v = torch.cat([state[0], k], dim=2), torch.cat([state[1], v], dim=2)
        y = F.scaled_dot_product_attention(q, k, v, enable_gqa=self.n_kv != self.n_heads)
        return self.out(y.transpose(1, 2).flatten(2))[:, 0], (k, v)

    def _heads(self, h: Tensor, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values (B, H, T, P), the first two turned."""
        q, k, v = (p(h).unflatten(-1, (-1, self.d_head)).transpose(1, 2) for p in (self.query, self.key, self.value))
        return turned(q, place, self.pace), turned(k, place, self.pace), v


def turned(x: Tensor, place: Tensor, pace: Tensor) -> Tensor:
    """Return queries or keys `x` (..., T, P) turned by their `place` (..., T) times the pace (P,) of each entry."""
    angle = place[..., None].float() * pace
    first, second = x.chunk(2, dim=-1)
    return x * angle.cos().to(x.dtype) + torch.cat([-second, first], dim=-1) * angle.sin().to(x.dtype)


def paces(d_head: int, base: float = 10_000.0) -> Tensor:
    """Return how fast each entry of a head (P,) turns from one position to the next."""
    pace = base ** (-torch.arange(0, d_head, 2).float() / d_head)
    return torch.cat([pace, pace])


class SwiGlu(nn.Module):
    """down(silu(gate x) * up x), no biases (Shazeer 2020, section 2)."""

    def __init__(self, width: int, d_ff: int) -> None:
        """Make the three maps."""
        super().__init__()
        self.gate, self.up = nn.Linear(width, d_ff, bias=False), nn.Linear(width, d_ff, bias=False)
        self.down = nn.Linear(d_ff, width, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (..., M)."""
        out: Tensor = self.down(F.silu(self.gate(h)) * self.up(h))
        return out


class LlamaLayer(nn.Module):
    """Rotary attention, then SwiGLU, each behind RMSNorm and with a residual (Touvron et al. 2023, section 2.2)."""

    def __init__(
        self, width: int, n_heads: int, d_ff: int, n_kv_heads: int = 0, dropout: float = 0.0, base: float = 10_000.0
    ) -> None:
        """Make the layer."""
        super().__init__()
        self.attention_norm, self.net_norm = RmsNorm(width), RmsNorm(width)
        self.attention = RotaryAttention(width, n_heads, n_kv_heads, base)
        self.net = SwiGlu(width, d_ff)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        return self._net(h + self.dropout(self.attention(self.attention_norm(h))))

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M) and the attention's keys and values."""
        change, state = self.attention.step(self.attention_norm(h), state)
        return self._net(h + change), state

    def _net(self, h: Tensor) -> Tensor:
        out: Tensor = h + self.dropout(self.net(self.net_norm(h)))
        return out
