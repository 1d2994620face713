"""The picture of the Vectors page: corpus, targets and each model's predictions, with lines between them."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from lvm_core.study.map import CORPUS, TARGET, Group, MapData, VectorMap
from lvm_core.study.regions import density, regions
from pages.shared import charts, saving
from pages.views.vectors import facts
from pages.views.vectors.marks import VALUES, Look, colours, faded, hover, hue, hue_of, legend, symbol

MOST_LINES = 600
"""Windows with lines; of more every second, third and so on has them, or nothing is to be seen."""
MANY_CHUNKS, MANY_WINDOWS = 20_000, 1500
"""Points of a group from which on they are small, and those of the corpus faint: they would cover one another."""
HEIGHT = 640


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
    many = len(xy) > (MANY_CHUNKS if group == CORPUS else MANY_WINDOWS)
    corpus = group == CORPUS
    size = (3 if corpus else 6) if flat else (1.5 if corpus else 4)
    size = size * 0.65 if many else size
    opacity = (0.15 if many else 0.35) if corpus else 0.85
    if corpus and flat and look.dense:
        opacity *= 0.3  # or the contours are hidden by what they count
    out = look.out(group.kind)
    fig.add_trace(
        _trace(
            flat,
            xy,
            mode="markers",
            name=legend(group),
            marker={
                **colours(group, data, look),
                **faded(out, len(xy), opacity, size, flat),
                "symbol": symbol(group, data, flat),
            },
            text=hover(group, data, look.points),
            hovertemplate=f"<b>{legend(group)}</b><br>%{{text}}<extra></extra>",
        )
    )


def _hues(fig: go.Figure, data: MapData, look: Look, flat: bool) -> None:
    """Say in the legend what each hue stands for, where hues stand for articles, sections, domains or places."""
    if look.colour not in VALUES:
        return
    for trace in fig.data:
        if trace.showlegend is None:  # its first point's hue would stand for all of them
            _entry(fig, trace.name, facts.OTHER, trace.marker.symbol, flat)
            trace.showlegend = False
    if look.colour != "position":
        for name, colour in {**hue_of(data, look), "all others": facts.OTHER}.items():
            _entry(fig, charts.wrapped(name, 40, 1), colour, "square", flat)


def _entry(fig: go.Figure, name: str, colour: str, shape: str, flat: bool) -> None:
    nothing = np.full((1, 2 if flat else 3), np.nan, dtype=np.float32)
    marker = {"color": colour, "symbol": shape, "size": 8}
    fig.add_trace(_trace(flat, nothing, mode="markers", name=name, marker=marker, hoverinfo="skip"))
