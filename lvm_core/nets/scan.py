"""The linear recurrence h_t = a_t h_{t-1} + b_t, entry by entry, for all positions at once.

The text is cut into about sqrt(T) stretches: all stretches run side by side, then each is given what the one before
left. The backward pass is the same recurrence from the other end (Martin and Cundy 2018, section 2.2), so that only
`a` and `h` are kept for it.
"""

from typing import Any

import torch
from torch import Tensor


def linear_scan(a: Tensor, b: Tensor) -> Tensor:
    """Return h (B, T, ...) with h_t = a_t h_{t-1} + b_t, h before the first position zero.

    Args:
        a: (B, T, ...) factors, at most 1 in size.
        b: (B, T, ...) of the same shape.
    """
    out: Tensor = _LinearScan.apply(a, b)  # type: ignore[no-untyped-call]
    return out


class _LinearScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        h = _scan(a, b)
        ctx.save_for_backward(a, h)
        return h

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        a, h = ctx.saved_tensors
        after = torch.zeros_like(a)  # the factor with which h_t goes on into h_{t+1}
        after[:, :-1] = a[:, 1:]
        grad_b = _scan(after.flip(1), grad.flip(1)).flip(1)
        grad_a = torch.zeros_like(a)
        grad_a[:, 1:] = grad_b[:, 1:] * h[:, :-1]
        return grad_a, grad_b


def _scan(a: Tensor, b: Tensor) -> Tensor:
    length = b.shape[1]
    size = max(1, round(length**0.5))
    n_parts = -(-length // size)
    pad = n_parts * size - length
    h, factor = (_parts(x, n_parts, size, pad) for x in (b, a))
    for k in range(1, size):
        h[:, :, k] += factor[:, :, k] * h[:, :, k - 1]
        factor[:, :, k] *= factor[:, :, k - 1]
    for part in range(1, n_parts):
        h[:, part] += factor[:, part] * h[:, part - 1, -1:]
    return h.flatten(1, 2)[:, :length]


def _parts(x: Tensor, n_parts: int, size: int, pad: int) -> Tensor:
    """Return a copy (B, n_parts, size, ...) of `x` (B, T, ...), zeros behind its end."""
    filled = torch.cat([x, x.new_zeros(x.shape[0], pad, *x.shape[2:])], dim=1) if pad else x.clone()
    return filled.reshape(len(x), n_parts, size, *x.shape[2:])
