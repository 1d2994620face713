"""The picture of the Vectors page: corpus, targets and each model's predictions, with lines between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from lvm_core.study.map import CORPUS, TARGET, Group, MapData, VectorMap
from lvm_core.study.regions import density, regions
from lvm_core.types import Vectors
from pages.shared import charts, saving
from pages.views.vectors import facts

SCALE = [[0, "#b3382b"], [0.5, "#c9b458"], [1, "#2f9d5f"]]
PLACES = [[0, "#3a87d9"], [1, "#cf8d26"]]
MOST_LINES = 600
"""Windows with lines; of more every second, third and so on has them, or nothing is to be seen."""
HEIGHT = 640
FLAT_SYMBOLS = ("diamond", "square", "triangle-up", "pentagon", "hexagon", "triangle-down")
SOLID_SYMBOLS = ("diamond", "square", "circle")
"""Shapes of the models in order, so that two are told apart whatever the hue stands for; open where snapped. WebGL in
three dimensions knows few, and no star."""
VALUES = ("article", "section", "tmd", "position")
"""What the hue of every point stands for in place of its kind."""
DIM = 0.06
"""Opacity of what does not stand out while something does."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the map is drawn. `key` names the map, `points` what is in it; `dark` is the theme whose ink it takes.

    `windows` and `corpus` are the places of the points that stand out, None where all do.
    """

    key: str
    points: str
    colour: str
    lines: bool
    names: bool
    dense: bool
    dark: bool
    windows: tuple[int, ...] | None = None
    corpus: tuple[int, ...] | None = None

    def out(self, kind: str) -> NDArray[np.int64] | None:
        """Return the places of a group's points that stand out, None for all."""
        places = self.corpus if kind == "corpus" else self.windows
        return None if places is None else np.array(places, dtype=np.int64)


def traces(made: VectorMap, data: MapData) -> dict[int, Group]:
    """Return which group each trace of points is, by its number, which does not depend on what is switched on."""
    n_lines = 2 * len(data.layers) * (2 if data.settings.snap else 1)
    n_before = n_lines + (1 if len(made.axes) == 2 else 0)
    return {n_before + i: group for i, group in enumerate(made.coordinates)}


@st.cache_resource(show_spinner=False, max_entries=4)
def drawn(look: Look, _made: VectorMap, _data: MapData) -> go.Figure:
    """Return the figure of a map."""
    flat = len(_made.axes) == 2
    fig = go.Figure()
    if flat:
        _density(fig, _made, look)
    _lines(fig, _made, _data, look, flat)
    for group, xy in _made.coordinates.items():
        _points(fig, group, xy, _data, look, flat)
    _hues(fig, _data, look, flat)
    if flat and look.names:
        _names(fig, _made, _data, look)
    return _laid(fig, _made, look, flat)


def _laid(fig: go.Figure, made: VectorMap, look: Look, flat: bool) -> go.Figure:
    saving.grounded(charts.style(fig, HEIGHT))
    fig.update_layout(uirevision=look.key, legend={"itemsizing": "constant"})
    if flat:
        fig.update_xaxes(title=made.axes[0], showticklabels=False, zeroline=False)
        fig.update_yaxes(title=made.axes[1], showticklabels=False, zeroline=False)
        return fig.update_layout(dragmode="pan")
    grid = "#2e363e" if look.dark else "#dfe3e5"  # WebGL draws no translucent lines
    axis = {
        "showticklabels": False,
        "gridcolor": grid,
        "backgroundcolor": "rgba(0,0,0,0)",
        "showspikes": False,
        "zerolinecolor": grid,
    }
    axes = {f"{letter}axis": {**axis, "title": name} for letter, name in zip("xyz", made.axes, strict=True)}
    return fig.update_layout(scene={**axes, "aspectmode": "cube"}, margin_b=0)


def _trace(flat: bool, xy: Any, **options: Any) -> go.Scattergl | go.Scatter3d:
    if flat:
        return go.Scattergl(x=xy[:, 0], y=xy[:, 1], **options)
    return go.Scatter3d(x=xy[:, 0], y=xy[:, 1], z=xy[:, 2], **options)


# ---------------------------------------------------------------- what lies where


def _density(fig: go.Figure, made: VectorMap, look: Look) -> None:
    settled = density(made.coordinates[CORPUS]) if look.dense and CORPUS in made.coordinates else None
    colour = charts.COLOURS["context"]
    fig.add_trace(
        go.Contour(
            x=[0] if settled is None else settled.x,
            y=[0] if settled is None else settled.y,
            z=[[0]] if settled is None else settled.share,
            visible=settled is not None,
            showscale=False,
            showlegend=False,
            hoverinfo="skip",
            opacity=0.5,
            colorscale=[[0, "rgba(0,0,0,0)"], [1, colour]],
            contours={"start": 0.05, "end": 1, "size": 0.1},
            line={"width": 0.5, "color": colour},
        )
    )


def _names(fig: go.Figure, made: VectorMap, data: MapData, look: Look) -> None:
    """Write the words of each region where it lies."""
    group = CORPUS if CORPUS in made.coordinates else TARGET
    for region in regions(made.coordinates[group], facts.of(group.kind, data, look.points).texts):
        fig.add_annotation(
            x=region.x,
            y=region.y,
            text=charts.wrapped(" · ".join(region.words), 60, 1),
            showarrow=False,
            font={"size": 12, "color": charts.ink()},
            bgcolor=fig.layout.paper_bgcolor or saving.GROUNDS[look.dark],
            opacity=0.85,
            borderpad=2,
        )


# ---------------------------------------------------------------- lines


def _lines(fig: go.Figure, made: VectorMap, data: MapData, look: Look, flat: bool) -> None:
    for ref in data.layers:
        raw, snapped = made.coordinates[Group("raw", ref)], made.coordinates.get(Group("snapped", ref))
        target = made.coordinates[TARGET]
        ends = snapped if snapped is not None else raw
        for out in (True, False):
            places = _with_lines(len(target), look, out)
            weight = 1.0 if out else 0.2
            _joined(fig, (ends[places], target[places]), hue(ref, "raw", data), 0.22 * weight, flat, look.lines)
            if snapped is not None:
                colour = charts.COLOURS["snapped"]
                _joined(fig, (raw[places], snapped[places]), colour, 0.4 * weight, flat, look.lines)


def _with_lines(n: int, look: Look, out: bool) -> NDArray[np.int64]:
    """Return the windows whose lines are drawn: those that stand out, or the others, which are dimmed."""
    every = np.arange(n)
    chosen = look.out("target")
    standing = every if chosen is None else chosen
    places = standing if out else np.setdiff1d(every, standing)
    return places[:: max(1, -(-len(places) // MOST_LINES))]


def _joined(fig: go.Figure, ends: tuple[Any, Any], colour: str, opacity: float, flat: bool, shown: bool) -> None:
    path = np.full((len(ends[0]) * 3, ends[0].shape[1]), np.nan, dtype=np.float32)
    path[0::3], path[1::3] = ends
    line = {"color": colour, "width": 1}
    options = {"mode": "lines", "line": line, "opacity": opacity, "hoverinfo": "skip", "showlegend": False}
    fig.add_trace(_trace(flat, path, visible=shown, **options))


# ---------------------------------------------------------------- points


def _points(fig: go.Figure, group: Group, xy: Any, data: MapData, look: Look, flat: bool) -> None:
    many = len(data.target_rows) > 1500
    corpus = group == CORPUS
    size = (3 if corpus else 4 if many else 6) if flat else (1.5 if corpus else 2.5 if many else 4)
    opacity = 0.35 if corpus else 0.85
    out = look.out(group.kind)
    fig.add_trace(
        _trace(
            flat,
            xy,
            mode="markers",
            name=legend(group),
            marker={
                **_colours(group, data, look),
                **_faded(out, len(xy), opacity, flat),
                "symbol": symbol(group, data, flat),
                "size": size,
            },
            text=_hover(group, data, look.points),
            hovertemplate=f"<b>{legend(group)}</b><br>%{{text}}<extra></extra>",
        )
    )


def _faded(out: NDArray[np.int64] | None, n: int, opacity: float, flat: bool) -> dict[str, float | NDArray[np.float32]]:
    """Return the opacity of markers: of each, where only some stand out (three dimensions know one for all)."""
    if out is None:
        return {"opacity": opacity}
    if not flat:
        return {"opacity": opacity if len(out) else DIM}
    each = np.full(n, DIM, dtype=np.float32)
    each[out] = max(opacity, 0.7)
    return {"opacity": each}


def symbol(group: Group, data: MapData, flat: bool) -> str:
    """Return the shape of a group's points: one a model, open where snapped."""
    if group == CORPUS:
        return "circle"
    if group == TARGET:
        return "star" if flat else "cross"
    shapes = FLAT_SYMBOLS if flat else SOLID_SYMBOLS
    shape = shapes[list(data.layers).index(group.model) % len(shapes)]
    return f"{shape}-open" if group.kind == "snapped" else shape


def legend(group: Group) -> str:
    """Return what the legend calls a group."""
    names = {"corpus": "corpus chunks", "target": "true next chunks", "raw": f"{group.model}: prediction"}
    return names.get(group.kind, f"{group.model}: snapped")


def hue(ref: str, kind: str, data: MapData) -> str:
    """Return the colour of a model's points: that of the thing where it is alone, else the model's own."""
    if len(data.layers) == 1:
        return charts.COLOURS["snapped" if kind == "snapped" else "prediction"]
    return charts.model_colour(ref)


class Colours(TypedDict, total=False):
    """How markers are coloured, as plotly takes it: one colour or one each, by a scale from `cmin` to `cmax`."""

    color: str | Sequence[str] | Vectors
    colorscale: str | Sequence[Sequence[float | str]]
    cmin: float
    cmax: float
    colorbar: dict[str, float | dict[str, str]] | None


def _colours(group: Group, data: MapData, look: Look) -> Colours:
    layer = data.layers.get(group.model)
    bar = {"thickness": 8, "len": 0.4, "x": 1.0, "title": {"side": "top"}}
    if look.colour == "cosine" and layer is not None:
        first = group == Group("raw", next(iter(data.layers)))
        bar["title"] = {"text": "cosine<br>to target"}
        values = {"color": layer.cosines(group.kind), "colorscale": SCALE, "cmin": 0, "cmax": 0.9}
        return {**values, "colorbar": bar if first else None}
    if look.colour == "position":
        bar["title"] = {"text": "place in<br>the article"}
        values = {"color": facts.of(group.kind, data, look.points).share, "colorscale": PLACES, "cmin": 0, "cmax": 1}
        return {**values, "colorbar": bar if group == TARGET else None}
    if look.colour in VALUES:
        named = facts.of(group.kind, data, look.points).values[look.colour]
        return {"color": facts.coloured(named, _hue_of(data, look))}
    if layer is None:
        return {"color": charts.COLOURS["context" if group == CORPUS else "target"]}
    return {"color": hue(group.model, group.kind, data)}


def _hue_of(data: MapData, look: Look) -> dict[str, str]:
    return facts.hues(facts.of_windows(data, look.points).values[look.colour])


def _hues(fig: go.Figure, data: MapData, look: Look, flat: bool) -> None:
    """Say in the legend what each hue stands for, where hues stand for articles, sections, domains or places."""
    if look.colour not in VALUES:
        return
    for trace in fig.data:
        if trace.showlegend is None:  # its first point's hue would stand for all of them
            _entry(fig, trace.name, facts.OTHER, trace.marker.symbol, flat)
            trace.showlegend = False
    if look.colour != "position":
        for name, colour in {**_hue_of(data, look), "all others": facts.OTHER}.items():
            _entry(fig, charts.wrapped(name, 40, 1), colour, "square", flat)


def _entry(fig: go.Figure, name: str, colour: str, shape: str, flat: bool) -> None:
    nothing = np.full((1, 2 if flat else 3), np.nan, dtype=np.float32)
    marker = {"color": colour, "symbol": shape, "size": 8}
    fig.add_trace(_trace(flat, nothing, mode="markers", name=name, marker=marker, hoverinfo="skip"))


def _hover(group: Group, data: MapData, points: str) -> list[str]:
    known = facts.of(group.kind, data, points)
    layer = data.layers.get(group.model)
    if layer is None:
        return [known.hover(place) for place in range(len(known.texts))]
    return [
        f"cosine {cosine:.3f} to the true next chunk, {known.hover(place)}"
        for place, cosine in enumerate(layer.cosines(group.kind))
    ]
