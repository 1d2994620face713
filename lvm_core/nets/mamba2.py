"""Mamba-2: a selective state space whose states decay by one number a head."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.config import setting
from lvm_core.errors import SettingsError
from lvm_core.nets.base import NetOptions
from lvm_core.nets.decay import decay_attention, decay_step
from lvm_core.nets.stack import CausalConv, Residual, RmsNorm, Stack, State, inverse_softplus


@dataclass
class Mamba2Options(NetOptions):
    """Sizes of Mamba-2; the defaults are those of the seeds' plan."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(6, "layers", low=1, high=128)
    d_state: int = setting(16, "numbers remembered a channel", low=1, high=1024)
    d_conv: int = setting(4, "positions of the short convolution", unit="chunks", low=1, high=64)
    expand: int = setting(2, "inner width, as a multiple of d_model", low=1, high=8)
    d_head: int = setting(64, "channels that decay together; must divide expand x d_model", low=1, high=1024)
    tmd: bool = setting(False, "tell the net which domain, task and modifier the next chunk has")


class Mamba2Mixer(nn.Module):
    """The block of Mamba-2 (Dao and Gu 2024, "Transformers are SSMs", section 7.1): gate, short convolution, SSD."""

    def __init__(self, width: int, d_state: int, d_conv: int, expand: int, d_head: int) -> None:
        """Make the block for layers of `width`."""
        super().__init__()
        inner = expand * width
        self.inner, self.d_state, self.d_head, self.n_heads = inner, d_state, d_head, inner // d_head
        self.in_proj = nn.Linear(width, 2 * inner + 2 * d_state + self.n_heads, bias=False)
        self.conv = CausalConv(inner + 2 * d_state, d_conv)
        self.dt_bias = nn.Parameter(inverse_softplus(self.n_heads))
        self.a_log = nn.Parameter(torch.arange(1, self.n_heads + 1).float().log())
        self.skip = nn.Parameter(torch.ones(self.n_heads))
        self.norm = RmsNorm(inner)
        self.out_proj = nn.Linear(inner, width, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        gate, mixed, dt = self._project(h)
        x, k, q, dt, decay = self._split(self.conv(mixed), dt)
        return self._finish(decay_attention(q, k, x * dt[..., None], decay), x, gate)

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M) and the convolution's and the state space's memory."""
        last, memory = state or (None, None)
        gate, mixed, dt = self._project(h)
        mixed, last = self.conv.step(mixed, last)
        x, k, q, dt, decay = self._split(mixed, dt)
        y, memory = decay_step(q, k, x * dt[..., None], decay, memory)
        return self._finish(y, x, gate), (last, memory)

    def _project(self, h: Tensor) -> tuple[Tensor, ...]:
        return torch.split(self.in_proj(h), [self.inner, self.inner + 2 * self.d_state, self.n_heads], dim=-1)

    def _split(self, mixed: Tensor, dt: Tensor) -> tuple[Tensor, ...]:
        x, k, q = torch.split(mixed, [self.inner, self.d_state, self.d_state], dim=-1)
        dt = F.softplus(dt.float() + self.dt_bias)  # (..., H)
        heads = (*x.shape[:-1], self.n_heads, self.d_state)  # one k and q for all heads
        decay = -self.a_log.exp() * dt
        return (
            x.view(*x.shape[:-1], self.n_heads, self.d_head),
            k[..., None, :].expand(heads),
            q[..., None, :].expand(heads),
            dt,
            decay,
        )

    def _finish(self, y: Tensor, x: Tensor, gate: Tensor) -> Tensor:
        y = (y + self.skip[:, None] * x).flatten(-2)
        out: Tensor = self.out_proj(self.norm(y * F.silu(gate)))
        return out


class Mamba2(Stack):
    """Residual layers of Mamba-2 blocks behind RMSNorm (Dao and Gu 2024, section 7; the reference's block order)."""

    name = "mamba2"
    Options = Mamba2Options

    def __init__(self, dim: int, options: Mamba2Options) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide the inner width.
        """
        width = options.d_model or dim
        d_head = head_width(width * options.expand, options.d_head)
        layers = [mamba2_layer(width, options, d_head) for _ in range(options.n_layers)]
        super().__init__(dim, options, width, layers, RmsNorm(width), options.tmd)


def mamba2_layer(width: int, options: Mamba2Options, d_head: int) -> Residual:
    """Return one residual layer."""
    mixer = Mamba2Mixer(width, options.d_state, options.d_conv, options.expand, d_head)
    return Residual(RmsNorm(width), mixer, options.dropout)


def head_width(inner: int, d_head: int) -> int:
    """Return `d_head`, or `inner` where that is narrower.

    Raises:
        SettingsError: if it does not divide `inner`.
    """
    if d_head >= inner:
        return inner
    if inner % d_head:
        near = [n for n in range(1, 2 * d_head) if inner % n == 0]
        raise SettingsError(
            [f"d_head is {d_head}, which does not divide expand x d_model = {inner}; expected one of {near}."]
        )
    return d_head
