"""Mamba: a selective state space in which every channel has states that decay at paces of their own."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions
from lvm_core.nets.scan import linear_scan
from lvm_core.nets.stack import CausalConv, Residual, RmsNorm, Stack, State, inverse_softplus


@dataclass
class MambaOptions(NetOptions):
    """Sizes of Mamba."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(6, "layers", low=1, high=128)
    d_state: int = setting(16, "numbers remembered a channel", low=1, high=1024)
    d_conv: int = setting(4, "positions of the short convolution", unit="chunks", low=1, high=64)
    expand: int = setting(2, "inner width, as a multiple of d_model", low=1, high=8)
    tmd: bool = setting(False, "tell the net which domain, task and modifier the next chunk has")


class MambaMixer(nn.Module):
    """The block of Mamba (Gu and Dao 2023, section 3.4, figure 3): gate, short convolution, selective scan."""

    def __init__(self, width: int, d_state: int, d_conv: int, expand: int) -> None:
        """Make the block for layers of `width`."""
        super().__init__()
        inner, rank = expand * width, -(-width // 16)
        self.rank, self.d_state = rank, d_state
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)
        self.conv = CausalConv(inner, d_conv)
        self.x_proj = nn.Linear(inner, rank + 2 * d_state, bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        nn.init.uniform_(self.dt_proj.weight, -(rank**-0.5), rank**-0.5)
        with torch.no_grad():
            self.dt_proj.bias.copy_(inverse_softplus(inner))
        self.a_log = nn.Parameter(torch.arange(1, d_state + 1).float().log().repeat(inner, 1))
        self.skip = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, width, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        x, gate = self.in_proj(h).chunk(2, dim=-1)
        x = self.conv(x)
        decay, added, read = self._select(x)
        states = linear_scan(decay, added)  # (B, T, inner, N)
        return self._finish(states, read, x, gate)

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M), and the convolution's and the state space's memory."""
        last, memory = state or (None, 0.0)
        x, gate = self.in_proj(h).chunk(2, dim=-1)
        x, last = self.conv.step(x, last)
        decay, added, read = self._select(x)
        memory = decay * memory + added
        return self._finish(memory, read, x, gate), (last, memory)

    def _select(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return decay and input of the states (..., inner, N), and what is read of them (..., N)."""
        dt, key, read = self.x_proj(x).split([self.rank, self.d_state, self.d_state], dim=-1)
        dt = F.softplus(self.dt_proj(dt).float())  # (..., inner)
        decay = torch.exp(-dt[..., None] * self.a_log.exp())
        return decay, (dt * x.float())[..., None] * key.float()[..., None, :], read

    def _finish(self, states: Tensor, read: Tensor, x: Tensor, gate: Tensor) -> Tensor:
        y = (states @ read.float()[..., None])[..., 0] + self.skip * x
        out: Tensor = self.out_proj(y.to(gate.dtype) * F.silu(gate))
        return out


class Mamba(Stack):
    """Residual layers of Mamba blocks behind RMSNorm (Gu and Dao 2023, section 3.4)."""

    name = "mamba"
    Options = MambaOptions

    def __init__(self, dim: int, options: MambaOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        width = options.d_model or dim
        layers = [
            Residual(
                RmsNorm(width),
                MambaMixer(width, options.d_state, options.d_conv, options.expand),
                options.dropout,
            )
            for _ in range(options.n_layers)
        ]
        super().__init__(dim, options, width, layers, RmsNorm(width), options.tmd)
