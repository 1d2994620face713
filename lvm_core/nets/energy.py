"""Energy head: samples of the next chunk in one step, trained by a proper score."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.attention import LlamaLayer, SwiGlu
from lvm_core.nets.distribution import Backbone, Distribution, DistributionOptions, masked_mean, standing_noise
from lvm_core.nets.heads import heads
from lvm_core.nets.stack import RmsNorm


@dataclass
class EnergyOptions(DistributionOptions):
    """Sizes of the net with an energy head."""

    n_blocks: int = setting(3, "blocks that make a sample of noise and context", low=1, high=64)
    d_noise: int = setting(64, "numbers of noise", low=1, high=4096)
    n_samples: int = setting(16, "samples that a prediction is the mean of", low=1, high=1024)
    n_training: int = setting(8, "samples that the score of a training step compares", low=2, high=256)


class SampleBlock(nn.Module):
    """e + SwiGLU(W e + V h): noise refined in the light of the context (Shao et al. 2025, "CALM", section 3.2)."""

    def __init__(self, width: int) -> None:
        """Make the block."""
        super().__init__()
        self.norm = RmsNorm(width)
        self.own, self.context = nn.Linear(width, width), nn.Linear(width, width)
        self.net = SwiGlu(width, width)

    def forward(self, e: Tensor, h: Tensor) -> Tensor:
        """Return (n, ..., M) for samples (n, ..., M) and contexts (..., M)."""
        out: Tensor = e + self.net(self.own(self.norm(e)) + self.context(h))
        return out


class Energy(Distribution):
    """Transformer over the context, and a head that turns noise into samples of what follows, in one step.

    Continuous autoregressive language models (Shao et al. 2025, section 3): trained by the energy score, a strictly
    proper rule (Gneiting and Raftery 2007, section 4.3), for which no likelihood is needed.
    """

    name = "energy"
    Options = EnergyOptions

    def __init__(self, dim: int, options: EnergyOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model into even widths.
        """
        super().__init__(dim, options)
        width = options.d_model or dim
        n_heads = heads(width, options.n_heads, even=True)
        layers = [LlamaLayer(width, n_heads, options.d_ff or 3 * width, 0, options.dropout)
                  for _ in range(options.n_layers)]  # fmt: skip
        self.body = Backbone(dim, width, [*layers], RmsNorm(width))
        self.noise = nn.Linear(options.d_noise, width)
        self.blocks = nn.ModuleList(SampleBlock(width) for _ in range(options.n_blocks))
        self.norm, self.head = RmsNorm(width), nn.Linear(width, dim)
        self.n_samples = options.n_samples
        self.normaliser()

    def last_layer(self) -> nn.Linear:
        return self.head

    def draw(self, x: Tensor, n: int, last: Tensor | None = None) -> Tensor:
        h = self.body(x)
        if last is not None:
            h = h[torch.arange(len(x), device=x.device), last]
        noise = standing_noise(n, self.options.d_noise, x.device, uniform=True)
        return self._samples(h, noise.view(n, *(1 for _ in h.shape[:-1]), -1))

    def _samples(self, h: Tensor, noise: Tensor) -> Tensor:
        """Return (n, ..., D) for contexts (..., M) and noise (n, ..., d_noise)."""
        e = self.noise(noise)
        for block in self.blocks:
            e = block(e, h)
        out: Tensor = self.head(self.norm(e))
        return out

    def sampling_loss(self, x: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        h = self.body(x)
        noise = torch.rand(self.options.n_training, *h.shape[:-1], self.options.d_noise, device=x.device) - 0.5
        return masked_mean(energy_score(self._samples(h, noise).float(), target), mask)


def energy_score(samples: Tensor, target: Tensor) -> Tensor:
    """Return 2/n sum |x_i - y| - 1/(n (n-1)) sum |x_i - x_j| (...) of samples (n, ..., D) for a target (..., D).

    The unbiased estimate of the energy score (CALM, equation 10, with one target); its mean is least for the true
    distribution. It is divided by sqrt(D), the size that such distances have.
    """
    n = len(samples)
    to_target = (samples - target).norm(dim=-1).mean(0)
    flat = samples.movedim(0, -2)  # (..., n, D)
    square = flat.square().sum(-1)
    between = (square[..., :, None] + square[..., None, :] - 2 * flat @ flat.transpose(-1, -2)).clamp(min=0)
    apart = torch.triu(torch.ones(n, n, dtype=torch.bool, device=samples.device), 1)
    distances = (between[..., apart] + 1e-12).sqrt().sum(-1) * 2 / (n * (n - 1))
    score: Tensor = (2 * to_target - distances) / samples.shape[-1] ** 0.5
    return score
