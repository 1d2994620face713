"""The curves of several runs: how they are drawn, what the runs say now, and the figure, made again as they grow."""

import html
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from lvm_core.train.curves import Curve, CurveCache
from lvm_core.train.history import RunRow
from pages.shared import charts, state, ui
from pages.shared.address import Address
from pages.shared.ui import Cell, Heading
from pages.views.train import start as train_start
from pages.views.train.figure import CHARTS, OVER, TITLES, Look, figure, run_colour, terms_html

MOST_RUNS, MOST_FIGURES = 12, 64


@st.cache_resource(show_spinner=False)
def cache() -> CurveCache:
    """Return the curves read so far, shared by every session."""
    return CurveCache()


def curves(runs: Sequence[RunRow]) -> dict[str, Curve]:
    """Return the curve of each run."""
    here = state.workspace()
    return {row.run: cache().read(here.run_metrics(row.run)) for row in runs[:MOST_RUNS]}


def choose(at: Address) -> None:
    """Show how curves are drawn; `look` then says it."""
    first, second, third = st.columns([4, 5, 3], vertical_alignment="center")
    first.segmented_control(
        "over", list(OVER), key=at.key("over", "step", list(OVER)), required=True, label_visibility="collapsed"
    )
    second.slider(
        "Smoothing",
        0.0,
        0.95,
        step=0.05,
        key=at.key("smoothing", 0.0, low=0.0, high=0.95),
        help="Of losses, gradients and rates: the share of each point that comes from those before it.",
    )
    third.toggle("Log scale", key=at.key("log", True), help="Of losses and gradients.")


def look(at: Address) -> Look:
    """Return how curves are drawn."""
    return Look(at.value("over", "step", list(OVER)), at.value("smoothing", 0.0), at.value("log", True))


def panel(rows: Sequence[RunRow], look: Look) -> None:
    """Show the curves of `rows`, what they say now, and their warnings."""
    if not rows:
        st.caption("No runs yet: start one with the form.")
        return
    rows = rows[:MOST_RUNS]
    by_run = curves(rows)
    st.html(now_html(rows, by_run))
    if not any(curve.steps for curve in by_run.values()):
        st.caption("Curves show here as soon as a run writes its first line of metrics.")
        return
    if terms := terms_html(by_run):
        st.html(f'<p class="lvm-chart-title">{terms}</p>')
    alt = f"{', '.join(CHARTS.values())} over {TITLES[look.over]} of {', '.join(r.run for r in rows)}"
    charts.show(cached_figure(rows, by_run, look), "curves", alt)


@st.cache_resource(show_spinner=False)
def _figure_cache() -> "OrderedDict[tuple[Any, ...], go.Figure]":
    return OrderedDict()


def cached_figure(rows: Sequence[RunRow], by_run: dict[str, Curve], look: Look) -> go.Figure:
    """Return `figure`, the last one where no curve has grown since."""
    versions = tuple((row.run, by_run[row.run].version) for row in rows)
    key = (look, charts.dark(), str(state.workspace().root), *versions)
    figures = _figure_cache()
    if key not in figures:
        figures[key] = figure(rows, by_run, look)
    figures.move_to_end(key)
    while len(figures) > MOST_FIGURES:
        figures.popitem(last=False)
    return figures[key]


NOW = (
    Heading("run", "A run; its colour is that of its curves."),
    Heading("state", ""),
    Heading("epoch", "Passes over the training articles, of those planned."),
    Heading("best cosine", "Best mean validation cosine so far."),
    Heading("over filter", "The same less that of the linear filter on the same windows."),
    Heading("windows/s", "Training windows a second, at the last line of metrics."),
    Heading("lr", "Learning rate now."),
    Heading("trained", "Time in the training loop."),
    Heading("left", "At this pace; an early stop takes less."),
)


def now_html(rows: Sequence[RunRow], by_run: dict[str, Curve]) -> str:
    """Return the latest figures of the runs as a table, and their last warning."""
    lines: list[list[str | Cell]] = []
    for i, row in enumerate(rows):
        mark = f'<span class="lvm-dot" style="background:{run_colour(rows, i)}"></span>'
        name = f"{mark} <b>{html.escape(row.run)}</b>"
        state_html = f'<span class="lvm-state lvm-state-{row.state}">{row.state}</span>'
        lines.append([name, state_html, *map(html.escape, _figures(row, by_run[row.run]))])
        notes = [f"{flag}" for flag in by_run[row.run].flags[-1:] or row.flags[-1:]]
        notes += [row.message] if row.state == "failed" and row.message else []
        notes += [row.verdict] if row.is_filter and row.state == "done" else []
        lines += [[Cell(html.escape(note), "lvm-note")] for note in notes]
    return ui.table_html(NOW, lines, "lvm-now", scroll=True)


def _figures(row: RunRow, curve: Curve) -> list[str]:
    last = curve.last
    _, cosines = curve.series("val_cosine")
    known = [*cosines.tolist(), *([row.val_cosine] if row.val_cosine is not None else [])]
    best = max(known) if known else None
    over_filter = best - row.filter_cosine if best is not None and row.filter_cosine is not None else None
    going = row.state == "running" and last.get("seconds") and row.settings.get("epochs")
    return [
        f"{last.get('epoch') or row.epoch} of {row.settings.get('epochs', '?')}",
        "–" if best is None else f"{best:.4f}",
        "–" if over_filter is None else f"{over_filter:+.4f}",
        f"{last.get('windows_per_s', 0):,.0f}",
        f"{last.get('lr', 0):.2g}",
        train_start.spoken(last.get("seconds") or row.seconds),
        train_start.spoken(float(last.get("left_s") or 0.0)) if going else "",
    ]
