"""Figures of the board: intervals as dots with whiskers, and quality against latency with the front marked."""

import math
from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from lvm_core.evaluate.measures import MEASURES, Measure
from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.board import front
from pages.shared import charts
from pages.shared.address import Address

MOST = 24
"""Rows drawn; the table holds the rest."""

FAR = 0.7
"""Rows below this share of the best are left out of figures: beside them the others could not be told apart."""


def show(at: Address, rows: Mapping[str, Row]) -> None:
    """Show cosine and recall with their intervals, and quality against latency."""
    left, middle, right = st.columns(3, gap="medium")
    for column, name, title in (
        (left, "cosine", "Cosine to the true next chunk"),
        (middle, "recall_at_5", "True chunk among the nearest five"),
    ):
        with column:
            st.html(f'<p class="lvm-section">{title}, 95 % by article</p>')
            figure = whiskers(rows, MEASURES[name])
            charts.show(figure, f"board_{name}", f"{MEASURES[name].heading} of each model with its interval")
    with right:
        st.html('<p class="lvm-section">Quality against latency</p>')
        name = st.segmented_control(
            "Quality",
            ["cosine", "recall_at_5"],
            format_func=lambda name: MEASURES[name].heading,
            key=at.key("quality", "cosine", ["cosine", "recall_at_5"]),
            label_visibility="collapsed",
        )
        figure = trade(rows, MEASURES[name or "cosine"])
        charts.show(figure, "board_trade", "Quality against latency, the front joined by a line")


def near_best(rows: Mapping[str, Row], measure: Measure) -> list[tuple[str, Row, float]]:
    """Return the rows that are drawn for a measure with their values, best first."""
    measured = [(name, row, value) for name, row in rows.items() if (value := measure.value(row)) is not None]
    ordered = sorted(measured, key=lambda one: -one[2])
    least = 0.02 if measure.share else FAR * (ordered[0][2] if ordered else 0)
    return [one for one in ordered if one[2] >= least][:MOST]


def _axis(measure: Measure) -> str:
    return f"{measure.heading}, % of windows" if measure.share else measure.heading


def whiskers(rows: Mapping[str, Row], measure: Measure) -> go.Figure:
    """Return one dot with its interval a row, best at the top."""
    best = near_best(rows, measure)
    factor = 100 if measure.share else 1
    figure = go.Figure()
    for name, row, value in reversed(best):
        low, high = measure.ends(row) or (value, value)
        figure.add_scatter(
            x=[factor * value],
            y=[name],
            mode="markers",
            marker=_marker(row, 9),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [factor * (high - value)],
                "arrayminus": [factor * (value - low)],
                "thickness": 1.5,
                "width": 4,
            },
            hovertemplate=f"<b>{name}</b><br>{measure.written(row)}<extra></extra>",
            showlegend=False,
        )
    charts.style(figure, 54 + 22 * max(len(best), 3), legend=False)
    figure.update_xaxes(title=_axis(measure))
    figure.update_yaxes(showgrid=False)
    return figure


def _marker(row: Row, size: int) -> go.scatter.Marker:
    colour = charts.model_colour(row.net)
    symbol = "circle" if row.kind == "net" else "diamond-open"
    return go.scatter.Marker(color=colour, size=size, symbol=symbol, line={"width": 1.5, "color": colour})


def _beside(place: int, share: float) -> str:
    """Return where a name of the front stands: inside the frame, and above its point or below it by turns.

    Args:
        place: which of the front it is.
        share: where its point lies between the quickest and the slowest, 0 to 1.
    """
    side = "right" if share < 1 / 3 else "left" if share > 2 / 3 else ("left" if place % 2 else "right")
    return f"{'top' if place % 2 else 'bottom'} {side}"


def trade(rows: Mapping[str, Row], measure: Measure) -> go.Figure:
    """Return quality against the latency of one query, the rows that nothing beats in both joined by a line."""
    factor = 100 if measure.share else 1
    timed = [
        (name, row, value, ms) for name, row, value in near_best(rows, measure) if (ms := row.number("latency_ms"))
    ]
    best = front([row for _, row, _, _ in timed], measure.name)
    on_front = [name for row in best for name, other, _, _ in timed if other is row]
    logs = {name: math.log(ms) for name, _, _, ms in timed}
    quickest, slowest = min(logs.values(), default=0.0), max(logs.values(), default=0.0)
    figure = go.Figure()
    figure.add_scatter(
        x=[row.number("latency_ms") for row in best],
        y=[factor * (measure.value(row) or 0) for row in best],
        mode="lines",
        line={"color": charts.ink(), "width": 1, "dash": "dot", "shape": "hv"},
        name="front: nothing is both better and faster",
        hoverinfo="skip",
    )
    for name, row, value, ms in timed:
        named = name in on_front
        figure.add_scatter(
            x=[ms],
            y=[factor * value],
            mode="markers+text" if named else "markers",
            text=[name] if named else None,
            textposition=_beside(on_front.index(name), (logs[name] - quickest) / (slowest - quickest or 1))
            if named
            else None,
            textfont={"size": 11},
            marker=_marker(row, 11 if named else 8),
            hovertemplate=f"<b>{name}</b><br>{_axis(measure)}: {measure.written(row)}<br>%{{x:.3f}} ms<extra></extra>",
            showlegend=False,
        )
    charts.style(figure, 340)
    figure.update_xaxes(title="milliseconds a query, one thread (log)", type="log")
    figure.update_yaxes(title=_axis(measure))
    return figure
