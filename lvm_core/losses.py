"""Losses on predicted directions, and the balance between their terms.

The system that came before added InfoNCE at a fixed weight of 0.05 to MSE on unit vectors: its gradient was 32
times that of MSE, and validation cosine fell from .5605 to .405. Here each further term is scaled so that its
gradient with respect to the predictions is a set share of the main term's, and a term that still dominates is
reported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

DOMINATES = 5.0
"""A term whose gradient is more than this many times another's over an epoch is flagged."""

WARNING = (
    "the system this one follows saw the same when InfoNCE had 32 times the gradient of MSE: validation cosine fell"
    " from .56 to .41 and every later run was spoiled"
)


@dataclass(frozen=True, slots=True)
class LossInput:
    """What a term sees: predictions and targets of the real positions, and where each came from.

    `predictions` and `targets` are (N, D), unit norm; `segment` (N,) numbers the segment and `place` (N,) the
    position in it; `temperature` is of the softmax in contrastive terms.
    """

    predictions: Tensor
    targets: Tensor
    segment: Tensor
    place: Tensor
    temperature: float


def mse(given: LossInput) -> Tensor:
    """Return the mean squared error over all entries; on unit vectors it is 2 (1 - cosine) / D."""
    return F.mse_loss(given.predictions, given.targets)


def cosine(given: LossInput) -> Tensor:
    """Return one minus the mean cosine."""
    return 1.0 - (given.predictions * given.targets).sum(-1).mean()


def infonce(given: LossInput) -> Tensor:
    """Return InfoNCE (van den Oord et al. 2018, section 2.3) against the batch's chunks of other segments."""
    same = given.segment[:, None] == given.segment[None, :]
    return _contrast(given, blocked=same)


def same_article(given: LossInput) -> Tensor:
    """Return InfoNCE against the whole batch, later chunks of the same article among the negatives.

    Chunks of the segment before a position's target are its own context and no negatives.
    """
    same = given.segment[:, None] == given.segment[None, :]
    return _contrast(given, blocked=same & (given.place[None, :] < given.place[:, None]))


def _contrast(given: LossInput, blocked: Tensor) -> Tensor:
    logits = given.predictions @ given.targets.T / given.temperature  # (N, N)
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(blocked & ~own, float("-inf"))
    return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


Term = Callable[[LossInput], Tensor]

LOSSES: dict[str, dict[str, Term]] = {
    "mse": {"mse": mse},
    "cosine": {"cosine": cosine},
    "mse+infonce": {"mse": mse, "infonce": infonce},
    "cosine+infonce": {"cosine": cosine, "infonce": infonce},
    "contrastive": {"cosine": cosine, "same_article": same_article},
}
"""Name of each loss and its terms; the first is the main one, which the others are balanced against."""


@dataclass
class BalancedLoss:
    """Sums the terms of a loss so that the gradient of each further term is `share` of the main one's.

    Gradients are taken with respect to the predictions, which costs no second pass through the net. With
    `balance` off, `share` is the plain weight of the further terms.
    """

    terms: Mapping[str, Term]
    share: float = 0.3
    balance: bool = True
    temperature: float = 0.07
    decay: float = 0.98
    norms: dict[str, Tensor] = field(default_factory=dict)
    """Running mean of each term's unweighted gradient norm, kept over a resume."""

    def backward(self, output: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Run the backward pass of the summed loss.

        Args:
            output: predictions (B, T, D) of the net, with their graph.
            targets: (B, T, D).
            mask: (B, T) on the CPU, True where a target is real.

        Returns:
            Two (terms,) tensors on the device, not waited for: each term's value, and the norm of its weighted
            gradient with respect to the predictions.
        """
        values, grads, whole = self._gradients(output, targets, mask)
        weights = self._weights([g.norm() for g in grads])
        scaled = [weight * grad for weight, grad in zip(weights, grads, strict=True)]
        torch.autograd.backward(output, whole(sum(scaled[1:], scaled[0])))
        return torch.stack(values).detach(), torch.stack([g.norm() for g in scaled])

    def _gradients(
        self, output: Tensor, targets: Tensor, mask: Tensor
    ) -> tuple[list[Tensor], list[Tensor], Callable[[Tensor], Tensor]]:
        real = torch.nonzero(mask.flatten())[:, 0].to(output.device)  # found on the CPU: no wait for the device
        full = output.detach().flatten(0, 1)[real].float().requires_grad_()
        segment, place = real // mask.shape[1], real % mask.shape[1]
        given = LossInput(full, targets.flatten(0, 1)[real], segment, place, self.temperature)
        values = [term(given) for term in self.terms.values()]
        grads = [torch.autograd.grad(value, full)[0] for value in values]

        def whole(grad: Tensor) -> Tensor:
            placed = torch.zeros_like(output).flatten(0, 1)
            return placed.index_copy(0, real, grad.to(output.dtype)).view_as(output)

        return values, grads, whole

    def _weights(self, norms: list[Tensor]) -> list[Tensor]:
        one = torch.ones_like(norms[0])
        if len(norms) == 1:
            return [one]
        if not self.balance:
            return [one] + [self.share * one] * (len(norms) - 1)
        for name, norm in zip(self.terms, norms, strict=True):
            before = self.norms.get(name)
            self.norms[name] = norm if before is None else self.decay * before + (1 - self.decay) * norm
        main, *rest = [self.norms[name] for name in self.terms]
        return [one] + [self.share * main / other.clamp(min=1e-12) for other in rest]


def dominating(norms: Mapping[str, float]) -> str | None:
    """Return a sentence where one term's gradient is above `DOMINATES` times another's over an epoch."""
    if len(norms) < 2:
        return None
    high = max(norms, key=lambda name: norms[name])
    low = min(norms, key=lambda name: norms[name])
    ratio = norms[high] / max(norms[low], 1e-12)
    if ratio <= DOMINATES:
        return None
    return f"the gradient of '{high}' was {ratio:.0f} times that of '{low}': {WARNING}"
