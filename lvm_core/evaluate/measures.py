"""From predictions to the sums of each measure by article, and from sums to a row of the board."""

import math
from typing import Any

import numpy as np

from lvm_core import forecast
from lvm_core.device import one_thread
from lvm_core.evaluate.testset import TestSet
from lvm_core.metrics import bootstrap, retrieval, similarity, timing
from lvm_core.metrics.bootstrap import Sums
from lvm_core.nets.base import SequenceModel
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import Values, cosine

BATCH = 32
"""Queries of the batch whose latency is measured."""

MEASURE_NAMES = (
    "cosine",
    "mse",
    "recall_at_1",
    "recall_at_5",
    "recall_at_10",
    "mrr",
    "contrastive_accuracy",
    "direction",
    "direction_matched",
)
_SCORE_BYTES = 64_000_000


def window_measures(predictions: Vectors, test: TestSet) -> dict[str, Values]:
    """Return every measure (N,) of predictions (N, D), by name; NaN where a window cannot be measured."""
    block = max(1, _SCORE_BYTES // (4 * len(test.vectors)))
    ranks = retrieval.target_ranks(predictions, test.vectors, test.targets, test.excluded, block)
    behind, known = test.behind
    rows = test.corpus_rows[test.targets]
    return {
        "cosine": cosine(predictions, test.truths),
        "mse": similarity.squared_error(predictions, test.truths),
        "recall_at_1": retrieval.recall_at(ranks, 1),
        "recall_at_5": retrieval.recall_at(ranks, 5),
        "recall_at_10": retrieval.recall_at(ranks, 10),
        "mrr": retrieval.reciprocal_rank(ranks),
        "contrastive_accuracy": retrieval.contrastive_accuracy(predictions, test.truths, rows),
        "direction": similarity.nearer(predictions, test.truths, test.vectors[behind], known),
        "direction_matched": similarity.nearer_than_rivals(predictions, test.truths, test.vectors, test.rivals),
    }


def sums_by_article(measures: dict[str, Values], test: TestSet) -> dict[str, Sums]:
    """Return the sums of each measure by article."""
    n_articles = len(test.documents)
    return {name: bootstrap.article_sums(values, test.article, n_articles) for name, values in measures.items()}


def measured_fields(sums: dict[str, Sums]) -> dict[str, Any]:
    """Return `name` and `name_ci` of each measure: the mean over windows and its 95 % interval over articles."""
    fields: dict[str, Any] = {}
    for name, own in sums.items():
        found = bootstrap.interval(own)
        fields[name] = None if math.isnan(found.mean) else found.mean
        fields[f"{name}_ci"] = found.ends
    return fields


def cosine_sums(predictions: Vectors, test: TestSet) -> Sums:
    """Return the sums by article of the cosine alone."""
    return bootstrap.article_sums(cosine(predictions, test.truths), test.article, len(test.documents))


def difference(one: Sums, other: Sums) -> dict[str, Any]:
    """Return the paired difference `one` - `other` and its interval."""
    found = bootstrap.paired(one, other)
    return {"cosine": found.mean, "ci": found.ends}


def speed_fields(model: SequenceModel, test: TestSet, context: int) -> dict[str, Any]:
    """Return latency of one query and of a batch on one thread (ms), batch speed-up, and memory of the weights (MB)."""
    windows = test.windows(context)
    longest = int(windows.lengths.max())
    lines = np.resize(np.flatnonzero(windows.lengths == longest), BATCH)
    batch = test.vectors[windows.contexts[lines, :longest]]
    with one_thread():  # one query is too small to share, and other work on the machine would be measured
        one = timing.latency(lambda: forecast.after(model, batch[:1]), n_calls=60, budget_s=0.3)
        many = timing.latency(lambda: forecast.after(model, batch), n_calls=20, n_warm=2, budget_s=0.3)
    tensors = [*model.parameters(), *model.buffers()]
    return {
        "latency_ms": one.median_ms,
        "latency_p95_ms": one.p95_ms,
        "batch_latency_ms": many.median_ms,
        "batch_size": BATCH,
        "batch_speedup": timing.batch_speedup(one.median_ms, many.median_ms, BATCH),
        "memory_mb": sum(t.numel() * t.element_size() for t in tensors) / 1e6,
    }
