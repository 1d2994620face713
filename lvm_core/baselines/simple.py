"""The baselines that need no more than a line of algebra."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from lvm_core.baselines.base import Baseline, articles
from lvm_core.config import setting
from lvm_core.nets.base import unit
from lvm_core.nets.memory import lagged, running_sum, span_mean
from lvm_core.types import DocumentInfo, Progress, VectorSource, no_progress


@dataclass
class WindowOptions:
    """How far a baseline looks back."""

    context: int = setting(5, "chunks it looks back", "chunks", low=1, high=100)


class CopyLast(Baseline):
    """Says that the last chunk comes again."""

    name = "copy-last"
    sliding = True

    def unscaled(self, x: Tensor) -> Tensor:
        return x.float()


class ContextMean(Baseline):
    """Says the mean of the last `context` chunks."""

    name = "context-mean"
    sliding = True
    Options = WindowOptions

    def __init__(self, dim: int, options: WindowOptions) -> None:
        """Make the baseline; there is nothing to fit."""
        super().__init__(dim, options)

    def unscaled(self, x: Tensor) -> Tensor:
        return span_mean(running_sum(x), (0, self.options.context))[0]


class WeightedMean(Baseline):
    """One least-squares weight for each lag, for each length of context: sum over lags of w[t, lag] x[t - lag].

    Ordinary least squares on the raw vectors (normal equations over all entries at once).
    """

    name = "weighted-mean"
    needs_fit: ClassVar[bool] = True
    sliding = True
    Options = WindowOptions
    weights: Tensor

    def __init__(self, dim: int, options: WindowOptions) -> None:
        """Start as the plain mean of what is there."""
        super().__init__(dim, options)
        longest = options.context
        share = torch.ones(longest, longest).tril() / torch.arange(1, longest + 1)[:, None]
        self.register_buffer("weights", share)  # (longest, lags): row t - 1 serves contexts of t chunks

    def fit(self, vectors: VectorSource, documents: Sequence[DocumentInfo], progress: Progress = no_progress) -> None:
        longest = self.options.context
        gram = torch.zeros(longest, longest, longest, dtype=torch.float64)
        right = torch.zeros(longest, longest, dtype=torch.float64)
        for x in articles(vectors, documents, progress, "weighted mean"):
            near = torch.stack([torch.nn.functional.pad((x[lag:] * x[: len(x) - lag]).sum(1), (lag, 0))
                                for lag in range(min(longest, len(x) - 1) + 1)])  # fmt: skip
            _add_gram(gram, right, near.double())
        for t in range(longest):
            a = gram[t, : t + 1, : t + 1]
            if a[0, 0] > 0:
                ridge = 1e-6 * a.diagonal().mean() * torch.eye(t + 1, dtype=torch.float64)
                self.weights[t, : t + 1] = torch.linalg.solve(a + ridge, right[t, : t + 1]).float()

    def unscaled(self, x: Tensor) -> Tensor:
        longest = self.options.context
        row = torch.arange(x.shape[1], device=x.device).clamp(max=longest - 1)
        weights = self.weights[row]  # (T, lags)
        out = torch.zeros_like(x, dtype=torch.float32)
        for lag in range(min(longest, x.shape[1])):
            out += weights[:, lag, None] * lagged(x, lag)
        return out


def _add_gram(gram: Tensor, right: Tensor, near: Tensor) -> None:
    """Add one article's normal equations.

    Args:
        gram: (L, L, L), for contexts of t + 1 chunks the products of lags i and j.
        right: (L, L), for contexts of t + 1 chunks the products of lag i and the target.
        near: (lags, n) products of each chunk with the chunk `lag` before it.
    """
    longest, n = gram.shape[0], near.shape[1]
    for t in range(min(longest, n - 1)):
        last = torch.arange(t, n - 1)  # the context's last chunk; the target is the next one
        for i in range(t + 1):
            right[t, i] += near[i + 1, last + 1].sum()
            for j in range(i, t + 1):
                value = near[j - i, last - i].sum()
                gram[t, i, j] += value
                if i != j:
                    gram[t, j, i] += value


class CorpusMean(Baseline):
    """Says the mean of the training chunks, whatever the context."""

    name = "corpus-mean"
    needs_fit: ClassVar[bool] = True
    sliding = True
    mean: Tensor

    def __init__(self, dim: int, options: Any = None) -> None:
        """Start at a direction that favours no entry."""
        super().__init__(dim, options)
        self.register_buffer("mean", torch.full((dim,), dim**-0.5))

    def fit(self, vectors: VectorSource, documents: Sequence[DocumentInfo], progress: Progress = no_progress) -> None:
        total = torch.zeros(self.dim, dtype=torch.float64)
        for x in articles(vectors, documents, progress, "corpus mean", shortest=1):
            total += x.double().sum(0)
        self.mean.copy_(unit(total))

    def unscaled(self, x: Tensor) -> Tensor:
        return self.mean.expand_as(x).contiguous()


class Random(Baseline):
    """Says a direction that has nothing to do with the context, the same one for the same last chunk."""

    name = "random"
    sliding = True

    def unscaled(self, x: Tensor) -> Tensor:
        turn = _random_turn(x.shape[-1]).to(x.device)
        # a sine of large numbers: neighbours in the space land anywhere
        return torch.sin(30.0 * (x.float() @ turn))


@lru_cache(maxsize=4)
def _random_turn(dim: int) -> Tensor:
    return torch.randn(dim, dim, generator=torch.Generator().manual_seed(0))
