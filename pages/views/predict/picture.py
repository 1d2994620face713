"""What stands above the cards: all vectors of a prediction in one plane."""

from typing import Any

import numpy as np

from lvm_core.types import Prediction
from pages.shared import charts, state
from pages.views.predict.result import Result

PICTURE_NEIGHBOURS = 12


def show(result: Result, final: bool) -> None:
    """Show all vectors of the result in the plane of their first two principal components."""
    shown = list(result.predictions.values())
    if not shown:
        return
    groups, texts = _groups(result, shown)
    labels = {"prediction": list(dict.fromkeys(p.model for p in [*(p for p in shown if p.snap_on), *shown]))}
    about = "Context, predictions, target and neighbours in the first two principal components of these vectors"
    charts.show(charts.pca_plot(groups, texts, 260, labels), f"pca-{'final' if final else 'first'}", about)


def _groups(result: Result, shown: list[Prediction]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    groups: dict[str, Any] = {"context": shown[0].details["context_vectors"]}
    texts = {"context": [f"{i}: {text}" for i, text in enumerate(result.texts, 1)]}
    near = {n.chunk.row: n for p in shown for n in p.neighbours[:PICTURE_NEIGHBOURS]}
    corpus = shown[0].details.get("corpus")
    if near and corpus:
        groups["neighbours"] = state.matrix(str(corpus)).rows(np.array(sorted(near), dtype=np.int64))
        texts["neighbours"] = [
            f"{near[row].chunk.article} {near[row].chunk.position + 1}: {near[row].chunk.text}" for row in sorted(near)
        ]
    snapped = [p for p in shown if p.snap_on]
    raw = {p.model: p for p in [*snapped, *shown]}
    groups["prediction"] = np.stack([p.raw for p in raw.values()])
    texts["prediction"] = [f"{name}: {p.text}" for name, p in raw.items()]
    if snapped:
        groups["snapped"] = np.stack([p.snapped for p in snapped])
        texts["snapped"] = [f"{p.model}, snapped: {p.text}" for p in snapped]
    if result.target_vector is not None:
        groups["target"] = np.asarray(result.target_vector)[None]
        texts["target"] = [result.truth]
    return groups, texts
