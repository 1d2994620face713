"""What stands above the cards: all vectors of a prediction in one plane."""

from typing import Any

import numpy as np

from lvm_core.predict import Prediction
from pages.shared import charts
from pages.views.predict.result import Result

PICTURE_NEIGHBOURS = 12


def show(result: Result) -> None:
    """Show all vectors of the result in the plane of their first two principal components."""
    predictions = list(result.predictions.values())
    if not predictions:
        return
    groups, texts = _groups(predictions)
    labels = {"prediction": list(_raw(predictions))}
    about = "Context, predictions, target and neighbours in the first two principal components of these vectors"
    charts.show(charts.pca_plot(groups, texts, 260, labels), "pca", about)


def _raw(predictions: list[Prediction]) -> dict[str, Prediction]:
    """One prediction a model, those first that have a snapped one: the i-th moves to the i-th snapped."""
    return {p.model: p for p in [*(p for p in predictions if p.snap_on), *predictions]}


def _groups(predictions: list[Prediction]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    context = predictions[0].context
    groups: dict[str, Any] = {"context": context.vectors}
    texts = {"context": [f"{i}: {text}" for i, text in enumerate(context.texts, 1)]}
    near = {n.chunk.row: n for p in predictions for n in p.neighbours[:PICTURE_NEIGHBOURS]}
    if near:
        groups["neighbours"] = np.stack([n.vector for n in near.values()])
        texts["neighbours"] = [f"{n.chunk.article} {n.chunk.position + 1}: {n.chunk.text}" for n in near.values()]
    raw = _raw(predictions)
    groups["prediction"] = np.stack([p.raw for p in raw.values()])
    texts["prediction"] = [f"{name}: {p.text}" for name, p in raw.items()]
    snapped = [p for p in predictions if p.snap_on]
    if snapped:
        groups["snapped"] = np.stack([p.vector for p in snapped])
        texts["snapped"] = [f"{p.model}, snapped: {p.text}" for p in snapped]
    if context.target_vector is not None:
        groups["target"] = context.target_vector[None]
        texts["target"] = [context.target_text]
    return groups, texts
