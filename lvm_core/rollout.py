"""Rollouts: predict, (snap,) append, predict again; and how far that drifts.

A *rollout* is what is done, by the command of that name; its *drift* is what is measured, on the page of that name. The
measures follow free-running evaluation of sequence models ("exposure bias", Bengio et al. 2015, section 1): a model
that was only ever shown real chunks is given its own, and its errors add up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvm_core import abandoned
from lvm_core.config import check, setting
from lvm_core.nets.base import SequenceModel
from lvm_core.reading import Reading
from lvm_core.snap import FetchRows, SnapSettings, search_excluding, snap_batch
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
    """B rollouts of S steps. `vectors` (B, S, D) are what was fed back, `raw` (B, S, D) what the model predicted."""

    vectors: Vectors
    raw: Vectors
    clamped: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Manifold:
    """The real chunks that B rollouts are snapped onto and measured against.

    `exclude` has for each rollout the rows that do not count: those of the article that it continues.
    """

    index: Index
    rows: FetchRows
    exclude: Sequence[Rows | None]

    def snap(self, settings: SnapSettings) -> SnapStep:
        """Return the snap as `rollout` wants it."""

        def step(predictions: Vectors, contexts: Vectors) -> tuple[Vectors, NDArray[np.bool_]]:
            results = snap_batch(predictions, contexts, self.index, self.rows, list(self.exclude), settings)
            return np.stack([r.vector for r in results]), np.array([r.drift_clamped for r in results])

        return step

    def nearest(self, vectors: Vectors) -> tuple[Values, Rows]:
        """Return of the real chunk nearest to each of the (B, S, D) vectors its cosine (B, S) and its row (B, S).

        NaN and -1 where there is none.
        """
        shape = vectors.shape[:2]
        exclude = [rows for rows in self.exclude for _ in range(shape[1])]
        hits = search_excluding(self.index, vectors.reshape(-1, vectors.shape[2]), 1, exclude)
        cosines = np.array([hit[0].cosine if hit else np.nan for hit in hits], dtype=np.float64)
        return cosines.reshape(shape), np.array([hit[0].row if hit else -1 for hit in hits]).reshape(shape)


@dataclass(frozen=True, slots=True)
class Drift:
    """Cosines (B, S) of each step; NaN where there is nothing to compare with (a text that ended).

    `to_truth`: to the true chunk at that place. `to_start`: to the last context chunk. `to_previous`: to the
    step before; near 1 means that the model repeats itself. `to_manifold`: to the nearest real chunk, whose row is in
    `nearest` (B, S), -1 for none.
    """

    to_truth: Values
    to_start: Values
    to_previous: Values
    to_manifold: Values
    nearest: Rows


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
        context: real vectors, all of one length.
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
    reading = Reading(model, max_context)
    unread = history
    for _ in range(steps):
        abandoned.check()
        window = history[:, -max_context:] if max_context else history
        predictions = reading.read(unread).vectors
        pulled, held = snap(predictions, window) if snap else (predictions, np.zeros(len(predictions), dtype=np.bool_))
        raw.append(predictions)
        fed.append(pulled)
        clamped.append(held)
        unread = pulled[:, None]
        history = np.concatenate([history, unread], axis=1)
    return Rollout(np.stack(fed, axis=1), np.stack(raw, axis=1), np.stack(clamped, axis=1))


def drift(result: Rollout, context: Vectors, truth: Vectors | None = None, manifold: Manifold | None = None) -> Drift:
    """Return the drift measures of `result`.

    Args:
        result: from `rollout`.
        context: (B, T, D), what the rollouts started from.
        truth: (B, S', D), the real continuation, S' at most S, NaN rows where a text has ended.
        manifold: the real chunks to measure the distance to.
    """
    vectors = result.vectors
    to_truth = np.full(vectors.shape[:2], np.nan)
    if truth is not None:
        shared = min(vectors.shape[1], truth.shape[1])
        to_truth[:, :shared] = cosine(vectors[:, :shared], truth[:, :shared])
    previous = np.concatenate([context[:, -1:], vectors[:, :-1]], axis=1)
    to_manifold, nearest = np.full(vectors.shape[:2], np.nan), np.full(vectors.shape[:2], -1)
    if manifold is not None:
        to_manifold, nearest = manifold.nearest(vectors)
    return Drift(to_truth, cosine(vectors, context[:, -1:]), cosine(vectors, previous), to_manifold, nearest)
