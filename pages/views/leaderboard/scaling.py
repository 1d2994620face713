"""What more text brings: gains over the filter against windows of training, with the law fitted to each net."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.scaling import FURTHER, Law, laws
from pages.shared import charts, ui


def show(rows: Sequence[Row]) -> None:
    """Show the laws of one test, or nothing where no net was trained on three sizes of data."""
    found = laws(rows)
    if not found:
        return
    st.html('<p class="lvm-section">What more text brings</p>')
    charts.show(curves(found), "board_scaling", "Gain over the linear filter against windows of training")
    for law in found:
        st.caption(ui.plain(law.words()))


def curves(found: Sequence[Law]) -> go.Figure:
    """Return a curve a net, whole through what was measured and dotted where it promises."""
    figure = go.Figure()
    for law in found:
        colour = charts.model_colour(law.net)
        name = f"{law.net}, {law.context} chunks"
        first, last = law.sizes[0].windows, law.sizes[-1].windows
        for low, high, dash in ((first, last, "solid"), (last, last * FURTHER, "dot")):
            windows = np.geomspace(low, high, 40)
            line = {"color": colour, "width": 2, "dash": dash}
            figure.add_scatter(
                x=windows, y=[law.at(n) for n in windows], mode="lines", line=line, name=name, legendgroup=name,
                showlegend=dash == "solid", hoverinfo="skip",
            )  # fmt: skip
        gains = np.array([size.gain for size in law.sizes])
        ends = np.array([size.ends or [size.gain, size.gain] for size in law.sizes])
        figure.add_scatter(
            x=[size.windows for size in law.sizes], y=gains, mode="markers", legendgroup=name, showlegend=False,
            marker={"color": colour, "size": 8}, text=[size.model for size in law.sizes],
            error_y={"type": "data", "symmetric": False, "array": ends[:, 1] - gains, "arrayminus": gains - ends[:, 0],
                     "thickness": 1, "width": 3},
            hovertemplate="<b>%{text}</b><br>%{x:,} windows<br>%{y:+.4f} over the filter<extra></extra>",
        )  # fmt: skip
    charts.style(figure, 340)
    figure.update_xaxes(title="windows of training (log)", type="log")
    figure.update_yaxes(title="cosine gained over the filter", tickformat="+.3f", zeroline=True)
    return figure
