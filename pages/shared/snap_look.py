"""The snap laboratory: K and strength as sliders, with what they give and cost at once, and a sweep of both."""

import html
from typing import Any

import streamlit as st

from lvm_core.config import check
from lvm_core.decode.snap import SnapSettings
from lvm_core.snap_lab import SnapLab
from lvm_core.workspace import Workspace
from pages.shared import charts, state, ui
from pages.shared.drift_form import Asked

SWEEP = "snap_sweep"


@st.cache_resource(show_spinner=False, max_entries=4)
def _lab(root: str, ref: str, corpus: str, split: str, stamp: tuple[Any, ...]) -> SnapLab:  # noqa: ARG001 - part of the key
    return SnapLab(Workspace(root), ref, corpus, split)


def show(asked: Asked) -> None:
    """Show what the snap settings do to the predictions of the first model chosen."""
    ref = asked.models[0]
    st.caption(
        f"Model {ref}, 600 windows of the {asked.split} articles of '{asked.corpus}', their own article left out."
    )
    settings = _weights(asked.snap)
    stamp = tuple(state.file_stamp(i.path) for i in state.models() if i.ref == ref)
    with st.spinner("Predicting and searching once; the sliders then answer at once…", show_time=True):
        lab = _lab(str(state.workspace().root), ref, asked.corpus, asked.split, stamp)
        raw, snapped = lab.measure(None), lab.measure(settings)
    _compare(raw, snapped)
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button(
        "Sweep K and strength", icon=":material/grid_on:", help="16 settings, half a minute. Choose on validation."
    ):
        bar = right.progress(0.0)
        st.session_state[SWEEP] = (ref, asked.split, lab.sweep(lambda share, text: bar.progress(share, text)))
        bar.empty()
    if SWEEP in st.session_state:
        _sweep(*st.session_state[SWEEP])


def _weights(base: SnapSettings) -> SnapSettings:
    with st.expander("Weights and thresholds", icon=":material/tune:"):
        values: dict[str, float] = {}
        columns = st.columns(4)
        names = [n for n in SnapSettings.__dataclass_fields__ if n not in ("k", "strength")]
        for i, name in enumerate(names):
            field = SnapSettings.__dataclass_fields__[name]
            values[name] = columns[i % 4].slider(
                name.replace("_", " "),
                float(field.metadata["low"]),
                1.0,
                float(field.default),
                0.05,
                key=f"lab_{name}",
                help=field.metadata["help"],
            )
    return check(SnapSettings(k=base.k, strength=base.strength, **values))


def _compare(raw: dict[str, Any], snapped: dict[str, Any]) -> None:
    labels = {
        "cosine": ("cosine to target", "mean over the windows"),
        "recall_at_5": (
            "Recall@5",
            "share of windows whose true next chunk is among the five nearest of the test articles",
        ),
        "nearest": (
            "cosine to nearest real chunk",
            "near 1: the text is a real chunk; true next chunks lie at about .5 to .56",
        ),
    }
    numbers = []
    for name, (label, about) in labels.items():
        for kind, found, colour in (("raw", raw, "prediction"), ("snapped", snapped, "snapped")):
            ends = found[name]["ci"]
            band = f" 95 % [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else ""
            numbers.append(ui.Number(f"{label}, {kind}", f"{found[name]['mean']:.3f}", "", about + band, colour))
    numbers.append(
        ui.Number("clamped", f"{snapped['clamped']:.1%}", "", "share at which the drift clamp engaged", "snapped")
    )
    ui.metric_row(numbers)


def _sweep(ref: str, split: str, rows: list[dict[str, Any]]) -> None:
    raw = next(row for row in rows if row["k"] == 0)
    best = rows[0]
    cost = best["recall_at_5"]["mean"] - raw["recall_at_5"]["mean"]
    gain = best["cosine"]["mean"] - raw["cosine"]["mean"]
    said = "the raw prediction" if best["k"] == 0 else f"K {best['k']} at strength {best['strength']:.2f}"
    st.markdown(
        f"Best cosine on {split} for **{ui.plain(ref)}**: {said}; {gain:+.3f} cosine, {cost:+.1%} Recall@5 against raw."
    )
    fig = _scatter(rows)
    charts.show(fig, "snap_sweep_plot", "Cosine and recall of each snap setting")
    lines = "".join(
        f"<tr><td>{'raw' if r['k'] == 0 else r['k']}</td><td>{r['strength']:.2f}</td><td>{r['cosine']['mean']:.3f}</td>"
        f"<td>{r['recall_at_5']['mean']:.1%}</td><td>{r['nearest']['mean']:.3f}</td><td>{r['clamped']:.1%}</td></tr>"
        for r in rows
    )
    head = "".join(
        f"<th>{html.escape(t)}</th>" for t in ("K", "strength", "cosine", "Recall@5", "nearest real", "clamped")
    )
    st.html(f'<div class="lvm-wide"><table class="lvm-rows"><tr>{head}</tr>{lines}</table></div>')


def _scatter(rows: list[dict[str, Any]]) -> Any:
    import plotly.graph_objects as go

    fig = go.Figure()
    for k in sorted({row["k"] for row in rows}):
        own = sorted((row for row in rows if row["k"] == k), key=lambda row: row["strength"])
        colour = charts.COLOURS["prediction" if k == 0 else "snapped"]
        fig.add_scatter(
            x=[r["recall_at_5"]["mean"] * 100 for r in own],
            y=[r["cosine"]["mean"] for r in own],
            name="raw" if k == 0 else f"K {k}",
            mode="lines+markers",
            opacity=1.0 if k == 0 else 0.3 + 0.7 * [1, 4, 16, 64].index(k) / 3,
            marker={"size": 9, "symbol": "diamond" if k == 0 else "circle", "color": colour},
            line={"color": colour},
            text=[f"strength {r['strength']:.2f}" for r in own],
            hovertemplate="%{fullData.name}, %{text}<br>Recall@5 %{x:.1f} %<br>cosine %{y:.3f}<extra></extra>",
        )
    charts.style(fig, 320)
    fig.update_xaxes(title="Recall@5, % of windows")
    fig.update_yaxes(title="cosine to target")
    return fig
