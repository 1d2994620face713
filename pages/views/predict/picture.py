"""All vectors of a prediction in one plane: the context as a path, each model in its colour, raw and snapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lvm_core.predict import Prediction
from lvm_core.study.projection import fit_pca
from pages.shared import charts

MOST_NEIGHBOURS = 12
MOST_LABELS = 6
"""Models named beside their points; of more, the colour and a touch tell."""

HEIGHT = 340
WIDTH_PX, HEIGHT_PX, SIGN_PX = 780, 230, (7, 15)
"""About the room of the points, and of a sign of a label, when labels are given their places."""

NARROW_PX = 310
"""The room of the points from left to right in a window of 400 px: no label is cut there."""

SIDES = {
    "top center": (0, 1), "bottom center": (0, -1), "middle right": (1, 0), "middle left": (-1, 0),
    "top right": (1, 1), "bottom right": (1, -1), "top left": (-1, 1), "bottom left": (-1, -1),
}  # fmt: skip
"""Where a label can stand, best first."""


@dataclass(frozen=True, slots=True)
class Points:
    """Vectors (N, D) of one kind, the text of each on a touch, and the model they are of, where they are of one."""

    name: str
    vectors: NDArray[np.floating[Any]]
    texts: Sequence[str]
    model: str = ""


def show(predictions: Sequence[Prediction], key: str) -> None:
    """Show all vectors in the plane of their first two principal components."""
    if not predictions:
        return
    about = "Context, predictions, target and neighbours in the first two principal components of these vectors"
    charts.show(figure(predictions), key, about)


def figure(predictions: Sequence[Prediction]) -> go.Figure:
    """Return the picture."""
    groups = _groups(predictions)
    plane = fit_pca(np.concatenate([group.vectors for group in groups]), 2)
    edges = np.cumsum([0, *(len(group.vectors) for group in groups)])
    spots = [plane.coordinates[a:b] for a, b in pairwise(edges)]
    fig = go.Figure()
    _moves(fig, groups, spots)
    sides = _label_sides(groups, spots)
    seen: set[str] = set()
    for i, (group, points) in enumerate(zip(groups, spots, strict=True)):
        _add(fig, group, points, sides.get(i, ""), group.name not in seen)
        seen.add(group.name)
    fig.update_xaxes(title=plane.axes[0], showticklabels=False, range=_x_range(groups, spots, sides))
    fig.update_yaxes(title=plane.axes[1], showticklabels=False)
    return charts.style(fig, HEIGHT)


def _groups(predictions: Sequence[Prediction]) -> list[Points]:
    context = predictions[0].context
    numbered = [f"{i}: {text}" for i, text in enumerate(context.texts, 1)]
    groups = []
    near = {n.chunk.row: n for p in predictions for n in p.neighbours[:MOST_NEIGHBOURS]}
    if near:
        texts = [f"{n.chunk.article} {n.chunk.position + 1}: {n.chunk.text}" for n in near.values()]
        groups.append(Points("neighbours", np.stack([n.vector for n in near.values()]), texts))
    groups.append(Points("context", context.vectors, numbered))
    for prediction in {p.model: p for p in reversed(predictions)}.values():
        label = f"{prediction.model}: {prediction.text}"
        groups.append(Points("prediction", prediction.raw[None], [label], prediction.model))
    for prediction in [p for p in predictions if p.snap_on]:
        label = f"{prediction.model}, snapped: {prediction.text}"
        groups.append(Points("snapped", prediction.vector[None], [label], prediction.model))
    if context.target_vector is not None:
        groups.append(Points("target", context.target_vector[None], [context.target_text]))
    return groups


def _moves(fig: go.Figure, groups: Sequence[Points], spots: Sequence[NDArray[np.float32]]) -> None:
    """Join each raw prediction to its snapped one."""
    raw = {g.model: p[0] for g, p in zip(groups, spots, strict=True) if g.name == "prediction"}
    for group, points in zip(groups, spots, strict=True):
        if group.name == "snapped" and group.model in raw:
            x, y = zip(raw[group.model], points[0], strict=True)
            line = {"color": charts.model_colour(group.model), "width": 1, "dash": "dot"}
            fig.add_scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _add(fig: go.Figure, group: Points, points: NDArray[np.float32], side: str, first: bool) -> None:
    colour = charts.model_colour(group.model) if group.model else charts.COLOURS[group.name]
    symbol = charts.SYMBOLS[group.name]
    joined = group.name == "context" and len(points) > 1
    hover = [charts.wrapped(text) for text in group.texts]
    fig.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        name=group.name,
        legendgroup=group.name,
        showlegend=first,
        mode="lines+markers" if joined else "markers+text" if side else "markers",
        line={"color": colour, "width": 1},
        marker={
            "color": colour,
            "symbol": symbol,
            "size": 7 if group.name in ("context", "neighbours") else 12,
            "line": {"width": 1.5 if symbol.endswith("open") else 0, "color": colour},
        },
        text=[group.model] if side else None,
        textposition=side or None,
        textfont={"size": 12, "color": colour},
        cliponaxis=False,
        hovertext=hover,
        hovertemplate=f"<b>{group.name}</b><br>%{{hovertext}}<extra></extra>",
    )


def _label_sides(groups: Sequence[Points], spots: Sequence[NDArray[np.float32]]) -> dict[int, str]:
    """Return for each group that is labelled the side where its label covers the fewest points and other labels."""
    labelled = [i for i, group in enumerate(groups) if group.name == "prediction"]
    if len(labelled) > MOST_LABELS:
        return {}
    everything = np.concatenate(list(spots))
    scale = np.array([WIDTH_PX, HEIGHT_PX]) / np.maximum(np.ptp(everything, axis=0), 1e-9)
    taken = [(*point - 6, *point + 6) for point in everything * scale]
    sides: dict[int, str] = {}
    for i in labelled:
        boxes = {side: _label_box(spots[i][0] * scale, len(groups[i].model), side) for side in SIDES}
        sides[i] = min(boxes, key=lambda side: sum(_overlap(boxes[side], other) for other in taken))
        taken += [boxes[sides[i]]] * 3
    return sides


def _x_range(
    groups: Sequence[Points], spots: Sequence[NDArray[np.float32]], sides: dict[int, str]
) -> tuple[float, float]:
    """Return the least range of x in which every label has room from end to end, in a narrow window too."""
    x = np.concatenate([points[:, 0] for points in spots])
    margin = 0.06 * max(float(np.ptp(x)), 1e-9)
    low, high = float(x.min()) - margin, float(x.max()) + margin
    boxes = [_label_box(np.zeros(2, np.float32), len(groups[i].model), side) for i, side in sides.items()]
    places = [float(spots[i][0, 0]) for i in sides]
    for _ in range(8):  # room made at one end moves what stands at the other
        for place, (left, _, right, _) in zip(places, boxes, strict=True):
            high = max(high, low + (place - low) * NARROW_PX / (NARROW_PX - right))
            low = min(low, high - (high - place) * NARROW_PX / (NARROW_PX + left))
    return low, high


def _label_box(point: NDArray[np.float32], n_signs: int, side: str) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a label beside a point, in pixels."""
    half = np.array([SIGN_PX[0] * n_signs / 2, SIGN_PX[1] / 2])
    x, y = point + np.array(SIDES[side]) * (half + 9)
    return float(x - half[0]), float(y - half[1]), float(x + half[0]), float(y + half[1])


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)
