"""The picture of the Vectors page: corpus, targets and each model's predictions, with lines between them."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lvm_core.corpus.tmd import unpack
from lvm_core.vector_map import MapData, VectorMap
from pages.shared import charts, map_form, state

PALETTE = ("#3a87d9", "#cf8d26", "#2f9d5f", "#cc4f6a", "#8f66d6", "#12949e", "#7f8f1c", "#d0653a", "#b04aa6", "#66788c")
SCALE = [[0, "#b3382b"], [0.5, "#c9b458"], [1, "#2f9d5f"]]
LARGEST_LINES = 1500
Chosen = list[tuple[str, int]]
"""Points that were clicked or lassoed: group of the map, and place in the group."""


def show(made: VectorMap, data: MapData) -> Chosen:
    """Show the map and return the points that are chosen in it."""
    left, right, camera = st.columns([2.6, 1, 0.7], vertical_alignment="bottom")
    names = list(map_form.COLOURS)
    colour = (
        left.segmented_control(
            "Colour",
            names,
            format_func=map_form.COLOURS.__getitem__,
            key="map_colour",
            default=st.query_params.get("colour", "role"),
        )
        or "role"
    )
    lines = right.toggle(
        "Lines to targets",
        st.query_params.get("lines", "1") == "1",
        key="map_lines",
        help="From each prediction to its target; a dotted one from raw to snapped.",
    )
    st.query_params["colour"], st.query_params["lines"] = colour, "1" if lines else "0"
    with camera:
        saved = charts.image_format("map_camera")
    fig, groups = figure(made, data, colour, lines)
    event = charts.show(
        fig,
        "map_plot",
        "Map of corpus, targets and predictions",
        on_select="rerun",
        selection_mode=("points", "lasso", "box"),
        config={
            "modeBarButtonsToRemove": ["autoScale2d"],
            "scrollZoom": True,
            "toImageButtonOptions": {"format": saved, "scale": 2, "filename": "lvm-map"},
        },
    )
    if made.note:
        st.caption(made.note)
    picked = event.selection.points if event else []
    found = [(groups[p["curve_number"]], int(p["point_number"])) for p in picked if p["curve_number"] in groups]
    return [(name, place) for name, place in found if name != "corpus"] or found


def figure(made: VectorMap, data: MapData, colour: str, lines: bool) -> tuple[go.Figure, dict[int, str]]:
    """Return the figure and which group each of its traces of points is."""
    flat = len(made.axes) == 2
    fig = go.Figure()
    groups: dict[int, str] = {}
    if lines:
        _lines(fig, made, data, flat)
    for name, xy in made.coordinates.items():
        groups[len(fig.data)] = name
        _points(fig, name, xy, data, colour, flat)
    charts.style(fig, 620)
    if flat:
        fig.update_xaxes(title=made.axes[0], showticklabels=False)
        fig.update_yaxes(title=made.axes[1], showticklabels=False)
        fig.update_layout(dragmode="pan")
    else:
        axes = {
            f"{axis}axis": {
                "title": name,
                "showticklabels": False,
                "gridcolor": charts.GRID,
                "backgroundcolor": "rgba(0,0,0,0)",
            }
            for axis, name in zip("xyz", made.axes, strict=True)
        }
        fig.update_layout(scene=axes)
    return fig, groups


def _trace(flat: bool, xy: Any, **options: Any) -> go.Scattergl | go.Scatter3d:
    if flat:
        return go.Scattergl(x=xy[:, 0], y=xy[:, 1], **options)
    return go.Scatter3d(x=xy[:, 0], y=xy[:, 1], z=xy[:, 2], **options)


def _lines(fig: go.Figure, made: VectorMap, data: MapData, flat: bool) -> None:
    step = max(1, -(-len(data.target_rows) // LARGEST_LINES))
    for ref in data.layers:
        raw, snapped = made.coordinates[f"{ref} raw"], made.coordinates.get(f"{ref} snapped")
        ends = snapped if snapped is not None else raw
        _joined(fig, ends[::step], made.coordinates["target"][::step], charts.model_colour(ref), 0.22, flat)
        if snapped is not None:
            _joined(fig, raw[::step], snapped[::step], charts.COLOURS["snapped"], 0.3, flat)


def _joined(fig: go.Figure, a: Any, b: Any, colour: str, opacity: float, flat: bool) -> None:
    path = np.full((len(a) * 3, a.shape[1]), np.nan, dtype=np.float32)
    path[0::3], path[1::3] = a, b
    fig.add_trace(
        _trace(
            flat,
            path,
            mode="lines",
            line={"color": colour, "width": 1},
            opacity=opacity,
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _points(fig: go.Figure, name: str, xy: Any, data: MapData, colour: str, flat: bool) -> None:
    marker = _marker(name, data, colour)
    marker["size"] = {"corpus": 3, "target": 5}.get(name, 5) if flat else {"corpus": 1.5}.get(name, 3.5)
    fig.add_trace(
        _trace(
            flat,
            xy,
            mode="markers",
            name=legend(name),
            marker=marker,
            text=_hover(name, data),
            hovertemplate="%{text}<extra></extra>",
            opacity=0.35 if name == "corpus" else 0.85,
        )
    )


def legend(name: str) -> str:
    """Return what the legend calls a group."""
    return {"corpus": "corpus chunks", "target": "true next chunks"}.get(
        name, name.replace(" raw", ": prediction").replace(" snapped", ": snapped")
    )


def _marker(name: str, data: MapData, colour: str) -> dict[str, Any]:
    ref, _, kind = name.rpartition(" ")
    symbol = {"target": "star", "corpus": "circle"}.get(name, "diamond-open" if kind == "snapped" else "diamond")
    values = _values(name, data, colour)
    if values is not None:
        shown = colour == "cosine"
        bar = {"title": "cosine", "thickness": 8, "len": 0.4, "x": 1.0} if shown and kind == "raw" else None
        numeric: dict[str, Any] = {"color": values, "symbol": symbol}
        return numeric | ({"colorscale": SCALE, "cmin": 0, "cmax": 0.9, "colorbar": bar} if shown else {})
    if name in ("corpus", "target"):
        return {"color": charts.COLOURS["context" if name == "corpus" else "target"], "symbol": symbol}
    return {
        "color": charts.COLOURS["snapped"] if kind == "snapped" and len(data.layers) == 1 else charts.model_colour(ref),
        "symbol": symbol,
    }


def _values(name: str, data: MapData, colour: str) -> Any:
    """Return what to colour a group by, None for its role."""
    ref, _, kind = name.rpartition(" ")
    layer = data.layers.get(ref)
    if colour == "cosine":
        return None if layer is None else (layer.snapped_cosine if kind == "snapped" else layer.cosine)
    if colour == "role":
        return None
    facts = _facts(data, "corpus" if name == "corpus" else "target")
    return (
        [PALETTE[hash_of(fact[colour]) % len(PALETTE)] for fact in facts]
        if colour != "position"
        else [_shade(float(fact["position"])) for fact in facts]
    )


def hash_of(value: object) -> int:
    """Return a number that is the same in every process."""
    import zlib

    return zlib.crc32(str(value).encode())


def _shade(share: float) -> str:
    low, high = np.array([58, 135, 217]), np.array([207, 141, 38])
    r, g, b = (low + (high - low) * share).astype(int)
    return f"rgb({r},{g},{b})"


def _facts(data: MapData, group: str) -> list[dict[str, Any]]:
    rows = data.corpus_rows if group == "corpus" else data.target_rows
    return facts(data.settings.corpus, tuple(rows.tolist()), str(state.workspace().root))


@st.cache_data(show_spinner=False, max_entries=8)
def facts(corpus: str, rows: tuple[int, ...], root: str) -> list[dict[str, Any]]:  # noqa: ARG001 - part of the key
    """Return for each row its text, article, section, place in the article (0 to 1) and TMD domain."""
    store = state.store()
    longest = {d.document_id: max(d.n_chunks - 1, 1) for d in store.documents(corpus)}
    return [
        {
            "text": chunk.text,
            "article": chunk.article,
            "section": chunk.section,
            "row": chunk.row,
            "position": chunk.position / longest[chunk.document_id],
            "number": chunk.position,
            "tmd": unpack(chunk.tmd).names[0] if chunk.tmd is not None else "not labelled",
        }
        for chunk in store.chunks(corpus, rows)
    ]


def _hover(name: str, data: MapData) -> list[str]:
    group = "corpus" if name == "corpus" else "target"
    heads = [f"<b>{legend(name)}</b><br>{fact['article']}, {fact['number']}" for fact in _facts(data, group)]
    if name == "corpus":
        return heads  # six thousand texts would be sent with every change; a click shows the text
    ref, _, kind = name.rpartition(" ")
    layer = data.layers.get(ref)
    if layer is None:
        return [
            f"{head}<br>{charts.wrapped(fact['text'], lines=3)}"
            for head, fact in zip(heads, _facts(data, group), strict=True)
        ]
    cosines = layer.snapped_cosine if kind == "snapped" else layer.cosine
    return [f"{head}<br>cosine to target {cosine:.3f}" for head, cosine in zip(heads, cosines, strict=True)]
