"""Which token comes next, and with what random numbers: those of a vector and a place in the text alone."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lvm_core.inverter.net import END

N_SPECIAL = 17
"""SmolLM2's first tokens are marks, not text."""

TOP_P = 0.9


def choose(
    logits: Tensor, lean: Tensor | None, temperature: float, drawn: Tensor, greedy: Tensor
) -> tuple[list[int], list[float]]:
    """Return for each row the next token and its plain log-probability."""
    wanted = logits.clone() if lean is None else logits + lean
    wanted[:, :N_SPECIAL] = -torch.inf
    wanted[:, END] = logits[:, END]
    values, tokens = wanted.topk(min(64, wanted.shape[1]), -1)
    p = torch.softmax(values / max(temperature, 1e-3), -1)
    before = p.cumsum(-1) - p
    p = torch.where(before < TOP_P, p, 0)
    edges = p.cumsum(-1)
    sampled = (edges < (drawn.to(p.device) * edges[:, -1])[:, None]).sum(-1).clamp(max=p.shape[1] - 1)
    pick = torch.where(greedy.to(p.device), 0, sampled)[:, None]
    token = tokens.gather(1, pick)
    plain = logits.gather(1, token) - torch.logsumexp(logits, -1, keepdim=True)
    return token[:, 0].tolist(), plain[:, 0].tolist()


def vector_seeds(vectors: NDArray[np.float32]) -> list[int]:
    """Return a seed for each vector (N, D), the same for the same vector up to rounding."""
    import hashlib

    digests = [hashlib.sha256(np.round(v, 4).astype(np.float32).tobytes()).digest() for v in vectors]
    return [int.from_bytes(d[:6], "little") for d in digests]
