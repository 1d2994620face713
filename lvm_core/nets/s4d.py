"""S4D: a state space with fixed diagonal dynamics, one a channel, which in training is one long convolution."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions
from lvm_core.nets.stack import Residual, Stack, State, long_convolution


@dataclass
class S4dOptions(NetOptions):
    """Sizes of S4D."""

    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(4, "layers", low=1, high=128)
    d_state: int = setting(64, "states a channel; half of them are stored, the others are conjugate", low=2, high=1024)
    dt_min: float = setting(0.001, "shortest time step at the start", unit="chunks", low=1e-6, high=10.0)
    dt_max: float = setting(0.1, "longest time step at the start", unit="chunks", low=1e-6, high=10.0)


class S4dMixer(nn.Module):
    """x' = A x + u, y = 2 Re(C x) + D u a channel, A diagonal (Gu et al. 2022, "On the parameterization ... S4D").

    A starts as S4D-Lin, -1/2 + i pi n (section 4.3); the continuous system is discretised by zero-order hold
    (equation 3), its kernel is a sum of powers (equation 6). Behind it a GELU and a gated linear map.
    """

    no_decay = ("log_dt", "log_decay", "frequency")
    """Parameters that weight decay must leave alone (section 5 of the paper's appendix on training)."""

    def __init__(self, width: int, d_state: int, dt_min: float, dt_max: float) -> None:
        """Make the dynamics of `width` channels."""
        super().__init__()
        half = max(1, d_state // 2)
        spread = torch.rand(width) * (math.log(dt_max) - math.log(dt_min))
        self.log_dt = nn.Parameter(spread + math.log(dt_min))
        self.log_decay = nn.Parameter(torch.full((width, half), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(half).float().repeat(width, 1))
        self.read = nn.Parameter(torch.randn(width, half, 2) * 0.5**0.5)  # C, real and imaginary part
        self.skip = nn.Parameter(torch.randn(width))
        self.out = nn.Linear(width, 2 * width)

    def discrete(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the discrete A, B and C (M, N/2), complex: x_t = A x_{t-1} + B u_t, y_t = 2 Re(C x_t)."""
        a = torch.complex(-self.log_decay.float().exp(), self.frequency.float())
        discrete = torch.exp(a * self.log_dt.float().exp()[:, None])
        return discrete, (discrete - 1) / a, torch.view_as_complex(self.read.float().contiguous())

    def kernel(self, length: int) -> Tensor:
        """Return the impulse response (M, T)."""
        a, b, c = self.discrete()
        powers = torch.exp(a.log()[..., None] * torch.arange(length, device=a.device))  # (M, N/2, T)
        return 2 * torch.einsum("mn,mnt->mt", b * c, powers).real

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        u = h.float()
        y = long_convolution(u.transpose(1, 2), self.kernel(h.shape[1])).transpose(1, 2) + self.skip * u
        return self._finish(y)

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M) and the states (B, M, N/2)."""
        a, b, c = self.discrete()
        before = 0.0 if state is None else state
        states = a * before + b * h.float()[..., None]
        return self._finish(2 * (c * states).sum(-1).real + self.skip * h), states

    def _finish(self, y: Tensor) -> Tensor:
        value, gate = self.out(F.gelu(y)).chunk(2, dim=-1)
        out: Tensor = value * torch.sigmoid(gate)
        return out


class S4d(Stack):
    """Residual layers of S4D behind LayerNorm."""

    name = "s4d"
    Options = S4dOptions

    def __init__(self, dim: int, options: S4dOptions) -> None:
        """Make the net for vectors of `dim` numbers."""
        width = options.d_model or dim
        layers = [
            Residual(
                nn.LayerNorm(width), S4dMixer(width, options.d_state, options.dt_min, options.dt_max), options.dropout
            )
            for _ in range(options.n_layers)
        ]
        super().__init__(dim, options, width, layers, nn.LayerNorm(width))
