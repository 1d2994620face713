"""Rollouts as curves and as text, their averages over articles, and what each context chunk contributes."""

import html
import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from lvm_core.checkpoint import load_model
from lvm_core.drift import DriftSettings, drift_key, load_study, roll_out_from
from lvm_core.nets.amn import Amn
from lvm_core.rollout import influence
from lvm_core.workspace import Workspace
from pages.shared import charts, state, ui
from pages.shared.drift_form import Asked

MEASURES = {
    "to_truth": ("to the true chunk", "Cosine to the chunk that really stands at this place."),
    "to_manifold": (
        "to the nearest real chunk",
        "Of another article; near 1 means on top of one.",
    ),
    "to_previous": ("to the step before", "Near 1: the model repeats itself."),
    "to_start": ("to the last context chunk", "How far the text has moved from where it began."),
}
DASH = {"raw": "solid", "snapped": "dot"}


@st.cache_data(show_spinner=False, max_entries=16)
def _rolled(root: str, asked: Asked, stamp: tuple[Any, ...]) -> dict[str, Any]:  # noqa: ARG001 - part of the key
    settings = DriftSettings(corpus=asked.corpus, steps=asked.steps, context=asked.context)
    variants = {"raw": None, "snapped": asked.snap}
    return roll_out_from(Workspace(root), asked.models, settings, variants, asked.row)


def _stamp(asked: Asked) -> tuple[Any, ...]:
    return tuple((i.ref, state.file_stamp(i.path)) for i in state.models() if i.ref in asked.models)


def one(asked: Asked) -> None:
    """Show the rollouts from one place: curves, and the text of each step beside the true one."""
    with st.spinner("Rolling out…", show_time=True):
        found = _rolled(str(state.workspace().root), asked, _stamp(asked))
    fig = _curves([{**row, **_series(row)} for row in found["rows"]])
    charts.show(fig, "drift_curves", "Drift of each rollout over its steps")
    _save(fig, _csv(found["rows"]), "rollout")
    names = [f"{row['model']}, {row['variant']}" for row in found["rows"]]
    shown = st.segmented_control("Text of", names, default=names[0], key="drift_text_of") or names[0]
    row = found["rows"][names.index(shown)]
    st.html(f'<p class="lvm-section">{html.escape(found["article"])}, from chunk {asked.position}</p>')
    st.html(f'<div class="lvm-context"><small>last context chunk</small><br>{html.escape(found["start"])}</div>')
    st.html(_text_table(row, found["truth"]))
    st.caption(
        "The text of a step is the real chunk of another article that lies nearest to its vector. Send the context to"
        " Predict for the generated text of the first step."
    )
    if st.button("Send to Predict", icon=":material/arrow_forward:", type="tertiary"):
        state.send_to_predict(asked.corpus, range(asked.row - asked.context, asked.row))


def _series(row: dict[str, Any]) -> dict[str, Any]:
    return {name: [{"mean": step[name], "ci": None} for step in row["steps"]] for name in MEASURES} | {
        "clamped": [float(step["clamped"]) for step in row["steps"]]
    }


def _text_table(row: dict[str, Any], truth: list[str]) -> str:
    colour = "snapped" if row["variant"] == "snapped" else "prediction"
    lines = []
    for step in row["steps"]:
        true = html.escape(truth[step["step"] - 1]) if step["step"] <= len(truth) else "<i>the article has ended</i>"
        score = "–" if step["to_truth"] is None else f"{step['to_truth']:.3f}"
        clamp = ' <span class="lvm-tag" title="the drift clamp engaged">clamped</span>' if step["clamped"] else ""
        lines.append(
            f'<tr><td>{step["step"]}</td><td>{score}</td><td class="lvm-{colour} lvm-flow">'
            f'{html.escape(step["text"])} <small class="lvm-label">{html.escape(step["article"])}</small>{clamp}</td>'
            f'<td class="lvm-target lvm-flow">{true}</td></tr>'
        )
    head = "<tr><th>step</th><th>cosine</th><th>what the vector is nearest to</th><th>what the article says</th></tr>"
    return f'<div class="lvm-wide"><table class="lvm-rows">{head}{"".join(lines)}</table></div>'


def _curves(rows: list[dict[str, Any]]) -> go.Figure:
    """Return four small plots, one a measure; each model in its hue, raw solid, snapped dotted, clamps as crosses."""
    fig = make_subplots(1, 4, horizontal_spacing=0.04, subplot_titles=[f"cosine {MEASURES[m][0]}" for m in MEASURES])
    for row in rows:
        colour, name = charts.model_colour(row["model"]), f"{row['model']}, {row['variant']}"
        for column, measure in enumerate(MEASURES, start=1):
            _curve(fig, row, measure, column, colour, name)
    charts.style(fig, 300)
    fig.update_xaxes(title="step", rangemode="tozero")
    fig.update_annotations(font_size=12)
    fig.update_layout(margin_t=58, legend_y=1.13)
    return fig


def _curve(fig: go.Figure, row: dict[str, Any], measure: str, column: int, colour: str, name: str) -> None:
    values = row[measure]
    steps = list(range(1, len(values) + 1))
    if values[0]["ci"]:
        ends = [v["ci"] or (None, None) for v in values]
        fig.add_scatter(
            x=steps + steps[::-1],
            y=[e[1] for e in ends] + [e[0] for e in ends][::-1],
            fill="toself",
            fillcolor=colour,
            opacity=0.12,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            row=1,
            col=column,
        )
    held = [row["clamped"][i] >= 0.5 for i in range(len(values))]
    fig.add_scatter(
        x=steps,
        y=[v["mean"] for v in values],
        name=name,
        legendgroup=name,
        showlegend=column == 1,
        mode="lines+markers" if any(held) else "lines",
        line={"color": colour, "dash": DASH[row["variant"]], "width": 1.8},
        marker={
            "symbol": ["x" if h else "circle" for h in held],
            "size": [7 if h else 0.1 for h in held],
            "color": colour,
        },
        hovertemplate=f"{name}<br>step %{{x}}: %{{y:.3f}}<extra></extra>",
        row=1,
        col=column,
    )


def averages(asked: Asked) -> None:
    """Show the mean drift over the articles of the split, made by a job and kept."""
    settings = DriftSettings(
        corpus=asked.corpus,
        split=asked.split if asked.split != "train" else "test",
        steps=asked.steps,
        context=asked.context,
    )
    key = drift_key(state.workspace(), asked.models, settings, asked.snap)
    found = load_study(state.workspace(), key)
    argv = _command(asked, settings)
    if found is None:
        _make(argv, settings)
        return
    st.caption(
        f"{found['n_starts']} starts in {found['n_articles']} {found['split']} articles of '{found['corpus']}',"
        f" {found['encoder']}; bands are 95 % intervals over articles."
    )
    fig = _curves(found["rows"])
    charts.show(fig, "drift_means", "Mean drift over articles with intervals")
    st.html(_mean_table(found))
    _save(fig, json.dumps(found, indent=1), "drift", "json")


def _command(asked: Asked, settings: DriftSettings) -> list[str]:
    argv = ["rollout"]
    for model in asked.models:
        argv += ["--model", model]
    argv += ["--corpus", settings.corpus, "--split", settings.split, "--steps", str(settings.steps)]
    return [*argv, "--context", str(settings.context), "--k", str(asked.snap.k), "--strength", str(asked.snap.strength)]


def _make(argv: list[str], settings: DriftSettings) -> None:
    running = [j for j in state.jobs().list() if list(j.argv) == argv and j.state in ("queued", "running")]
    if running:
        st.info("The averages are being made in the background.", icon=":material/hourglass_top:")
        _watch(running[0].id)
        return
    text = f"Up to {settings.articles} articles of the {settings.split} split are continued from three places each."
    if ui.empty_state("No averages for these choices yet", text, "Roll them out", key="drift_mean", icon="timeline"):
        state.jobs().submit(argv, f"Drift on {settings.corpus}")
        st.rerun()
    ui.command(argv)


@st.fragment(run_every=2.0)
def _watch(job_id: str) -> None:
    job = state.jobs().get(job_id)
    st.progress(min(max(job.progress, 0.0), 1.0), job.message or job.state)
    if job.state not in ("queued", "running"):
        st.rerun()


def _mean_table(found: dict[str, Any]) -> str:
    steps = [s for s in (1, 5, 20, 50) if s <= found["steps"]]
    heads = "".join(f'<th title="cosine to the true chunk, 95 % interval">true, step {s}</th>' for s in steps)
    lines = []
    for row in found["rows"]:
        cells = "".join(f"<td>{_with_ci(row['to_truth'][s - 1])}</td>" for s in steps)
        last = row["to_manifold"][-1]["mean"]
        lines.append(
            f"<tr><td>{html.escape(row['model'])}, {row['variant']}</td>{cells}<td>{last:.3f}</td>"
            f"<td>{row['to_previous'][-1]['mean']:.3f}</td><td>{np.mean(row['clamped']):.1%}</td></tr>"
        )
    head = f"<tr><th></th>{heads}<th>nearest real, last step</th><th>step before, last</th><th>clamped</th></tr>"
    return f'<div class="lvm-wide"><table class="lvm-rows">{head}{"".join(lines)}</table></div>'


def _with_ci(value: dict[str, Any]) -> str:
    if value["mean"] is None:
        return "–"
    ends = value["ci"]
    return f"{value['mean']:.3f}" + (f" <small>[{ends[0]:.3f}, {ends[1]:.3f}]</small>" if ends else "")


def influences(asked: Asked) -> None:
    """Show for each model how much its prediction turns when a context chunk is left out."""
    matrix = state.matrix(asked.corpus)
    context = matrix.rows(np.arange(asked.row - asked.context, asked.row))
    chunks = state.store().chunks(asked.corpus, range(asked.row - asked.context, asked.row))
    fig = go.Figure()
    for ref in asked.models:
        loaded = load_model(state.workspace(), ref, matrix.encoder_id, matrix.dim)
        values = influence(loaded.model, context)
        fig.add_bar(
            x=[f"-{len(values) - i}" for i in range(len(values))],
            y=values,
            name=ref,
            marker={"color": charts.model_colour(ref)},
            text=[charts.wrapped(c.text) for c in chunks],
            textposition="none",
            hovertemplate=f"<b>{ref}</b>, chunk %{{x}}<br>turns it by %{{y:.3f}}<br>%{{text}}<extra></extra>",
        )
    charts.style(fig, 320)
    fig.update_layout(barmode="group")
    fig.update_xaxes(title="context chunk, counted back from the prediction", type="category")
    fig.update_yaxes(title="1 - cosine of the predictions with and without it")
    charts.show(fig, "drift_influence", "Influence of each context chunk")
    _save(fig, None, "influence")
    _attention(asked, matrix.encoder_id, context)
    rows = "".join(
        f'<tr><td>-{len(chunks) - i}</td><td class="lvm-context lvm-flow">{html.escape(c.text)}</td></tr>'
        for i, c in enumerate(chunks)
    )
    st.html(f'<div class="lvm-wide"><table class="lvm-rows">{rows}</table></div>')


def _attention(asked: Asked, encoder_id: str, context: Any) -> None:
    """Show where the nets that have attention of their own look, as bars over the context."""
    import torch

    fig = go.Figure()
    for ref in asked.models:
        net = load_model(state.workspace(), ref, encoder_id, context.shape[1]).model
        if not isinstance(net, Amn):
            continue
        with torch.inference_mode():
            weights = net.attention(torch.from_numpy(context)[None])[0, -1].numpy()
        places = [f"-{len(weights) - i}" for i in range(len(weights))]
        fig.add_bar(x=places, y=weights, name=ref, marker={"color": charts.model_colour(ref)},
                    hovertemplate=f"<b>{ref}</b>, chunk %{{x}}<br>weight %{{y:.3f}}<extra></extra>")  # fmt: skip
    if not fig.data:
        return
    st.html('<p class="lvm-section">Attention of the AMN over the context</p>')
    charts.style(fig, 220)
    fig.update_xaxes(title="context chunk, counted back from the prediction", type="category")
    fig.update_yaxes(title="weight, sums to 1", rangemode="tozero")
    charts.show(fig, "drift_attention", "Attention weights of the AMN over the context")


def _csv(rows: list[dict[str, Any]]) -> str:
    lines = ["model,variant,step," + ",".join(MEASURES) + ",clamped"]
    for row in rows:
        lines += [
            ",".join(
                [row["model"], row["variant"], str(s["step"]), *(f"{s[m]}" for m in MEASURES), str(int(s["clamped"]))]
            )
            for s in row["steps"]
        ]
    return "\n".join(lines)


def _save(fig: go.Figure, data: str | None, name: str, kind: str = "csv") -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Picture as HTML",
            lambda: fig.to_html(include_plotlyjs=True).encode(),
            f"{name}.html",
            "text/html",
            type="tertiary",
            icon=":material/download:",
            key=f"{name}_html",
            on_click="ignore",
        )
        if data is not None:
            st.download_button(
                f"Data as {kind.upper()}",
                data,
                f"{name}.{kind}",
                type="tertiary",
                icon=":material/download:",
                key=f"{name}_data",
                on_click="ignore",
            )
