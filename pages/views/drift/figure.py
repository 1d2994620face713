"""Drift as curves: one small figure a measure, each model in its hue, raw solid, snapped dotted."""

import html
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from lvm_core.study.drift import DriftRow
from lvm_core.study.rollouts import RolledRow
from pages.shared import charts, saving, ui

MEASURES = {
    "to_truth": ("to the true chunk", "Cosine to the chunk that really stands at this place."),
    "to_manifold": ("to the nearest real chunk", "Of another article; near 1 means on top of one."),
    "to_previous": ("to the step before", "Near 1: the model repeats itself."),
    "to_start": ("to the last context chunk", "How far the text has moved from where it began."),
}
DASH = {"raw": "solid", "snapped": "dot"}


def series(row: RolledRow) -> DriftRow:
    """Return a single rollout as the averages of one."""
    return {"model": row["model"], "variant": row["variant"],
            **{name: [{"mean": step[name], "ci": None} for step in row["steps"]] for name in MEASURES},
            "clamped": [float(step["clamped"]) for step in row["steps"]]}  # fmt: skip


def show(rows: Sequence[DriftRow], key: str) -> go.Figure:
    """Show the measures side by side, one below the other where it is narrow; return them as one figure."""
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.html(_legend(rows))
    with right:
        saved = charts.image_format(f"{key}_camera")
    measures = [m for m in MEASURES if any(value["mean"] is not None for row in rows for value in row[m])]
    for column, measure in zip(st.columns(len(measures)), measures, strict=True):
        name, about = MEASURES[measure]
        with column:
            fig = go.Figure()
            for row in rows:
                for trace in _curve(row, measure):
                    fig.add_trace(trace)
            saving.grounded(charts.style(fig, 260, legend=False))
            fig.update_xaxes(title="step", rangemode="tozero")
            st.html(f'<p class="lvm-label">{ui.explained(f"cosine {html.escape(name)}", about)}</p>')
            charts.show(fig, f"{key}_{measure}", f"Cosine {name} at each step", config=saving.camera(saved, measure))
    return _together(rows, measures)


def _legend(rows: Sequence[DriftRow]) -> str:
    models = list(dict.fromkeys(row["model"] for row in rows))
    dots = "".join(
        f'<span style="white-space:nowrap"><i class="lvm-dot" style="background:{charts.model_colour(m)}"></i>'
        f" {html.escape(m)}</span>"
        for m in models
    )
    line = '<i style="display:inline-block;width:26px;vertical-align:middle;border-top:2px {} currentColor"></i> {}'
    kinds = f'<span style="white-space:nowrap">{line.format("solid", "raw")}</span>'
    if any(row["variant"] == "snapped" for row in rows):
        kinds += f'<span style="white-space:nowrap">{line.format("dotted", "snapped")}</span>'
    if any(share >= 0.5 for row in rows for share in row["clamped"]):
        kinds += '<span style="white-space:nowrap">✕ the drift clamp engaged</span>'
    return f'<div style="display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;align-items:center">{dots}{kinds}</div>'


def _together(rows: Sequence[DriftRow], measures: Sequence[str]) -> go.Figure:
    """Return all measures in one figure with a legend, to be saved."""
    titles = [f"cosine {MEASURES[m][0]}" for m in measures]
    fig = make_subplots(1, len(measures), horizontal_spacing=0.05, subplot_titles=titles)
    for row in rows:
        for column, measure in enumerate(measures, start=1):
            for trace in _curve(row, measure):
                trace.showlegend = column == 1 and trace.showlegend is not False
                fig.add_trace(trace, row=1, col=column)
    saving.grounded(charts.style(fig, 380))
    fig.update_xaxes(title="step", rangemode="tozero")
    fig.update_annotations(font_size=12)
    return fig.update_layout(margin_t=70, legend_y=1.13)


def _curve(row: DriftRow, measure: str) -> list[go.Scatter]:
    """Return the curve of one measure, with its interval behind it where it is a mean."""
    values, colour = row[measure], charts.model_colour(row["model"])
    name = f"{row['model']}, {row['variant']}"
    steps = list(range(1, len(values) + 1))
    held = [share >= 0.5 for share in row["clamped"]]
    traces = []
    if values[0]["ci"]:
        known = [(step, value["ci"]) for step, value in zip(steps, values, strict=True) if value["ci"]]
        band = [ends[1] for _, ends in known] + [ends[0] for _, ends in known][::-1]
        across = [step for step, _ in known] + [step for step, _ in known][::-1]
        traces.append(
            go.Scatter(x=across, y=band, fill="toself", fillcolor=colour, opacity=0.14, line={"width": 0},
                       mode="lines", hoverinfo="skip", showlegend=False)
        )  # fmt: skip
    marker = {"symbol": ["x" if h else "circle" for h in held], "size": [7 if h else 0.1 for h in held]}
    traces.append(
        go.Scatter(
            x=steps, y=[value["mean"] for value in values], name=name, legendgroup=name,
            mode="lines+markers" if any(held) or len(steps) == 1 else "lines",
            line={"color": colour, "dash": DASH[row["variant"]], "width": 1.8}, marker={"color": colour, **marker},
            text=_hover(row, measure), hovertemplate=f"<b>{name}</b><br>step %{{x}}: %{{text}}<extra></extra>",
        )
    )  # fmt: skip
    return traces


def _hover(row: DriftRow, measure: str) -> list[str]:
    texts = []
    for value, share in zip(row[measure], row["clamped"], strict=True):
        ends = f" [{value['ci'][0]:.3f}, {value['ci'][1]:.3f}]" if value["ci"] else ""
        clamp = f", clamped {share:.0%}" if share else ""
        texts.append("–" if value["mean"] is None else f"{value['mean']:.3f}{ends}{clamp}")
    return texts
