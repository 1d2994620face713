"""A query beside the prediction: what to search with, where the prediction itself would find the whole article.

A prediction is near to everything its article says; what tells the next chunk from its neighbours is what remains when
the article's centre is taken out. If the next chunk scatters about the prediction p with variance s^2 a principal
component, and the article's other chunks about their centre c, the part of the log-likelihood ratio that depends on
the direction of a candidate y is linear in it: (p - g c) / s^2. One dot product, so every index of unit vectors serves.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lvm_core.nets.identity import identity
from lvm_core.nets.memory import Span, running_sum, span_mean

QUERY = "query."
"""How the names of its tensors begin among those of a model."""


class QueryHead(nn.Module):
    """q = (a p + b x - sum_k c_k m_k) / s^2 in the basis of principal components, as a direction.

    p is the prediction and a its least-squares length, x the last chunk, m_k the means of older stretches of the
    context, all around the corpus mean; s^2 is the variance of what a p misses. b and c are chosen on validation.
    """

    mean: Tensor
    basis: Tensor
    precision: Tensor
    shares: Tensor

    def __init__(self, dim: int, context: int) -> None:
        """Start as the prediction itself."""
        super().__init__()
        self.context, self.spans = context, _stretches(context)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("basis", identity(dim))  # (D, D), a component a column
        self.register_buffer("precision", torch.ones(dim))  # 1 / s^2, mean 1
        self.register_buffer("shares", torch.tensor([1.0] + [0.0] * (1 + len(self.spans))))  # a, b, -c

    def parts(self, x: Tensor, predictions: Tensor) -> Tensor:
        """Return p, x and the means (K, B, T, D) in the basis, for vectors and predictions (B, T, D).

        A stretch that a text does not reach yet is the corpus mean: it takes nothing away.
        """
        total = running_sum(x)
        parts = [F.normalize(predictions.float(), dim=-1) - self.mean, x.float() - self.mean]
        for span in self.spans:
            centre, count = span_mean(total, span)
            parts.append((centre - self.mean) * (count > 0)[:, None])
        return torch.stack(parts) @ self.basis

    def forward(self, x: Tensor, predictions: Tensor) -> Tensor:
        """Return the queries (B, T, D), unit norm."""
        return F.normalize(self.mix(self.parts(x, predictions)), dim=-1)

    def mix(self, parts: Tensor) -> Tensor:
        """Return queries (..., D), of any length, from their parts (K, ..., D)."""
        query: Tensor = (torch.einsum("k,k...d->...d", self.shares, parts) * self.precision) @ self.basis.T
        return query


def _stretches(context: int) -> tuple[Span, ...]:
    """Return the stretches whose means are taken out: all of a short context, what is older than five of a long one."""
    spans = [(5, min(20, context)), (20, context)] if context > 5 else [(0, context)]
    return tuple((start, stop) for start, stop in spans if stop > start)
