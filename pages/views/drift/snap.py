"""The snap laboratory: what K, strength and weights give and cost at once, in numbers and in words; and a sweep."""

import html
import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lvm_core import opened
from lvm_core.metrics.levels import COSINE_MATTERS
from lvm_core.snap import SnapSettings
from lvm_core.study.drift import Summary
from lvm_core.study.snap_lab import SnapLab, SnapMeasure, SweptSnap
from lvm_core.types import Vectors
from lvm_core.workspace import Workspace
from pages.shared import charts, decoding, saving, state, ui
from pages.shared.address import Address
from pages.shared.ui import Cell, Heading
from pages.views.drift.form import Choices

SWEEP, WORDS = "snap_sweep", "snap_words"
ROUND_TRIPS = 8
"""Windows whose predictions are put into words for the mean round trip: two vectors each, about a second a vector."""


@st.cache_resource(show_spinner=False, max_entries=2)
def _lab(root: str, ref: str, corpus: str, split: str, stamp: tuple[Any, ...]) -> tuple[SnapLab, SnapMeasure]:  # noqa: ARG001 - part of the key
    lab = SnapLab(Workspace(root), ref, corpus, split)
    return lab, lab.measure(None)


def show(at: Address, choices: Choices) -> None:
    """Show what the snap settings do to the predictions of the first model chosen."""
    ref = choices.models[0]
    stamp = (state.encoder_id(), *(opened.stamp(i.path) for i in state.models() if i.ref == ref))
    with st.spinner("Predicting and searching once; the sliders then answer at once…", show_time=True):
        lab, raw = _lab(str(state.workspace().root), ref, choices.corpus, choices.split, stamp)
        snapped = lab.measure(choices.snap)
    first = f" {ref} is the first of the models chosen." if len(choices.models) > 1 else ""
    st.caption(
        f"{ref} on {len(lab.raw):,} windows of the {choices.split} articles of '{choices.corpus}', their own article"
        f" left out.{first}"
    )
    st.html(_compared(raw, snapped))
    _in_words(at, lab, choices)
    _sweeps(lab, ref, choices)


# ---------------------------------------------------------------- numbers

LABELS = {
    "cosine": ("cosine to true next", "Mean over the windows."),
    "recall_at_5": ("Recall@5", "Share of windows whose true next chunk is among the five nearest of these articles."),
    "nearest": ("nearest real chunk", "Cosine to it, which is also the round trip of a text that is a real chunk. Near"
                " 1: on top of one; true next chunks lie at about .5 to .56."),
}  # fmt: skip


def _compared(raw: SnapMeasure, snapped: SnapMeasure) -> str:
    heads = [Heading(""), *(Heading(name, about) for name, about in LABELS.values())]
    heads.append(Heading("clamped", "Share of windows at which the drift clamp engaged"))
    lines: list[list[str | Cell]] = []
    for kind, measured, colour in (("raw", raw, "prediction"), ("snapped", snapped, "snapped")):
        clamped = "–" if kind == "raw" else f"{measured['clamped']:.1%}"
        values = [_with_ci(measured[name], name == "recall_at_5") for name in LABELS]
        lines.append([Cell(kind, f"lvm-{colour}"), *values, clamped])
    changes = {name: snapped[name]["mean"] - raw[name]["mean"] for name in LABELS}
    texts = [
        f"{100 * change:+.1f} points" if name == "recall_at_5" else f"{change:+.3f}" for name, change in changes.items()
    ]
    return ui.table_html(heads, [*lines, ["what the snap does", *texts, ""]])


def _with_ci(value: Summary, percent: bool) -> str:
    def said(number: float) -> str:
        return f"{number:.1%}" if percent else f"{number:.3f}"

    ends = value["ci"]
    band = f" <small>[{said(ends[0])}, {said(ends[1])}]</small>" if ends else ""
    return f"<b>{said(value['mean'])}</b>{band}"


# ---------------------------------------------------------------- words


def _in_words(at: Address, lab: SnapLab, choices: Choices) -> None:
    """Show one window before and after the snap: the nearest real chunks at once, a decoder's words when choices."""
    sample = lab.sample
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    key = at.key("window", min(10, len(lab.raw)), low=1, high=len(lab.raw))
    place = left.slider("Window", 1, len(lab.raw), key=key, help="Which of the windows to read.") - 1
    line = np.array([place], dtype=np.int64)
    vectors = np.concatenate([lab.vectors(None, line)[0], lab.vectors(choices.snap, line)[0]])
    row, store = int(sample.rows[place]), state.store()
    (target,) = store.chunks(choices.corpus, [row])
    (before,) = store.chunks(choices.corpus, [row - 1])
    hits = sample.index.search(vectors, 1, sample.own_articles[place])
    near = {c.row: c for c in store.chunks(choices.corpus, sorted({own[0].row for own in hits if own}))}
    with right:
        words = _words(choices, place, vectors)
    rows = [
        _text("context", "last context chunk", "", "", before.text),
        _text("target", "true next chunk", "", "", target.text),
    ]
    for kind, vector, own in zip(("raw", "snapped"), vectors, hits, strict=True):
        cosine = f"{float(vector @ sample.truths[place]):.3f}"
        colour = "prediction" if kind == "raw" else "snapped"
        if own:
            rows.append(
                _text(colour, f"{kind}, nearest real chunk", cosine, f"{own[0].cosine:.3f}", near[own[0].row].text)
            )
        if words:
            text, round_trip = words[kind == "snapped"]
            rows.append(_text(colour, f"{kind}, in words", cosine, f"{round_trip:.3f}", text))
    heads = ["", "cosine to true next", Heading("round trip", "cosine of the text to its vector"), "text"]
    section = f"In words: {html.escape(target.article)}, chunk {target.position + 1}"
    st.html(f'<p class="lvm-section">{section}</p>{ui.table_html(heads, rows)}')


def _text(colour: str, name: str, cosine: str, round_trip: str, text: str) -> list[str | Cell]:
    return [Cell(name, f"lvm-{colour}"), cosine, round_trip, Cell(html.escape(text), f"lvm-flow lvm-{colour}")]


def _words(choices: Choices, place: int, vectors: Vectors) -> list[tuple[str, float]]:
    writers = decoding.writers()
    kept = state.recent(WORDS)
    key = (choices, place)
    if (
        writers
        and key not in kept
        and st.button(
            "Put both into words", icon=":material/notes:", help=f"By {decoding.title(writers[0])}; a few seconds."
        )
    ):
        said = decoding.say(vectors, writers[0], 0, choices.corpus)
        kept[key] = [(text.text, text.round_trip_cosine) for text in said]
        st.rerun()
    found: list[tuple[str, float]] = kept.get(key, [])
    return found


# ---------------------------------------------------------------- sweeps


def _sweeps(lab: SnapLab, ref: str, choices: Choices) -> None:
    left, middle, right = st.columns([1, 1, 2], vertical_alignment="center")
    key = (ref, choices.corpus, choices.split, choices.snap)
    swept = (ref, choices.corpus, choices.split, replace(choices.snap, k=SnapSettings().k, strength=1.0), "sweep")
    kept = state.recent(SWEEP)
    if left.button(
        "Sweep neighbours and strength", icon=":material/grid_on:", help="16 settings, about half a minute."
    ):
        bar = right.progress(0.0)
        kept[swept] = lab.sweep(lambda share, text: bar.progress(share, text), choices.snap)
        bar.empty()
    writers = decoding.writers()
    if writers and middle.button("Round trips in words", icon=":material/hearing:",
                                 help=f"{ROUND_TRIPS} windows, raw and snapped, about a second a vector."):  # fmt: skip
        with right:
            kept[key] = _round_trips(lab, choices, writers[0])
    if key in kept:
        st.markdown(_round_trip_said(*kept[key]))
    if choices.split == "test":
        st.caption("Choose settings on validation articles: what is best on the test articles is chosen by the answer.")
    if swept in kept:
        _swept(ref, choices.split, kept[swept])


def _round_trips(lab: SnapLab, choices: Choices, writer: str) -> tuple[str, list[float], list[float]]:
    lines = np.unique(np.linspace(0, len(lab.raw) - 1, min(ROUND_TRIPS, len(lab.raw))).astype(np.int64))
    vectors = np.concatenate([lab.vectors(None, lines)[0], lab.vectors(choices.snap, lines)[0]])
    cosines = [text.round_trip_cosine for text in decoding.say(vectors, writer, 0, choices.corpus)]
    return decoding.title(writer), cosines[: len(lines)], cosines[len(lines) :]


def _round_trip_said(writer: str, raw: list[float], snapped: list[float]) -> str:
    return (
        f"Round trip in the words of the {writer}, mean of {len(raw)} windows: raw {np.mean(raw):.3f}, snapped"
        f" {np.mean(snapped):.3f} ({np.mean(snapped) - np.mean(raw):+.3f})."
    )


def _swept(ref: str, split: str, rows: list[SweptSnap]) -> None:
    raw = next(row for row in rows if row["k"] == 0)
    best = rows[0]
    cost = best["recall_at_5"]["mean"] - raw["recall_at_5"]["mean"]
    gain = best["cosine"]["mean"] - raw["cosine"]["mean"]
    setting = "the raw prediction" if best["k"] == 0 else f"K {best['k']} at strength {best['strength']:.2f}"
    level = ", level with it" if best["k"] and gain < COSINE_MATTERS else ""
    st.markdown(
        f"Best cosine on {split} for **{ui.plain(ref)}**: {setting}; {gain:+.4f} cosine, {cost:+.1%} Recall@5 against"
        f" raw{level}."
    )
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        fig = _scatter(rows)
        saved = charts.image_format("sweep_camera")
        charts.show(
            fig, "snap_sweep_plot", "Cosine and recall of each snap setting", config=saving.camera(saved, "sweep")
        )
        saving.buttons("snap-sweep", fig, lambda: json.dumps(rows, indent=1), "json")
    lines = [
        [
            "raw" if row["k"] == 0 else str(row["k"]),
            "" if row["k"] == 0 else f"{row['strength']:.2f}",
            f"{row['cosine']['mean']:.3f}",
            f"{row['recall_at_5']['mean']:.1%}",
            f"{row['nearest']['mean']:.3f}",
            f"{row['clamped']:.1%}",
        ]
        for row in rows
    ]
    right.html(ui.table_html(["K", "strength", "cosine", "Recall@5", "nearest real", "clamped"], lines))


def _scatter(rows: list[SweptSnap]) -> go.Figure:
    fig = go.Figure()
    widths = {1: 0.35, 4: 0.55, 16: 1.0, 64: 0.8}
    for k in sorted({row["k"] for row in rows}):
        own = sorted((row for row in rows if row["k"] == k), key=lambda row: row["strength"])
        colour = charts.COLOURS["prediction" if k == 0 else "snapped"]
        fig.add_scatter(
            x=[r["recall_at_5"]["mean"] * 100 for r in own],
            y=[r["cosine"]["mean"] for r in own],
            name="raw" if k == 0 else f"K {k}",
            mode="markers" if k == 0 else "lines+markers",
            opacity=widths.get(k, 1.0),
            marker={"size": 11 if k == 0 else 7, "symbol": "diamond" if k == 0 else "circle", "color": colour},
            line={"color": colour, "dash": {1: "dot", 4: "dash", 64: "dashdot"}.get(k, "solid")},
            text=["raw"] if k == 0 else [f"strength {r['strength']:.2f}" for r in own],
            hovertemplate="<b>%{fullData.name}</b>, %{text}<br>Recall@5 %{x:.1f} %<br>cosine %{y:.3f}<extra></extra>",
        )
    saving.grounded(charts.style(fig, 340))
    fig.update_xaxes(title="Recall@5, % of windows")
    return fig.update_yaxes(title="cosine to true next")
