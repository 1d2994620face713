"""The colour code and plotly figures from plain arrays, legible in the light and the dark theme.

One colour per thing on every page: context grey, prediction blue, snapped violet, target green, neighbours
amber. A model keeps its hue everywhere; models never wear the five colours of things.
"""

import colorsys
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from lvm_core.study.projection import fit_pca

COLOURS = {
    "context": "#87919b",
    "prediction": "#3a87d9",
    "snapped": "#8f66d6",
    "target": "#2f9d5f",
    "neighbours": "#cf8d26",
}
"""Mid tones with a contrast of at least 3 on both backgrounds."""

SYMBOLS = {
    "context": "circle",
    "prediction": "diamond",
    "snapped": "diamond-open",
    "target": "star",
    "neighbours": "circle-open",
}
"""Shapes say the same as colours, for those who do not see the difference."""

MODEL_COLOURS = {
    "amn": "#12949e",
    "lstm": "#cc4f6a",
    "gru": "#7f8f1c",
    "transformer": "#b04aa6",
    "latent-mamba": "#a8683f",
    "mamba2": "#5b67cc",
    "mamba": "#7b5fc4",
    "mlp": "#d0653a",
    "deep-mlp": "#b0482f",
    "ensemble": "#4c7f9c",
    "copy-last": "#a58f78",
    "context-mean": "#7fa08e",
    "weighted-mean": "#8595ad",
    "linear-filter": "#8c6f5c",
    "corpus-mean": "#b09a9a",
    "random": "#b3b3b3",
    "passthrough": "#77818b",
}
"""Hue of each net and baseline; runs and shipped variants share the hue of their net."""

SPARE_COLOURS = ("#3f9d86", "#c2587f", "#8a7a2f", "#7a57b8", "#b5573f", "#4d86a8", "#96704f", "#6f8f3a")
TIMING_COLOURS = {
    "encode": "#87919b",
    "predict": "#3a87d9",
    "snap": "#8f66d6",
    "decode": "#4f9aa3",
    "smooth": "#b08a5a",
}

GRID = "rgba(128, 138, 148, 0.22)"
AXIS = "rgba(128, 138, 148, 0.55)"
CONFIG: dict[str, bool | str | list[str] | dict[str, str | int]] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg", "scale": 2},
}
"""plotly configuration of every figure: no logo, no link, images as SVG."""


def model_colour(ref: str) -> str:
    """Return the colour of a model: its net's hue, and of a variant or a run a shade near it, fixed by its name."""
    digest = hashlib.sha256(ref.encode()).digest()
    if ref in MODEL_COLOURS:
        return MODEL_COLOURS[ref]
    nets = [name for name in MODEL_COLOURS if ref.startswith((name + "-", name + "_"))]
    if not nets:
        return SPARE_COLOURS[digest[0] % len(SPARE_COLOURS)]
    return _shade(MODEL_COLOURS[max(nets, key=len)], digest[0] / 255 - 0.5, digest[1] / 255 - 0.5)


def _shade(colour: str, turn: float, lift: float) -> str:
    """Return a colour near `colour`: its hue turned and its lightness lifted, both by -0.5 to 0.5 of a small step."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, strength = colorsys.rgb_to_hls(red, green, blue)
    shaded = colorsys.hls_to_rgb((hue + 0.10 * turn) % 1, min(max(light + 0.14 * lift, 0.35), 0.62), strength)
    return "#" + "".join(f"{round(255 * part):02x}" for part in shaded)


def dark() -> bool:
    """Return whether the browser shows the dark theme."""
    return bool(st.context.theme.type == "dark")


def ink() -> str:
    """Return the text colour of the theme shown."""
    return "#c3cad0" if dark() else "#39424a"


def style(fig: go.Figure, height: int = 320, legend: bool = True) -> go.Figure:
    """Return `fig` with the studio's layout: quiet grid, small type, clear background, legend above."""
    fig.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28 if legend else 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": '"Source Sans", "Source Sans 3", system-ui, sans-serif', "size": 12, "color": ink()},
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "title": None, "font": {"size": 12}},
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)"},
        hoverlabel={"font": {"size": 12}, "align": "left"},
        title=None,
    )
    axis = {"gridcolor": GRID, "zerolinecolor": AXIS, "linecolor": AXIS, "automargin": True, "title_standoff": 6}
    fig.update_xaxes(**axis)
    fig.update_yaxes(**axis)
    return fig


def show(fig: go.Figure, key: str, alt: str, **options: Any) -> Any:
    """Show `fig` with the studio's configuration; `alt` says in words what it shows. Options go to Streamlit."""
    config = {**CONFIG, **options.pop("config", {})}
    return st.plotly_chart(fig, theme=None, key=key, config=config, alt=alt, **options)


def image_format(key: str) -> str:
    """Return what a figure's camera saves, "png" or "svg", as chosen in a small control."""
    chosen = st.segmented_control("Camera saves", ["png", "svg"], default="png", format_func=str.upper, key=key,
                                  help="The camera stands at the top right of the figure.")  # fmt: skip
    return chosen or "png"


def wrapped(text: str, width: int = 60, lines: int = 5) -> str:
    """Return `text` as HTML for a hover label: escaped, broken into lines, cut after `lines` of them."""
    import html
    import textwrap

    parts = textwrap.wrap(text, width)
    cut = [*parts[:lines], "…"] if len(parts) > lines else parts
    return "<br>".join(html.escape(part) for part in cut)


# ---------------------------------------------------------------- figures


def pca_plot(
    groups: Mapping[str, NDArray[np.floating[Any]]],
    texts: Mapping[str, Sequence[str]],
    height: int = 300,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> go.Figure:
    """Return a 2-D picture of groups of vectors (N, D), fitted together; keys are those of COLOURS.

    The context is joined in reading order and the i-th prediction to the i-th snapped one, so that both are seen as
    moves. `texts` come on hover, `labels` stand beside the points.
    """
    kept = {name: np.atleast_2d(vectors) for name, vectors in groups.items() if np.size(vectors)}
    plane = fit_pca(np.concatenate(list(kept.values())), 2)
    fig = go.Figure()
    start, places = 0, {}
    for name, vectors in kept.items():
        places[name] = plane.coordinates[start : start + len(vectors)]
        start += len(vectors)
    if "prediction" in places and "snapped" in places:
        line = {"color": COLOURS["snapped"], "width": 1, "dash": "dot"}
        for ends in zip(places["prediction"], places["snapped"], strict=False):
            x, y = zip(*ends, strict=True)
            fig.add_scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")
    for name, points in places.items():
        _add_group(fig, name, points, texts.get(name, ()), (labels or {}).get(name, ()))
    fig.update_xaxes(title=plane.axes[0], showticklabels=False)
    fig.update_yaxes(title=plane.axes[1], showticklabels=False)
    return style(fig, height)


def _add_group(
    fig: go.Figure, name: str, points: NDArray[np.float32], texts: Sequence[str], labels: Sequence[str]
) -> None:
    ordered = name == "context" and len(points) > 1
    fig.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        name=name,
        mode="lines+markers" if ordered else "markers+text" if labels else "markers",
        line={"color": COLOURS[name], "width": 1},
        marker={
            "color": COLOURS[name],
            "symbol": SYMBOLS[name],
            "size": 7 if name in ("context", "neighbours") else 12,
            "line": {"width": 1.5 if SYMBOLS[name].endswith("open") else 0, "color": COLOURS[name]},
        },
        text=list(labels) or None,
        textposition="top center",
        textfont={"size": 11, "color": ink()},
        hovertext=[wrapped(text) for text in texts] or None,
        hovertemplate=f"<b>{name}</b><br>%{{hovertext}}<extra></extra>" if texts else f"{name}<extra></extra>",
    )
