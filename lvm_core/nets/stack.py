"""What the deep nets share: a projection in, residual layers one after another, a norm, a projection out.

A layer is a module `layer(h: (B, T, M)) -> (B, T, M)` with its residual connections inside; position t of what it
returns depends on positions 0 .. t alone. A recurrent layer also has `step`, which takes one position and what is
remembered of those before: the same numbers at a cost that does not grow with the text.
"""

from collections.abc import Sequence
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn

from lvm_core.nets.base import SequenceModel, unit

State = Any
"""What a recurrent layer remembers: tensors, or tuples of them, with the batch as their first dimension."""

TMD_DIM = 16
"""Length of a chunk's TMD vector: domain, task and modifier, see `lvm_core.corpus.tmd`."""


@runtime_checkable
class RecurrentLayer(Protocol):
    """A layer with a step: `step(h (B, M), state) -> (h (B, M), state)`; the state of an empty text is None."""

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]: ...


class RmsNorm(nn.Module):
    """x / rms(x), times a learned weight (Zhang and Sennrich 2019, section 4)."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        """Start with weights of one."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised `x` (..., M) in its own type, computed in float32."""
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (self.weight * scaled).to(x.dtype)


class Stack(SequenceModel):
    """Linear(D, M), layers, norm, Linear(M, D); the mixing of positions is all in the layers.

    With `tmd` the net is told of each position which domain, task and modifier the next chunk has: Linear(16, M),
    added to the input (B, T, M); where nothing is told (a vector of zeros) nothing is added.
    """

    def __init__(
        self, dim: int, options: Any, d_model: int, layers: Sequence[nn.Module], norm: nn.Module, tmd: bool = False
    ) -> None:
        """Make the net for vectors of `dim` numbers from its `layers` of width `d_model`."""
        super().__init__(dim, options)
        self.input = nn.Linear(dim, d_model)
        self.layers = nn.ModuleList(layers)
        self.norm = norm
        self.head = nn.Linear(d_model, dim)
        self.tmd = nn.Linear(TMD_DIM, d_model) if tmd else None

    def last_layer(self) -> nn.Linear:
        return self.head

    def embed(self, x: Tensor, tmd: Tensor | None = None) -> Tensor:
        """Return the layers' input (..., M) for vectors (..., D) and, where given, TMD vectors (..., 16)."""
        # entries of unit vectors, brought to size 1, so that the first layer starts like any other
        h: Tensor = self.input(x * self.dim**0.5)
        if tmd is None or self.tmd is None:
            return h
        told: Tensor = self.tmd(tmd) * tmd.any(-1, keepdim=True)
        return h + told

    def hidden(self, x: Tensor, tmd: Tensor | None = None) -> Tensor:
        """Return what the layers make (B, T, M) of vectors (B, T, D) and, where given, TMD vectors (B, T, 16)."""
        h = self.embed(x, tmd)
        for layer in self.layers:
            h = layer(h)
        return h

    def finish(self, h: Tensor) -> Tensor:
        """Return the correction (..., D) of what the layers made (..., M)."""
        out: Tensor = self.head(self.norm(h))
        return out

    def correction(self, x: Tensor, tmd: Tensor | None = None) -> Tensor:
        return self.finish(self.hidden(x, tmd))

    def unscaled(self, x: Tensor, tmd: Tensor | None = None) -> Tensor:
        return self.onto_start(self.correction(x, tmd), self.starting_point(x))

    def unscaled_at(self, x: Tensor, last: Tensor, tmd: Tensor | None = None) -> Tensor:
        place = torch.arange(len(x), device=x.device), last
        start = self.starting_point(x)
        return self.onto_start(self.finish(self.hidden(x, tmd)[place]), None if start is None else start[place])

    def forward(self, x: Tensor, tmd: Tensor | None = None) -> Tensor:
        """Return the predictions (B, T, D), unit norm; `tmd` (B, T, 16) is of the chunk after each position."""
        return unit(self.unscaled(x, tmd))

    @property
    def recurrent(self) -> bool:
        """Whether every layer has a step."""
        parts = [layer.mixer if isinstance(layer, Residual) else layer for layer in self.layers]
        return all(isinstance(part, RecurrentLayer) for part in parts)

    @torch.inference_mode()
    def step(self, x: Tensor, state: list[State] | None = None) -> tuple[Tensor, list[State]]:
        """Return the correction (B, D) after one more chunk `x` (B, D), and what to remember.

        Args:
            x: the chunk's vectors.
            state: what the last call returned; None at the beginning of a text.
        """
        before = state or [None] * len(self.layers)
        after = []
        h = self.embed(x)
        for layer, remembered in zip(self.layers, before, strict=True):
            h, new = cast(RecurrentLayer, layer).step(h, remembered)
            after.append(new)
        return self.finish(h), after


class Residual(nn.Module):
    """h + mixer(norm(h)): a mixer of positions as a layer; recurrent where the mixer is."""

    def __init__(self, norm: nn.Module, mixer: nn.Module, dropout: float = 0.0) -> None:
        """Join the parts."""
        super().__init__()
        self.norm, self.mixer, self.dropout = norm, mixer, nn.Dropout(dropout)

    def forward(self, h: Tensor) -> Tensor:
        """Return (B, T, M)."""
        mixed: Tensor = h + self.dropout(self.mixer(self.norm(h)))
        return mixed

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M) and the mixer's state."""
        change, new = cast(RecurrentLayer, self.mixer).step(self.norm(h), state)
        return h + change, new


class Pointwise(nn.Module):
    """A mixer that looks at each position alone, such as a feed-forward net; its step is itself."""

    def __init__(self, net: nn.Module) -> None:
        """Wrap `net`."""
        super().__init__()
        self.net = net

    def forward(self, h: Tensor) -> Tensor:
        """Return (..., M)."""
        out: Tensor = self.net(h)
        return out

    def step(self, h: Tensor, state: State) -> tuple[Tensor, State]:
        """Return one position (B, M); nothing is remembered."""
        return self.forward(h), state


class CausalConv(nn.Module):
    """A depthwise convolution over the last `width` positions, and SiLU behind it."""

    def __init__(self, channels: int, width: int) -> None:
        """Make the kernel."""
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, width, groups=channels, padding=width - 1)
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, T, C) for `x` (B, T, C)."""
        out = self.conv(x.transpose(1, 2))[..., : x.shape[1]]
        return nn.functional.silu(out.transpose(1, 2))

    def step(self, x: Tensor, last: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return (B, C) and the last width - 1 inputs (B, width - 1, C)."""
        if last is None:
            last = x.new_zeros(x.shape[0], self.width - 1, x.shape[1])
        window = torch.cat([last, x[:, None]], dim=1)  # (B, width, C)
        out = torch.einsum("bwc,cw->bc", window, self.conv.weight[:, 0]) + cast(Tensor, self.conv.bias)
        return nn.functional.silu(out), window[:, 1:]


def long_convolution(u: Tensor, kernel: Tensor) -> Tensor:
    """Return the causal convolution (B, M, T) of `u` (B, M, T) with `kernel` (M, T), by FFT.

    Both are padded to 2 T: without that the end of a text would wrap round into its beginning.
    """
    n = 2 * u.shape[-1]
    product = torch.fft.rfft(u, n=n) * torch.fft.rfft(kernel, n=n)
    convolved: Tensor = torch.fft.irfft(product, n=n)
    return convolved[..., : u.shape[-1]]


def inverse_softplus(n: int, low: float = 1e-3, high: float = 0.1) -> Tensor:
    """Return biases (n,) that start time steps evenly in log scale between `low` and `high` (Gu and Dao 2023, 3.6)."""
    steps = torch.exp(torch.rand(n) * torch.log(torch.tensor(high / low))) * low
    return steps + torch.log(-torch.expm1(-steps))
