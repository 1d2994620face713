"""The runs of a sweep side by side: a line a run through the settings that vary, to its validation cosine."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from lvm_core.config import fields_of
from lvm_core.train import TrainConfig
from lvm_core.train.axes import axes
from lvm_core.train.history import RunRow
from lvm_core.train.sweep import sweep_of
from pages.shared import charts, state

HEIGHT = 290
LABELS = {f.name: f.title for f in fields_of(TrainConfig)}
"""Settings as the form calls them."""
SCALE = [[0.0, charts.COLOURS["neighbours"]], [1.0, charts.COLOURS["prediction"]]]
"""From the lowest cosine to the highest; told apart without red and green."""


def of_one_sweep(charted: Sequence[RunRow], every: Sequence[RunRow]) -> None:
    """Show the sweep that the charted runs are all of, where there is one and two of its runs were validated."""
    sweep = sweep_of(state.workspace(), [row.run for row in charted])
    if sweep is None:
        return
    names = {child.run for child in sweep.children}
    rows = [row for row in every if row.run in names and row.val_cosine is not None]
    if len(rows) < 2:
        return
    st.html(f'<p class="lvm-chart-title">{len(rows)} of the {len(names)} runs of the sweep, a line each</p>')
    fig = figure(rows)
    labels = ", ".join(dimension.label for dimension in fig.data[0].dimensions)
    charts.show(fig, "parallel", f"{len(rows)} runs by {labels}; coloured by validation cosine")


def figure(rows: Sequence[RunRow]) -> go.Figure:
    """Return the parallel coordinates of `rows`: a vertical axis a setting, and the validation cosine at the right."""
    cosines = [row.val_cosine for row in rows]
    dimensions = [
        {
            "label": LABELS.get(axis.name, axis.name.replace("_", " ")),
            "values": axis.places,
            **({"tickvals": list(axis.ticks), "ticktext": list(axis.ticks.values())} if axis.ticks else {}),
        }
        for axis in axes([row.settings for row in rows])
    ]
    dimensions.append({"label": "validation cosine", "values": cosines, "tickformat": ".4f"})
    line = {"color": cosines, "colorscale": SCALE, "showscale": False}
    font = {"size": 12, "color": charts.ink()}
    fig = go.Figure(go.Parcoords(dimensions=dimensions, line=line, labelfont=font, tickfont=font))
    charts.style(fig, HEIGHT, legend=False)
    fig.update_layout(margin={"l": 60, "r": 60, "t": 40, "b": 28}, uirevision="parallel")
    return fig
