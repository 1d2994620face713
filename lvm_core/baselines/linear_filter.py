"""The linear filter: the best that a weight for each place and each principal component can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from lvm_core.baselines.base import Baseline, articles
from lvm_core.config import setting
from lvm_core.nets.identity import identity
from lvm_core.nets.memory import Span, lagged, memory_features, running_sum, span_mean, spans_within
from lvm_core.types import DocumentInfo, Progress, VectorSource, no_progress

LENGTHS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 70, 100)
BLOCK = 4096


@dataclass
class LinearFilterOptions:
    """How far the filter looks back and how strongly it is shrunk."""

    context: int = setting(5, "chunks it looks back; beyond five as means of stretches", "chunks", low=1, high=100)
    shrink: float = setting(
        10_000.0, "windows' worth of belief in one weight for all components", "windows", low=0.0, high=1e9
    )


class LinearFilter(Baseline):
    """Predicts each principal component of the next chunk from the same component of the chunks before it.

    Around the corpus mean, in the basis of the principal components, one least-squares weight a lag (or stretch of
    lags) and component, for each length of context; each component's weights are shrunk to the weights that are
    best for all components together (ridge towards a common value), so that few articles do not overfit it.
    """

    name = "linear-filter"
    needs_fit: ClassVar[bool] = True
    sliding = True
    Options = LinearFilterOptions
    mean: Tensor
    basis: Tensor
    weights: Tensor

    def __init__(self, dim: int, options: LinearFilterOptions) -> None:
        """Start as the mean of the last chunks, around zero."""
        super().__init__(dim, options)
        self.spans = spans_within(options.context)
        self.lengths = tuple(sorted({t for t in LENGTHS if t < options.context} | {options.context}))
        weights = torch.zeros(len(self.lengths), len(self.spans), dim)
        for bucket, length in enumerate(self.lengths):
            near = [k for k, (start, stop) in enumerate(self.spans) if start < length and stop - start == 1]
            weights[bucket, near] = 1.0 / len(near)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("basis", identity(dim))  # (D, D), a component a column
        self.register_buffer("weights", weights)  # (lengths, K, D)

    def unscaled(self, x: Tensor) -> Tensor:
        z = (x.float() - self.mean) @ self.basis
        total = running_sum(z) if len(self.spans) > 1 and self.spans[-1][1] - self.spans[-1][0] > 1 else None
        edges = torch.tensor(self.lengths, device=x.device)
        place = torch.arange(1, x.shape[1] + 1, device=x.device).clamp(max=self.lengths[-1])
        weights = self.weights[torch.bucketize(place, edges)]  # (T, K, D)
        out = torch.zeros_like(z)
        for k, (start, stop) in enumerate(self.spans):
            if start >= x.shape[1]:
                break
            one = stop - start == 1 or total is None
            feature = lagged(z, start) if one else span_mean(total, (start, stop))[0]  # type: ignore[arg-type]
            out += weights[:, k] * feature
        return out @ self.basis.T + self.mean

    def fit(self, vectors: VectorSource, documents: Sequence[DocumentInfo], progress: Progress = no_progress) -> None:
        def half(part: int) -> Progress:
            return lambda share, message: progress((share + part) / 2, message)

        self._fit_basis(vectors, documents, half(0))
        sums = [Equations(self.dim, cut(self.spans, length), length) for length in self.lengths]
        for x in articles(vectors, documents, half(1), "linear filter"):
            z = (x - self.mean) @ self.basis
            for equations in sums:
                equations.add(z)
        self._solve(sums)

    def _fit_basis(self, vectors: VectorSource, documents: Sequence[DocumentInfo], progress: Progress) -> None:
        count, total = 0, torch.zeros(self.dim, dtype=torch.float64)
        second = torch.zeros(self.dim, self.dim, dtype=torch.float64)
        for x in articles(vectors, documents, progress, "principal components"):
            count, total = count + len(x), total + x.double().sum(0)
            second += (x.T @ x).double()
        mean = total / count
        _, basis = torch.linalg.eigh(second / count - torch.outer(mean, mean))
        self.mean.copy_(mean)
        self.basis.copy_(basis.flip(1))

    def _solve(self, sums: "list[Equations]") -> None:
        self.weights.zero_()
        before: Tensor | None = None  # a length nobody wrote is served by the weights of the next shorter one
        for bucket, equations in enumerate(sums):
            solved = equations.solve(self.options.shrink)
            if solved is None and before is not None:
                solved = before
            if solved is not None:
                self.weights[bucket, : len(solved)] = solved.float()
                before = solved


def cut(spans: tuple[Span, ...], length: int) -> tuple[Span, ...]:
    """Return `spans` as a context of `length` chunks sees them."""
    return tuple((start, min(stop, length)) for start, stop in spans if start < length)


class Equations:
    """Normal equations of one context length, a small system for each component."""

    def __init__(self, dim: int, spans: tuple[Span, ...], length: int) -> None:
        """Start empty."""
        k = len(spans)
        self.spans, self.length, self.count = spans, length, 0
        self.gram = torch.zeros(dim, k, k, dtype=torch.float64)
        self.right = torch.zeros(dim, k, dtype=torch.float64)
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._n_waiting = 0

    def add(self, z: Tensor) -> None:
        """Add every context of this length in one article `z` (n, D)."""
        first = self.length - 1  # the last chunk of the first whole context
        if len(z) < self.length + 1:
            return
        features = memory_features(z[None, :-1], self.spans)[0][0, first:]  # (m, K, D)
        self._waiting.append((features, z[self.length :]))
        self._n_waiting += len(features)
        if self._n_waiting >= BLOCK:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        features = torch.cat([f for f, _ in self._waiting]).permute(2, 1, 0).contiguous()  # (D, K, m)
        targets = torch.cat([t for _, t in self._waiting]).T[:, :, None]  # (D, m, 1)
        self.gram += torch.bmm(features, features.transpose(1, 2)).double()
        self.right += torch.bmm(features, targets)[:, :, 0].double()
        self.count += features.shape[2]
        self._waiting, self._n_waiting = [], 0

    def solve(self, shrink: float) -> Tensor | None:
        """Return the weights (K, D), each component's pulled to the common ones, or None without data."""
        self._flush()
        if self.count == 0:
            return None
        gram, right = self.gram / self.count, self.right / self.count
        common_gram = gram.sum(0)
        ridge = 1e-6 * common_gram.diagonal().mean() * torch.eye(len(self.spans), dtype=torch.float64)
        common = torch.linalg.solve(common_gram + ridge, right.sum(0))  # (K,)
        belief = (shrink / self.count + 1e-6) * gram.diagonal(dim1=1, dim2=2) + 1e-12  # (D, K)
        left = gram + torch.diag_embed(belief)
        weights: Tensor = torch.linalg.solve(left, (right + belief * common)[..., None])[..., 0].T
        return weights
