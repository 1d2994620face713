"""Snap, anchor, clamp: a predicted vector is pulled onto the chunks of the corpus.

Source: the production pipeline this studio grew from, "Manifold Snap + Topic Anchor" (kNN barycentric
projection, K = 16, blended with the last context vector and the context's mean).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.config import check, setting
from lvm_core.errors import DecoderError
from lvm_core.types import Hit, Index, Rows, SnapResult, Vectors
from lvm_core.vectors.checks import check_vectors
from lvm_core.vectors.geometry import unit_rows

Exclude = Rows | Sequence[Rows | None] | None
"""Rows that must not be neighbours: the same for every prediction, or one array (or None) a prediction."""

FetchRows = Callable[[Rows], Vectors]
"""Row numbers (K,) to their vectors (K, D)."""


STRENGTH = 0.25
"""What the studio's own sweep chooses (K 16, 600 windows of the validation articles of enwiki-sample).

In cosine a quarter costs nothing: the ensemble has .5339 at .25 and .5316 raw, mlp-100 loses nothing; at .5 they lose
.0017 and .0064, at 1 .029 and .038. In recall it costs a little: Recall@5 of the ensemble falls from .142 to .137 at
.25, and by 5 points at 1.
"""


@dataclass(frozen=True, slots=True)
class SnapSettings:
    """Every number of the snap."""

    k: int = setting(16, "nearest chunks that make the snap", "chunks", 1, 1024)
    min_cosine_query: float = setting(0.20, "below this cosine of snap and last context chunk, clamp", "cosine", -1, 1)
    min_cosine_mean: float = setting(0.30, "below this cosine of snap and context mean, clamp", "cosine", -1, 1)
    snap_weight: float = setting(0.75, "share of the snap in the result", "share", 0, 1)
    query_weight: float = setting(0.15, "share of the last context chunk in the result", "share", 0, 1)
    mean_weight: float = setting(0.10, "share of the context mean in the result", "share", 0, 1)
    clamp_snap_weight: float = setting(0.60, "share of the snap when the drift clamp engages", "share", 0, 1)
    clamp_query_weight: float = setting(0.25, "share of the last context chunk when it engages", "share", 0, 1)
    clamp_mean_weight: float = setting(0.15, "share of the context mean when it engages", "share", 0, 1)
    strength: float = setting(STRENGTH, "blend of raw prediction (0) and snapped (1)", "", 0, 1, label="snap strength")


SEEDS = SnapSettings(strength=1.0)
"""The snap as the production pipeline had it: nothing of the raw prediction is left."""


def snap(
    prediction: Vectors,
    context: Vectors,
    index: Index,
    rows: FetchRows,
    exclude: Rows | None = None,
    settings: SnapSettings | None = None,
) -> SnapResult:
    """Return `prediction` (D,) pulled onto the corpus, with the neighbours and weights that did it.

    Args:
        prediction: (D,) what a model says.
        context: (T, D) the chunks before it, oldest first.
        index: nearest-chunk search over the corpus.
        rows: gives the vectors (K, D) of row numbers (K,), such as `VectorMatrix.rows`.
        exclude: rows that must not be neighbours; in an evaluation the whole document under test.
        settings: every number of the formula.

    Raises:
        DecoderError: for a vector that is NaN, zero or of another dimension, or an empty context.
        SettingsError: for settings out of bounds.
    """
    return snap_batch(np.asarray(prediction)[None, :], [context], index, rows, exclude, settings)[0]


def snap_batch(
    predictions: Vectors,
    contexts: Sequence[Vectors] | Vectors,
    index: Index,
    rows: FetchRows,
    exclude: Exclude = None,
    settings: SnapSettings | None = None,
) -> list[SnapResult]:
    """Return one `SnapResult` for each of the (N, D) predictions with its context (T, D); see `snap`.

    Predictions that exclude the same rows share one search.
    """
    numbers = check(settings or SnapSettings())
    dim = np.asarray(predictions).shape[-1]
    found = search_excluding(index, check_vectors(predictions, dim, "The predictions"), numbers.k, exclude)
    return snap_onto(predictions, contexts, found, rows, numbers)


def search_excluding(index: Index, queries: Vectors, k: int, exclude: Exclude) -> list[list[Hit]]:
    """Return at most `k` hits for each of the (Q, D) queries, best first: one search for each distinct exclusion."""
    each: list[Rows | None] = (
        [exclude] * len(queries) if exclude is None or isinstance(exclude, np.ndarray) else list(exclude)
    )
    if len(each) != len(queries):
        raise DecoderError(
            f"exclude has {len(each)} entries for {len(queries)} predictions",
            "one for each",
            "Give one list of rows, which may be empty, for each.",
        )
    groups: dict[bytes | None, list[int]] = {}
    for i, rows in enumerate(each):
        groups.setdefault(None if rows is None else np.asarray(rows, dtype=np.int64).tobytes(), []).append(i)
    found: list[list[Hit]] = [[] for _ in each]
    for members in groups.values():
        hits = index.search(queries[members], k, exclude=each[members[0]])
        for i, own in zip(members, hits, strict=True):
            found[i] = own
    return found


def snap_onto(
    predictions: Vectors,
    contexts: Sequence[Vectors] | Vectors,
    hits: Sequence[Sequence[Hit]],
    rows: FetchRows,
    settings: SnapSettings | None = None,
) -> list[SnapResult]:
    """Return the snap of each of the (N, D) predictions onto `hits` that were searched before, best first."""
    numbers = check(settings or SnapSettings())
    dim = np.asarray(predictions).shape[-1]
    raw = unit_rows(check_vectors(predictions, dim, "The predictions"))
    needed = np.unique(np.array([hit.row for own in hits for hit in own], dtype=np.int64))
    near = unit_rows(np.asarray(rows(needed), dtype=np.float32)) if needed.size else np.empty((0, dim), np.float32)
    results = []
    for vector, context, own in zip(raw, contexts, hits, strict=True):
        places = np.searchsorted(needed, [hit.row for hit in own[: numbers.k]])
        results.append(_snap_one(vector, context, list(own[: numbers.k]), near[places], numbers))
    return results


def _snap_one(raw: Vectors, context: Vectors, hits: list[Hit], near: Vectors, settings: SnapSettings) -> SnapResult:
    if np.size(context) == 0:
        raise DecoderError("The context is empty", "one chunk or more, since the snap is anchored to it", "Give one.")
    known = unit_rows(check_vectors(context, len(raw), "The context's vectors"))
    cosines = np.maximum([hit.cosine for hit in hits], 0.0)
    total = float(np.sum(cosines))
    if total <= 0:  # nothing of the corpus lies on the prediction's side: there is nothing to be pulled onto
        return SnapResult(raw, hits, [0.0] * len(hits), anchored=False, drift_clamped=False)
    weights = (cosines / total).astype(np.float32)
    pulled = unit_rows(weights @ near)
    query, mean = known[-1], unit_rows(known.mean(axis=0))
    near_query = float(pulled @ query) >= settings.min_cosine_query
    near_mean = float(pulled @ mean) >= settings.min_cosine_mean
    kept = near_query and near_mean
    result = _blend(pulled, query, mean, settings, kept)
    if settings.strength < 1:
        result = unit_rows(settings.strength * result + (1 - settings.strength) * raw)
    return SnapResult(result, hits, [float(w) for w in weights], anchored=kept, drift_clamped=not kept)


def _blend(pulled: Vectors, query: Vectors, mean: Vectors, settings: SnapSettings, kept: bool) -> Vectors:
    if kept:
        parts = (settings.snap_weight, settings.query_weight, settings.mean_weight)
    else:
        parts = (settings.clamp_snap_weight, settings.clamp_query_weight, settings.clamp_mean_weight)
    blended = unit_rows(parts[0] * pulled + parts[1] * query + parts[2] * mean)
    return blended if np.any(blended) else pulled
