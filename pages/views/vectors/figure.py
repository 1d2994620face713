"""The picture of the Vectors page: corpus, targets and each model's predictions, with lines between them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lvm_core.study.map import MapData, VectorMap
from pages.shared import charts, saving
from pages.views.vectors import places as map_facts

SCALE = [[0, "#b3382b"], [0.5, "#c9b458"], [1, "#2f9d5f"]]
PLACES = [[0, "#3a87d9"], [1, "#cf8d26"]]
MOST_LINES = 600
"""Windows with lines; of more every second, third and so on has them, or nothing is to be seen."""
HEIGHT = 640
FLAT_SYMBOLS = {"corpus": "circle", "target": "star", "raw": "diamond", "snapped": "diamond-open"}
SOLID_SYMBOLS = {"corpus": "circle", "target": "cross", "raw": "diamond", "snapped": "diamond-open"}
"""WebGL in three dimensions knows no star."""
VALUES = ("article", "section", "tmd", "position")
"""What the hue of every point stands for in place of its kind."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the map is drawn. `key` names the map, `points` what is in it; `dark` is the theme whose ink it takes."""

    key: str
    points: str
    colour: str
    lines: bool
    dark: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure, and which group each of its traces of points is."""

    figure: go.Figure
    groups: dict[int, str]


@st.cache_resource(show_spinner=False, max_entries=8)
def drawn(look: Look, _made: VectorMap, _found: MapData) -> Drawn:
    """Return the figure of a map. The number of a trace does not depend on what is switched on."""
    flat = len(_made.axes) == 2
    fig = go.Figure()
    _lines(fig, _made, _found, flat, look.lines)
    groups: dict[int, str] = {}
    for name, xy in _made.coordinates.items():
        groups[len(fig.data)] = name
        _points(fig, name, xy, _found, look, flat)
    _hues(fig, _found, look, flat)
    return Drawn(_laid(fig, _made, look, flat), groups)


def _laid(fig: go.Figure, made: VectorMap, look: Look, flat: bool) -> go.Figure:
    saving.grounded(charts.style(fig, HEIGHT))
    fig.update_layout(uirevision=look.key, legend={"itemsizing": "constant"})
    if flat:
        fig.update_xaxes(title=made.axes[0], showticklabels=False, zeroline=False)
        fig.update_yaxes(title=made.axes[1], showticklabels=False, zeroline=False)
        return fig.update_layout(dragmode="pan")
    grid = "#2e363e" if look.dark else "#dfe3e5"  # WebGL draws no translucent lines
    axis = {
        "showticklabels": False, "gridcolor": grid, "backgroundcolor": "rgba(0,0,0,0)", "showspikes": False,
        "zerolinecolor": grid,
    }  # fmt: skip
    axes = {f"{letter}axis": {**axis, "title": name} for letter, name in zip("xyz", made.axes, strict=True)}
    return fig.update_layout(scene={**axes, "aspectmode": "cube"}, margin_b=0)


def _trace(flat: bool, xy: Any, **options: Any) -> go.Scattergl | go.Scatter3d:
    if flat:
        return go.Scattergl(x=xy[:, 0], y=xy[:, 1], **options)
    return go.Scatter3d(x=xy[:, 0], y=xy[:, 1], z=xy[:, 2], **options)


def _lines(fig: go.Figure, made: VectorMap, found: MapData, flat: bool, shown: bool) -> None:
    step = max(1, -(-len(found.target_rows) // MOST_LINES))
    for ref in found.layers:
        raw, snapped = made.coordinates[f"{ref} raw"], made.coordinates.get(f"{ref} snapped")
        ends = snapped if snapped is not None else raw
        _joined(fig, (ends[::step], made.coordinates["target"][::step]), hue(ref, "raw", found), 0.22, flat, shown)
        if snapped is not None:
            _joined(fig, (raw[::step], snapped[::step]), charts.COLOURS["snapped"], 0.4, flat, shown)


def _joined(fig: go.Figure, ends: tuple[Any, Any], colour: str, opacity: float, flat: bool, shown: bool) -> None:
    path = np.full((len(ends[0]) * 3, ends[0].shape[1]), np.nan, dtype=np.float32)
    path[0::3], path[1::3] = ends
    line = {"color": colour, "width": 1}
    options = {"mode": "lines", "line": line, "opacity": opacity, "hoverinfo": "skip", "showlegend": False}
    fig.add_trace(_trace(flat, path, visible=shown, **options))


def _points(fig: go.Figure, name: str, xy: Any, found: MapData, look: Look, flat: bool) -> None:
    kind = kind_of(name)
    many = len(found.target_rows) > 1500
    size = (3 if kind == "corpus" else 4 if many else 6) if flat else (1.5 if kind == "corpus" else 2.5 if many else 4)
    symbol = (FLAT_SYMBOLS if flat else SOLID_SYMBOLS)[kind]
    fig.add_trace(
        _trace(
            flat,
            xy,
            mode="markers",
            name=legend(name),
            marker={**_colours(name, found, look), "symbol": symbol, "size": size},
            text=_hover(name, found, look.points),
            hovertemplate=f"<b>{legend(name)}</b><br>%{{text}}<extra></extra>",
            opacity=0.35 if kind == "corpus" else 0.85,
        )
    )


def kind_of(name: str) -> str:
    """Return whether a group is "corpus", "target", "raw" or "snapped"."""
    return name if name in ("corpus", "target") else name.rpartition(" ")[2]


def legend(name: str) -> str:
    """Return what the legend calls a group."""
    return {"corpus": "corpus chunks", "target": "true next chunks"}.get(
        name, name.replace(" raw", ": prediction").replace(" snapped", ": snapped")
    )


def hue(ref: str, kind: str, found: MapData) -> str:
    """Return the colour of a model's points: that of the thing where it is alone, else the model's own."""
    if len(found.layers) == 1:
        return charts.COLOURS["snapped" if kind == "snapped" else "prediction"]
    return charts.model_colour(ref)


def _colours(name: str, found: MapData, look: Look) -> dict[str, Any]:
    kind, ref = kind_of(name), name.rpartition(" ")[0]
    layer = found.layers.get(ref)
    bar = {"thickness": 8, "len": 0.4, "x": 1.0, "title": {"side": "top"}}
    if look.colour == "cosine" and layer is not None:
        values = layer.snapped_cosine if kind == "snapped" else layer.cosine
        first = ref == next(iter(found.layers)) and kind == "raw"
        bar["title"] = {"text": "cosine<br>to target"}
        return {"color": values, "colorscale": SCALE, "cmin": 0, "cmax": 0.9, "colorbar": bar if first else None}
    if look.colour == "position":
        bar["title"] = {"text": "place in<br>the article"}
        share = map_facts.of(found, look.points, name).share
        return {"color": share, "colorscale": PLACES, "cmin": 0, "cmax": 1,
                "colorbar": bar if kind == "target" else None}  # fmt: skip
    if look.colour in VALUES:
        values = map_facts.of(found, look.points, name).values[look.colour]
        return {"color": map_facts.coloured(values, _hue_of(found, look))}
    if layer is None:
        return {"color": charts.COLOURS["context" if kind == "corpus" else "target"]}
    return {"color": hue(ref, kind, found)}


def _hue_of(found: MapData, look: Look) -> dict[str, str]:
    return map_facts.hues(map_facts.of(found, look.points, "target").values[look.colour])


def _hues(fig: go.Figure, found: MapData, look: Look, flat: bool) -> None:
    """Say in the legend what each hue stands for, where hues stand for articles, sections, domains or places."""
    if look.colour not in VALUES:
        return
    for trace in fig.data:
        if trace.showlegend is None:  # its first point's hue would stand for all of them
            _entry(fig, trace.name, map_facts.OTHER, trace.marker.symbol, flat)
            trace.showlegend = False
    if look.colour != "position":
        for name, colour in {**_hue_of(found, look), "all others": map_facts.OTHER}.items():
            _entry(fig, charts.wrapped(name, 40, 1), colour, "square", flat)


def _entry(fig: go.Figure, name: str, colour: str, symbol: str, flat: bool) -> None:
    nothing = np.full((1, 2 if flat else 3), np.nan, dtype=np.float32)
    marker = {"color": colour, "symbol": symbol, "size": 8}
    fig.add_trace(_trace(flat, nothing, mode="markers", name=name, marker=marker, hoverinfo="skip"))


def _hover(name: str, found: MapData, points: str) -> list[str]:
    facts = map_facts.of(found, points, name)
    layer = found.layers.get(name.rpartition(" ")[0])
    if layer is not None:
        cosines = layer.snapped_cosine if kind_of(name) == "snapped" else layer.cosine
        ends = [f"cosine to target {cosine:.3f}" for cosine in cosines]
    else:
        ends = facts.texts or [""] * len(facts.heads)
    return [f"{head}<br>{end}" if end else head for head, end in zip(facts.heads, ends, strict=True)]
