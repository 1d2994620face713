"""Rows of a made-up board."""

from dataclasses import replace
from typing import Any

import numpy as np

from lvm_core.evaluate.results import ResultStore
from lvm_core.evaluate.rows import ArticleSums, Row
from lvm_core.metrics import bootstrap
from lvm_core.metrics.bootstrap import Sums
from lvm_core.workspace import Workspace

N_ARTICLES, N_WINDOWS = 30, 20


def make_row(model: str, cosine: float, **fields: Any) -> tuple[Row, ArticleSums]:
    """Return a row and its sums by article, whose difficulty all models share."""
    hard = np.random.default_rng(5).normal(0, 0.05, N_ARTICLES)
    own = np.random.default_rng(sum(model.encode())).normal(0, 0.002, N_ARTICLES)
    recall = float(fields.get("recall_at_5", 0.25))
    sums = {
        "cosine": (cosine + hard + own - own.mean() - hard.mean()) * N_WINDOWS,
        "recall_at_5": np.full(N_ARTICLES, recall * N_WINDOWS),
    }
    found = bootstrap.interval(Sums(sums["cosine"], np.full(N_ARTICLES, float(N_WINDOWS))))
    kind = "baseline" if model in ("copy-last", "linear-filter-5", "weighted-mean") else "net"
    row = {
        "model": model, "net": model.split("-")[0], "kind": kind, "corpus": "toy", "encoder": "toy@0", "split": "test",
        "context": 5, "n_windows": N_ARTICLES * N_WINDOWS, "n_articles": N_ARTICLES, "parameters": 1000,
        "cosine": cosine, "cosine_ci": [found.low, found.high], "mse": 0.003, "mse_ci": [0.002, 0.004],
        "recall_at_1": 0.08, "recall_at_5": recall, "recall_at_5_ci": [recall - 0.02, recall + 0.02],
        "recall_at_10": 0.35, "mrr": 0.17, "contrastive_accuracy": 0.9, "direction": 0.57, "direction_matched": 0.6,
        "latency_ms": 0.5, "efficiency": cosine * 2000, "memory_mb": 4.0, "batch_speedup": 9.0, "train_s": 12.0,
        "vs_filter": {"cosine": cosine - 0.5, "ci": [cosine - 0.51, cosine - 0.49], "fitted_on": "the same articles"},
        "comparable": "k1", "key": {"corpus": "toy"}, "shipped": False, "weights_digest": model,
        "coherence": {"test": 0.4, "train": {"toy": 0.41}}, "near_duplicates": [], "trained_on": ["toy"],
        **fields,
    }  # fmt: skip
    count = np.full(N_ARTICLES, float(N_WINDOWS))
    by_article = {name: Sums(values, count) for name, values in sums.items()}
    return Row.read(row), ArticleSums([f"Article {i}" for i in range(N_ARTICLES)], by_article)


def add(workspace: Workspace, model: str, cosine: float, **fields: Any) -> Row:
    """Store a row and return it as the board reads it."""
    row, articles = make_row(model, cosine, **fields)
    return replace(row, id=ResultStore(workspace).save(row, articles))
