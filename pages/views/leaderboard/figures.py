"""Figures of the board: intervals as dots with whiskers, and quality against latency with the front marked."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from lvm_core.leaderboard.board import front
from pages.shared import charts
from pages.views.leaderboard.table import label

Row = dict[str, Any]
MOST = 24
"""Rows drawn; the table holds the rest."""

FAR = 0.7
"""Rows below this share of the best are left out of figures: beside them the others could not be told apart."""


def near_best(rows: Sequence[Row], field: str) -> list[Row]:
    """Return the rows that are drawn for a measure, best first."""
    known = sorted((row for row in rows if row.get(field) is not None), key=lambda row: -row[field])
    near = [row for row in known if row[field] >= FAR * known[0][field]]
    return (near if field == "cosine" else [row for row in known if row[field] > 0.02])[:MOST]


def whiskers(rows: Sequence[Row], field: str, title: str, percent: bool = False) -> go.Figure:
    """Return one dot with its interval a row, best at the top; `title` has the unit."""
    best = near_best(rows, field)
    factor = 100 if percent else 1
    figure = go.Figure()
    for row in reversed(best):
        low, high = row.get(f"{field}_ci") or (row[field], row[field])
        shown = f"{factor * row[field]:.4g} [{factor * low:.4g}, {factor * high:.4g}]"
        figure.add_scatter(
            x=[factor * row[field]],
            y=[label(row)],
            mode="markers",
            marker=_marker(row, 9),
            error_x={
                "type": "data", "symmetric": False, "array": [factor * (high - row[field])],
                "arrayminus": [factor * (row[field] - low)], "thickness": 1.5, "width": 4,
            },
            hovertemplate=f"<b>{label(row)}</b><br>{shown}<extra></extra>",
            showlegend=False,
        )  # fmt: skip
    charts.style(figure, 54 + 22 * len(best), legend=False)
    figure.update_xaxes(title=title)
    figure.update_yaxes(showgrid=False)
    return figure


def _marker(row: Row, size: int) -> dict[str, Any]:
    colour = charts.model_colour(row["net"])
    symbol = "circle" if row["kind"] == "net" else "diamond-open"
    return {"color": colour, "size": size, "symbol": symbol, "line": {"width": 1.5, "color": colour}}


def _beside(place: int, n: int) -> str:
    """Names of neighbours on the front stand on either side of it; the last one stays inside the frame."""
    if place == n - 1:
        return "bottom left"
    return "top left" if place % 2 else "bottom right"


def trade(rows: Sequence[Row], quality: str, title: str, percent: bool = False) -> go.Figure:
    """Return quality against the latency of one query, the rows that nothing beats in both joined by a line."""
    factor = 100 if percent else 1
    known = [row for row in near_best(rows, quality) if row.get("latency_ms")]
    best = front(known, quality)
    figure = go.Figure()
    figure.add_scatter(
        x=[row["latency_ms"] for row in best],
        y=[factor * row[quality] for row in best],
        mode="lines",
        line={"color": charts.ink(), "width": 1, "dash": "dot", "shape": "hv"},
        name="front: nothing is both better and faster",
        hoverinfo="skip",
    )
    places = [label(row) for row in best]
    for row in known:
        on_front = label(row) in places
        shown = f"{title}: {factor * row[quality]:.4g}"
        figure.add_scatter(
            x=[row["latency_ms"]],
            y=[factor * row[quality]],
            mode="markers+text" if on_front else "markers",
            text=[label(row)] if on_front else None,
            textposition=_beside(places.index(label(row)), len(places)) if on_front else None,
            textfont={"size": 11},
            marker=_marker(row, 11 if on_front else 8),
            hovertemplate=f"<b>{label(row)}</b><br>{shown}<br>%{{x:.3f}} ms<extra></extra>",
            showlegend=False,
        )  # fmt: skip
    charts.style(figure, 340)
    figure.update_xaxes(title="milliseconds a query, one thread (log)", type="log")
    figure.update_yaxes(title=title)
    return figure
