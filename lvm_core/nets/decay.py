"""Linear attention with decay: the recurrence that Mamba-2, RetNet and Performer have in common.

    S_t = a_t S_{t-1} + k_t v_t^T        y_t = S_t^T q_t

with one number a_t in (0, 1] a head and position (Dao and Gu 2024, equation 6; Sun et al. 2023, equation 3;
Katharopoulos et al. 2020, section 3.3, where a = 1). In training the text is cut into blocks: inside a block it is
attention with a decaying mask, between blocks one matrix is handed on (Dao and Gu 2024, section 6, listing 1).
"""

import torch
from torch import Tensor

BLOCK = 64
"""Positions handled as attention; longer texts go from block to block."""


def decay_attention(q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor) -> Tensor:
    """Return y (B, T, H, P) for every position at once.

    Args:
        q: (B, T, H, N) what is asked at each position.
        k: (B, T, H, N) what each position is remembered by.
        v: (B, T, H, P) what is remembered.
        log_decay: (B, T, H) log a_t, at most 0.
    """
    length = q.shape[1]
    outs, state = [], None
    for first in range(0, length, BLOCK):
        part = slice(first, first + BLOCK)
        out, state = _block(q[:, part], k[:, part], v[:, part], log_decay[:, part], state, first + BLOCK < length)
        outs.append(out)
    return outs[0] if len(outs) == 1 else torch.cat(outs, dim=1)


def _block(
    q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor, state: Tensor | None, last: bool
) -> tuple[Tensor, Tensor | None]:
    """Return a block's outputs (B, L, H, P) and, where another follows, the state (B, H, N, P) behind it."""
    length = q.shape[1]
    total = log_decay.float().cumsum(1).transpose(1, 2)  # (B, H, L)
    past = torch.ones(length, length, dtype=torch.bool, device=q.device).tril()
    gap = (total[..., :, None] - total[..., None, :]).masked_fill(~past, float("-inf"))
    scores = torch.einsum("blhn,bshn->bhls", q, k) * gap.exp().to(q.dtype)
    out = torch.einsum("bhls,bshp->blhp", scores, v)
    if state is not None:
        carried = total.exp().transpose(1, 2)[..., None].to(q.dtype)  # (B, L, H, 1)
        out = out + torch.einsum("blhn,bhnp->blhp", q * carried, state)
    if not last:
        return out, None
    left = (total[..., -1:] - total).exp().transpose(1, 2)[..., None].to(k.dtype)  # (B, L, H, 1)
    new = torch.einsum("bshn,bshp->bhnp", k * left, v)
    if state is not None:
        new = new + state * total[..., -1, None, None].exp().to(state.dtype)
    return out, new


def decay_step(q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return y (B, H, P) of one position and the state (B, H, N, P) behind it; shapes as above without T."""
    new = k[..., None] * v[..., None, :]
    if state is not None:
        new = new + state * log_decay.exp()[..., None, None]
    return torch.einsum("bhn,bhnp->bhp", q, new), new
