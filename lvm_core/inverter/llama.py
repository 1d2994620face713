"""A Llama layer whose frozen weights are adapted by LoRA: one forward for training, scoring and writing.

LoRA: Hu et al. 2021, section 4. Llama: Touvron et al. 2023, section 2.2; grouped queries: Ainslie et al. 2023.

Letters: B batch, T positions, W width, h heads, d head size, S positions that are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.inverter.packed import PackedLinear

MORE_ROOM = 16
"""Positions that a cache grows by."""


class LowRank(nn.Module):
    """A frozen linear map (out, in) with a trained low-rank addition, both without bias."""

    weight: Tensor

    def __init__(self, weight: Tensor, rank: int) -> None:
        """Start as the frozen map: the second factor is zero."""
        super().__init__()
        self.register_buffer("weight", weight, persistent=False)
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) of (..., in) in the dtype of the frozen weight."""
        low = F.linear(F.linear(x, self.down.to(x.dtype)), self.up.to(x.dtype))
        return F.linear(x, self.weight) + low

    def merged(self) -> Tensor:
        """Return the one matrix (out, in) that does the same."""
        return (self.weight.float() + self.up.float() @ self.down.float()).to(self.weight.dtype)


@dataclass(slots=True)
class Cache:
    """Keys and values (B, h_kv, room, d) of one layer at the positions before `past`."""

    keys: Tensor | None = None
    values: Tensor | None = None
    past: int = 0

    def add(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write keys and values (B, h_kv, T, d) at the positions from `past` on; return all so far.

        Where there is no room for them, room is made: most texts end long before the longest.
        """
        stop = self.past + keys.shape[2]
        if self.keys is None or self.values is None:
            self.keys, self.values = keys, values
        else:
            if stop > (room := self.keys.shape[2]):
                more = max(stop - room, MORE_ROOM)
                self.keys, self.values = _roomy(self.keys, more), _roomy(self.values, more)
            self.keys[:, :, self.past : stop] = keys
            self.values[:, :, self.past : stop] = values
        self.past = stop
        return self.keys[:, :, :stop], self.values[:, :, :stop]

    def rows(self, index: Tensor, more: int = 0) -> "Cache":
        """Return a copy of the rows at `index` (B,), with room for `more` positions."""
        assert self.keys is not None
        assert self.values is not None
        return Cache(_roomy(self.keys[index], more), _roomy(self.values[index], more), self.past)


def _roomy(x: Tensor, more: int) -> Tensor:
    return torch.cat([x, x.new_zeros(*x.shape[:2], more, x.shape[3])], 2) if more else x


class Block(nn.Module):
    """One Llama layer with query, key and value in one matrix, and gate and up in another."""

    norm_1: Tensor
    norm_2: Tensor

    def __init__(self, maps: Sequence[nn.Module], norms: Sequence[Tensor], heads: tuple[int, int, int], eps: float):
        """Take the maps qkv, out, gate_up and down, and the two norms; `heads` = (query, key, head size)."""
        super().__init__()
        self.heads, self.eps = heads, eps
        self.qkv, self.out, self.gate_up, self.down = maps
        for name, norm in zip(("norm_1", "norm_2"), norms, strict=True):
            self.register_buffer(name, norm, persistent=False)

    @classmethod
    def adapted(cls, weights: dict[str, Tensor], heads: tuple[int, int, int], eps: float, rank: int) -> "Block":
        """Return the layer with a low-rank addition to its frozen `weights`, given under their Hugging Face names."""
        qkv = torch.cat([weights[f"self_attn.{n}_proj.weight"] for n in "qkv"])
        gate_up = torch.cat([weights["mlp.gate_proj.weight"], weights["mlp.up_proj.weight"]])
        frozen = (qkv, weights["self_attn.o_proj.weight"], gate_up, weights["mlp.down_proj.weight"])
        norms = (weights["input_layernorm.weight"], weights["post_attention_layernorm.weight"])
        return cls([LowRank(weight, rank) for weight in frozen], norms, heads, eps)

    def packed(self) -> "Block":
        """Return the layer ready to write: one matrix a map, laid out for few rows."""
        maps = [self.qkv, self.out, self.gate_up, self.down]
        merged = [PackedLinear(m.merged()) for m in maps if isinstance(m, LowRank)]
        return Block(merged, (self.norm_1.clone(), self.norm_2.clone()), self.heads, self.eps)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, cache: Cache | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return (B, T, W) of (B, T, W), causal.

        Args:
            x: inputs at T positions, the first of them behind what is in `cache`.
            cos: (T, d) of the positions.
            sin: (T, d).
            cache: keys and values of the positions before, joined by those of `x`.
            mask: (T, past + T) true where a position may look, for more than one position behind a cache.
        """
        n_q, n_kv, size = self.heads
        heads = self.qkv(rms_norm(x, self.norm_1, self.eps)).unflatten(-1, (n_q + 2 * n_kv, size)).transpose(1, 2)
        rotated = rotate(heads[:, : n_q + n_kv], cos, sin)
        q, k, v = rotated[:, :n_q], rotated[:, n_q:], heads[:, n_q + n_kv :]
        if cache is not None:
            k, v = cache.add(k, v)
        x = x + self.out(attend(q, k, v, mask))
        gate, up = self.gate_up(rms_norm(x, self.norm_2, self.eps)).chunk(2, -1)
        result: Tensor = x + self.down(F.silu(gate) * up)
        return result


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return attention (B, T, W) of queries (B, h, T, d) to keys and values (B, h_kv, S, d); causal without mask."""
    n, n_q, steps, size = q.shape
    n_kv = k.shape[1]
    if steps == 1:
        # the queries that share a key stand in for positions, so keys need not be copied for each
        shared = q.reshape(n, n_kv, n_q // n_kv, size)
        return F.scaled_dot_product_attention(shared, k, v).reshape(n, 1, n_q * size)
    k, v = k.repeat_interleave(n_q // n_kv, 1), v.repeat_interleave(n_q // n_kv, 1)
    if q.requires_grad and q.device.type == "cpu":
        attended = _attend_plainly(q, k, v)
    else:
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    return attended.transpose(1, 2).flatten(2)


def _attend_plainly(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return causal attention (B, h, T, d) by plain products.

    torch's fused kernel takes three times as long on a CPU: its backward pass in bfloat16 is slow at 50 positions.
    """
    scores = (q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5
    future = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    weights = scores.masked_fill(future, -torch.inf).softmax(-1)
    attended: Tensor = weights.to(q.dtype) @ v
    return attended


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return `x` (..., W) at unit root mean square, times `weight`."""
    return F.rms_norm(x, (x.shape[-1],), weight, eps)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return heads (B, h, T, d) turned by their position (RoPE, Su et al. 2021, section 3.4.2)."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin
