"""What is kept of a long context: the last five chunks one by one, older ones as means of ever longer stretches."""

import torch
from torch import Tensor

LAGS = 5
"""Chunks that are kept one by one; lag 1 is the last chunk of the context."""

STRETCHES = ((5, 10), (10, 20), (20, 40), (40, 100))
"""Older stretches (a, b): the mean of the chunks at lags a + 1 .. b."""

Span = tuple[int, int]


def spans_within(context: int) -> tuple[Span, ...]:
    """Return the spans (a, b) of lags that a memory of `context` chunks has; the last one may be cut short."""
    single = [(lag, lag + 1) for lag in range(min(LAGS, context))]
    older = [(a, min(b, context)) for a, b in STRETCHES if a < context]
    return tuple(single + older)


def span_mean(total: Tensor, span: Span) -> tuple[Tensor, Tensor]:
    """Return the mean of the chunks in `span` before each position and how many there are.

    Args:
        total: (B, T + 1, D) running sums, total[:, t] = sum of the first t vectors.
        span: lags (a, b), counted back from the position itself (lag 0 is the position's own vector).

    Returns:
        (B, T, D) means, zero where the sequence does not reach back so far, and (T,) counts.
    """
    start, stop = span
    length = total.shape[1] - 1
    ends = torch.arange(1, length + 1, device=total.device)
    high, low = (ends - start).clamp(min=0), (ends - stop).clamp(min=0)
    counts = high - low
    mean = (total[:, high] - total[:, low]) / counts.clamp(min=1)[:, None]
    return mean, counts


def running_sum(x: Tensor) -> Tensor:
    """Return (B, T + 1, D): entry t is the sum of the first t vectors of `x` (B, T, D)."""
    return torch.nn.functional.pad(x.float().cumsum(dim=1), (0, 0, 1, 0))


def lagged(x: Tensor, lag: int) -> Tensor:
    """Return `x` (B, T, D) moved `lag` positions later, zeros in front."""
    return x if lag == 0 else torch.nn.functional.pad(x, (0, 0, lag, 0))[:, : x.shape[1]]


def memory_features(x: Tensor, spans: tuple[Span, ...]) -> tuple[Tensor, Tensor]:
    """Return for each position the features (B, T, K, D) of `spans` and whether each is there, (T, K) bool."""
    length = x.shape[1]
    long = any(stop - start > 1 for start, stop in spans)
    total = running_sum(x) if long else None
    parts, there = [], []
    place = torch.arange(length, device=x.device)
    for start, stop in spans:
        if stop - start == 1 or total is None:
            parts.append(lagged(x, start))  # exact: no difference of running sums
        else:
            parts.append(span_mean(total, (start, stop))[0].to(x.dtype))
        there.append(place >= start)
    return torch.stack(parts, dim=2), torch.stack(there, dim=1)
