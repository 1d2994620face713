"""What each context chunk contributes: how far its absence turns the prediction, and where the AMN looks."""

import html

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from lvm_core import opened
from lvm_core.errors import SettingsError
from lvm_core.nets.amn import Amn
from lvm_core.study.influence import attention, influence
from pages.shared import charts, saving, state, ui
from pages.shared.address import Address
from pages.shared.ui import Cell
from pages.views.drift import form as drift_form
from pages.views.drift.form import Choices

Shares = NDArray[np.floating]
"""(T,) of each context chunk, oldest first."""


def show(_: Address, choices: Choices) -> None:
    """Show for each model how much its prediction turns when a context chunk is left out.

    Raises:
        SettingsError: if there is only one context chunk.
    """
    start = drift_form.start_of(choices)
    context, texts = start.context[-choices.context :], start.texts[-choices.context :]
    if len(context) < 2:
        raise SettingsError(
            ["The context has 1 chunk; expected at least 2, since leaving it out leaves nothing. Start later."]
        )
    workspace, dim = state.workspace(), context.shape[1]
    nets = {ref: opened.model(workspace, ref, start.encoder_id, dim).model for ref in choices.models}
    turns = {ref: influence(net, context) for ref, net in nets.items()}
    looks = {ref: attention(net, context) for ref, net in nets.items() if isinstance(net, Amn)}
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.html('<p class="lvm-section">Leaving a chunk out</p>')
    with right:
        saved = charts.image_format("influence_camera")
    fig = _bars(turns, texts, "turns it by", "1 - cosine, with and without it")
    charts.show(fig, "drift_influence", "Influence of each context chunk", config=saving.camera(saved, "influence"))
    st.caption("How far the prediction turns when this chunk is left out: 0 not at all, 1 at a right angle.")
    saving.buttons("influence", fig, lambda: _csv(turns, looks, texts))
    if looks:
        st.html('<p class="lvm-section">Attention of the AMN over the context</p>')
        seen = _bars(looks, texts, "weight", "weight, sums to 1")
        charts.show(seen, "drift_attention", "Attention weights of the AMN", config=saving.camera(saved, "attention"))
        saving.buttons("attention", seen, None)
    st.html(_table(turns, looks, texts))


def _places(n: int) -> list[str]:
    return [f"−{n - i}" for i in range(n)]


def _bars(values: dict[str, Shares], texts: list[str], what: str, axis: str) -> go.Figure:
    fig = go.Figure()
    for ref, own in values.items():
        fig.add_bar(
            x=_places(len(own)), y=own, name=ref, marker={"color": charts.model_colour(ref)}, showlegend=True,
            text=[charts.wrapped(text) for text in texts], textposition="none",
            hovertemplate=f"<b>{ref}</b>, chunk %{{x}}<br>{what} %{{y:.3f}}<br>%{{text}}<extra></extra>",
        )  # fmt: skip
    saving.grounded(charts.style(fig, 280))
    fig.update_layout(barmode="group")
    fig.update_xaxes(title="context chunk, counted back from the prediction", type="category")
    return fig.update_yaxes(title=axis, rangemode="tozero")


def _table(turns: dict[str, Shares], looks: dict[str, Shares], texts: list[str]) -> str:
    columns = [(ref, shares, "influence") for ref, shares in turns.items()]
    columns += [(ref, shares, "attention") for ref, shares in looks.items()]
    lines = [
        [str(place), *(f"{shares[i]:.3f}" for _, shares, _ in columns), Cell(html.escape(text), "lvm-flow")]
        for i, (place, text) in enumerate(zip(_places(len(texts)), texts, strict=True))
    ]
    return ui.table_html(["chunk", *(f"{ref}, {kind}" for ref, _, kind in columns), "text"], lines)


def _csv(turns: dict[str, Shares], looks: dict[str, Shares], texts: list[str]) -> str:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["chunk", *(f"{r}_influence" for r in turns), *(f"{r}_attention" for r in looks), "text"])
    for i, text in enumerate(texts):
        own = [f"{values[i]:.6f}" for values in (*turns.values(), *looks.values())]
        writer.writerow([i - len(texts), *own, text])
    return out.getvalue()
