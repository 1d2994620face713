"""Diffusion: the next chunk is made of noise in a few steps, in the light of the context; one tower or two."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.errors import SettingsError
from lvm_core.nets.attention import LlamaLayer
from lvm_core.nets.denoiser import ClockTime, ContextLayer, Memory
from lvm_core.nets.distribution import Backbone, Distribution, DistributionOptions, masked_mean, standing_noise
from lvm_core.nets.heads import all_sizes, heads
from lvm_core.nets.noise_schedule import ddim_step, kept_signal, trailing_times
from lvm_core.nets.stack import RmsNorm

CLEAN = -1
"""The time of a vector without noise."""


@dataclass
class DiffusionOptions(DistributionOptions):
    """Sizes and sampling of a diffusion net."""

    n_times: int = setting(100, "times of the diffusion, from hardly any noise to nothing but", low=2, high=10_000)
    n_steps: int = setting(10, "times visited when sampling; at most n_times", low=1, high=1000)
    n_samples: int = setting(8, "samples that a prediction is the mean of", low=1, high=1024)
    guidance_dropout: float = setting(
        0.15, "share of the texts whose context is withheld while training", low=0.0, high=1.0
    )
    guidance: float = setting(
        1.0, "how far samples are moved away from those without context; 1: not at all", low=0.0, high=20.0
    )


@dataclass
class TwoTowerOptions(DiffusionOptions):
    """Sizes of the two-tower net; the paper's has 5 layers that read and 13 that denoise, 2048 wide, and 40 steps."""

    n_layers: int = setting(2, "layers that read the context", low=1, high=128)
    n_denoising: int = setting(3, "layers that denoise", low=1, high=128)


def _steps(options: DiffusionOptions) -> int:
    if options.n_steps > options.n_times:
        raise SettingsError([f"n_steps is {options.n_steps}; expected at most n_times = {options.n_times}."])
    return options.n_steps


class Diffusion(Distribution):
    """What both forms share: noise is added at a time by chance, and the net says what the clean vector was.

    Trained by the squared error of that (LCM team 2024, equation 11 with equal weights), the context withheld from a
    share of the texts (classifier-free guidance, Ho and Salimans 2022). Sampled by DDIM over trailing times.
    """

    signal: Tensor

    def __init__(self, dim: int, options: DiffusionOptions) -> None:
        """Check the steps and lay out the schedule.

        Raises:
            SettingsError: if more times are to be visited than there are.
        """
        super().__init__(dim, options)
        width = options.d_model or dim
        self.n_heads, n_steps = all_sizes(lambda: heads(width, options.n_heads, even=True), lambda: _steps(options))
        self.d_ff = options.d_ff or 3 * width
        self.n_samples = options.n_samples
        self.times = trailing_times(options.n_times, n_steps)
        self.register_buffer("signal", kept_signal(options.n_times), persistent=False)
        self.clock = ClockTime(width)
        self.noisy_input = nn.Linear(dim, width)
        self.head = nn.Linear(width, dim)
        self.norm = RmsNorm(width)
        self.normaliser()

    def last_layer(self) -> nn.Linear:
        return self.head

    @abstractmethod
    def read(self, x: Tensor) -> list[Memory]:
        """Return what each denoising layer looks at for a context (B, S, D)."""

    @abstractmethod
    def denoise(self, z: Tensor, times: Tensor, place: Tensor, memory: list[Memory], seen: Tensor) -> Tensor:
        """Return the clean vectors (B, R, D) that the net makes out in noisy ones, normalised.

        Args:
            z: (B, R, D).
            times: (B, R) or (1, 1).
            place: (B, R) where the vectors stand: one behind the last chunk they see.
            memory: from `read`.
            seen: (B, R, S) bool, the chunks that each of them sees.
        """

    def draw(self, x: Tensor, n: int, last: Tensor | None = None) -> Tensor:
        memory = self.read(x)
        noise = standing_noise(n, self.dim, x.device)
        if last is not None:  # all samples of a text side by side
            z = noise.expand(len(x), n, self.dim)
            return self._sampled(z, last[:, None].expand(-1, n), memory).transpose(0, 1)
        place = torch.arange(x.shape[1], device=x.device).expand(len(x), -1)
        return torch.stack([self._sampled(one.expand(*x.shape[:2], -1), place, memory) for one in noise])

    def _sampled(self, z: Tensor, last: Tensor, memory: list[Memory]) -> Tensor:
        """Return clean vectors (B, R, D) made of noise `z` after the chunks up to `last` (B, R)."""
        n_chunks = memory[0][0].shape[2]
        seen = torch.arange(n_chunks, device=z.device) <= last[..., None]  # (B, R, S)
        for time, after in zip(self.times, [*self.times[1:], -1], strict=True):
            at = torch.tensor([[time]], device=z.device)
            clean = self.denoise(z, at, last + 1, memory, seen)
            if self.options.guidance != 1.0:
                free = self.denoise(z, at, last + 1, memory, torch.zeros_like(seen))
                clean = free + self.options.guidance * (clean - free)
            z = ddim_step(z, clean, self.signal[time], self.signal[after] if after >= 0 else 1.0)
        return z

    def sampling_loss(self, x: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        n_texts, length, _ = x.shape
        place = torch.arange(length, device=x.device).expand(n_texts, -1)
        times = torch.randint(len(self.signal), (n_texts, length), device=x.device)
        share = self.signal[times][..., None]
        z = share.sqrt() * target + (1 - share).sqrt() * torch.randn_like(target)
        told = torch.rand(n_texts, 1, 1, device=x.device) >= self.options.guidance_dropout
        seen = (torch.arange(length, device=x.device) <= place[..., None]) & told
        clean = self.denoise(z, times, place + 1, self.read(x), seen)
        return masked_mean((clean.float() - target).square().mean(-1), mask)


class TwoTower(Diffusion):
    """One tower reads the context, the other denoises and looks at it (LCM team 2024, section 2.3.3)."""

    name = "lcm-two-tower"
    Options = TwoTowerOptions

    def __init__(self, dim: int, options: TwoTowerOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model into even widths, or there are more steps than times.
        """
        super().__init__(dim, options)
        width = options.d_model or dim
        reading = [LlamaLayer(width, self.n_heads, self.d_ff, 0, options.dropout) for _ in range(options.n_layers)]
        self.body = Backbone(dim, width, [*reading], RmsNorm(width))
        self.layers = nn.ModuleList(
            ContextLayer(width, self.n_heads, self.d_ff, options.dropout, modulated=True)
            for _ in range(options.n_denoising)
        )

    def read(self, x: Tensor) -> list[Memory]:
        context, place = self.body(x), torch.arange(x.shape[1], device=x.device)
        return [_layer(layer).remember(context, place) for layer in self.layers]

    def denoise(self, z: Tensor, times: Tensor, place: Tensor, memory: list[Memory], seen: Tensor) -> Tensor:
        h, time = self.noisy_input(z), self.clock(times)
        for layer, remembered in zip(self.layers, memory, strict=True):
            h = layer(h, place, remembered, seen, time)
        out: Tensor = self.head(self.norm(h))
        return out


class OneTower(Diffusion):
    """The same layers read clean chunks and denoise the next one (LCM team 2024, section 2.3.2).

    In the paper clean and noisy vectors stand in one sequence, which an attention mask keeps apart; here they are two
    streams through the same weights: a clean chunk looks at clean ones before it, a noisy one at them and at itself.
    """

    name = "lcm-one-tower"
    Options = DiffusionOptions

    def __init__(self, dim: int, options: DiffusionOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model into even widths, or there are more steps than times.
        """
        super().__init__(dim, options)
        width = options.d_model or dim
        self.clean_input = nn.Linear(dim, width)
        self.layers = nn.ModuleList(
            ContextLayer(width, self.n_heads, self.d_ff, options.dropout) for _ in range(options.n_layers)
        )

    def read(self, x: Tensor) -> list[Memory]:
        place = torch.arange(x.shape[1], device=x.device)
        earlier = (place < place[:, None]).expand(len(x), -1, -1)
        h = self.clean_input(x * self.dim**0.5) + self.clock(torch.full((1, 1), CLEAN, device=x.device))
        memory = []
        for layer in map(_layer, self.layers):
            memory.append(layer.remember(layer.attention_norm(h), place))
            h = layer(h, place.expand(len(x), -1), memory[-1], earlier)
        return memory

    def denoise(self, z: Tensor, times: Tensor, place: Tensor, memory: list[Memory], seen: Tensor) -> Tensor:
        h = self.noisy_input(z) + self.clock(times)
        for layer, remembered in zip(self.layers, memory, strict=True):
            h = layer(h, place, remembered, seen)
        out: Tensor = self.head(self.norm(h))
        return out


def _layer(module: nn.Module) -> ContextLayer:
    assert isinstance(module, ContextLayer)
    return module
