"""How much noise a diffusion adds, and the way back without chance (DDIM)."""

import math

import torch
from torch import Tensor

OFFSET = 0.008


def kept_signal(n_steps: int) -> Tensor:
    """Return of each of `n_steps` times the share of signal alpha-bar (n_steps,) that is left in a noisy vector.

    The cosine schedule (Nichol and Dhariwal 2021, equation 17), moved so that at the last time nothing is left
    ("zero terminal SNR", Lin et al. 2024, algorithm 1), as the LCM's authors do (2024, section 2.3.1).
    """

    def level(share: float) -> float:
        return math.cos((share + OFFSET) / (1 + OFFSET) * math.pi / 2) ** 2

    betas = [min(1 - level((i + 1) / n_steps) / level(i / n_steps), 0.999) for i in range(n_steps)]
    roots = torch.tensor(betas, dtype=torch.float64).neg().add(1).cumprod(0).sqrt()
    first, last = roots[0].clone(), roots[-1].clone()
    return ((roots - last) * first / (first - last)).square().float() if n_steps > 1 else torch.zeros(1)


def trailing_times(n_times: int, n_steps: int) -> list[int]:
    """Return the times visited on the way back, from the last one down, evenly ("trailing", Lin et al. 2024, 3.3)."""
    stride = n_times / n_steps
    return [round(n_times - k * stride) - 1 for k in range(n_steps)]


def ddim_step(noisy: Tensor, clean: Tensor, now: Tensor | float, after: Tensor | float) -> Tensor:
    """Return the vector one step nearer to the data (Song et al. 2021, equation 12, with sigma = 0).

    Args:
        noisy: (..., D) at this time.
        clean: (..., D) what the net takes for the vector without noise.
        now: alpha-bar of this time, below 1.
        after: alpha-bar of the next one; 1 at the end, where `clean` itself is returned.
    """
    here, there = torch.as_tensor(now), torch.as_tensor(after)
    noise = (noisy - here.sqrt() * clean) / (1 - here).sqrt()
    return there.sqrt() * clean + (1 - there).sqrt() * noise
