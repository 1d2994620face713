"""Feeding predictions back: predict, (snap,) append, predict again; and how far that drifts.

The measures follow free-running evaluation of sequence models ("exposure bias", Bengio et al. 2015, section 1):
a model that was only ever shown real chunks is given its own, and its errors add up.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvm_core import forecast
from lvm_core.config import check, setting
from lvm_core.errors import SettingsError
from lvm_core.nets.base import SequenceModel
from lvm_core.types import Index, Rows, Vectors
from lvm_core.vectors.geometry import Values, cosine

MAX_STEPS = 50

SnapStep = Callable[[Vectors, Vectors], tuple[Vectors, NDArray[np.bool_]]]
"""From predictions (B, D) and contexts (B, T, D) to the snapped (B, D) and where the clamp engaged (B,)."""


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How far to roll out."""

    steps: int = setting(20, "predictions fed back, one after the other", unit="chunks", low=1, high=MAX_STEPS)


@dataclass(frozen=True, slots=True)
class Rollout:
    """B rollouts of S steps. `vectors` (B, S, D) are what was fed back, `raw` (B, S, D) what the model said."""

    vectors: Vectors
    raw: Vectors
    clamped: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Drift:
    """Cosines (B, S) of each step; NaN where there is nothing to compare with (a text that ended).

    `to_truth`: to the true chunk at that place. `to_start`: to the last context chunk. `to_previous`: to the
    step before; near 1 means that the model repeats itself. `to_manifold`: to the nearest real chunk.
    """

    to_truth: Values
    to_start: Values
    to_previous: Values
    to_manifold: Values


def rollout(
    model: SequenceModel,
    context: Vectors,
    steps: int = 20,
    snap: SnapStep | None = None,
    max_context: int | None = None,
) -> Rollout:
    """Return what `model` predicts when its own predictions are appended to the contexts (B, T, D).

    Args:
        model: any net or baseline.
        context: real vectors, unit norm, all of one length.
        steps: predictions to make, 1 to 50.
        snap: applied to each prediction before it is fed back; None feeds back the raw prediction.
        max_context: the most chunks the model reads; older ones fall out of the window.

    Raises:
        ModelError: if a context has not the model's dimension, is empty, or holds NaN.
        SettingsError: if `steps` is out of bounds.
    """
    check(RolloutSettings(steps=steps))
    history = np.asarray(context, dtype=np.float32)
    raw: list[Vectors] = []
    fed: list[Vectors] = []
    clamped: list[NDArray[np.bool_]] = []
    for _ in range(steps):
        window = history[:, -max_context:] if max_context else history
        said = forecast.after(model, window).vectors
        pulled, held = snap(said, window) if snap else (said, np.zeros(len(said), dtype=np.bool_))
        raw.append(said)
        fed.append(pulled)
        clamped.append(held)
        history = np.concatenate([history, pulled[:, None]], axis=1)
    return Rollout(np.stack(fed, axis=1), np.stack(raw, axis=1), np.stack(clamped, axis=1))


def drift(
    result: Rollout,
    context: Vectors,
    truth: Vectors | None = None,
    index: Index | None = None,
    exclude: Rows | None = None,
) -> Drift:
    """Return the drift measures of `result`.

    Args:
        result: from `rollout`.
        context: (B, T, D), what the rollouts started from.
        truth: (B, S', D), the real continuation, S' at most S, NaN rows where a text has ended.
        index: real chunks to measure the distance to the manifold against.
        exclude: rows of the index that do not count as real chunks (those of the article under test).
    """
    vectors = result.vectors
    n_batch, n_steps, _ = vectors.shape
    to_truth = np.full((n_batch, n_steps), np.nan)
    if truth is not None:
        shared = min(n_steps, truth.shape[1])
        to_truth[:, :shared] = cosine(vectors[:, :shared], truth[:, :shared])
    previous = np.concatenate([context[:, -1:], vectors[:, :-1]], axis=1)
    to_manifold = np.full((n_batch, n_steps), np.nan)
    if index is not None:
        hits = index.search(vectors.reshape(n_batch * n_steps, -1), 1, exclude)
        flat = [found[0].cosine if found else np.nan for found in hits]
        to_manifold = np.asarray(flat, dtype=np.float64).reshape(n_batch, n_steps)
    return Drift(to_truth, cosine(vectors, context[:, -1:]), cosine(vectors, previous), to_manifold)


def effective_rank(vectors: Vectors) -> float:
    """Return how many directions the (N, D) vectors spread over: the exponential of the entropy of the
    normalised singular values of the centred matrix (Roy and Vetterli 2007, "The effective rank", section 2).

    A model that collapses to the mean has a far lower rank than its targets. 0 for vectors that are all equal.
    """
    if len(vectors) < 2:
        return 0.0
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    if singular[0] < 1e-5 * np.linalg.norm(vectors):  # what is left is rounding
        return 0.0
    share = singular / singular.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def influence(model: SequenceModel, context: Vectors) -> Values:
    """Return for each chunk of the context (T, D) how much the prediction turns when it is left out: 1 - cosine, (T,).

    Leave-one-out attribution (Li, Monroe and Jurafsky 2016, "Understanding neural networks through
    representation erasure", section 2). Chunks behind the one left out move up by one place.

    Raises:
        SettingsError: if there is only one chunk, so that nothing would be left.
    """
    n_chunks = len(context)
    if n_chunks < 2:
        raise SettingsError(["The context has 1 chunk; leaving it out leaves nothing. Give at least 2 chunks."])
    left_out = np.stack([np.delete(context, i, axis=0) for i in range(n_chunks)])
    return 1.0 - cosine(forecast.after(model, left_out).vectors, forecast.after(model, context).vectors)
