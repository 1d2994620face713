"""Curves of several runs in one chart each: validation cosine over the baselines, losses, gradient norms, rate."""

import colorsys
import html
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lvm_core.train.curves import Curve, CurveCache, Floats, thinned
from lvm_core.train.history import RunRow
from pages.shared import charts, state, ui
from pages.shared.address import Address
from pages.shared.ui import Cell, Heading
from pages.views.train import start as train_start


class Trace(TypedDict, total=False):
    """A line as plotly takes it."""

    type: str
    mode: str
    x: Floats | list[float]
    y: Floats | list[float]
    name: str
    line: dict[str, str | float]
    marker: dict[str, float]
    hovertemplate: str


OVER = {"step": "step", "epoch": "epoch", "time": "seconds"}
TITLES = {"step": "step", "epoch": "epoch", "time": "training time [s]"}
BASELINES = ("weighted-mean", "linear-filter")
DASHES = ("solid", "dash", "dot", "dashdot")
HEIGHT = 230
MOST_RUNS, MOST_FIGURES = 12, 64
DARK_SHIFTS, LIGHT_SHIFTS = (0.0, 0.14, 0.28, -0.06, 0.2), (0.0, -0.14, 0.14, -0.22, 0.24)


@st.cache_resource(show_spinner=False)
def cache() -> CurveCache:
    """Return the curves read so far, shared by every session."""
    return CurveCache()


def curves(runs: Sequence[RunRow]) -> dict[str, Curve]:
    """Return the curve of each run."""
    here = state.workspace()
    return {row.run: cache().read(here.run_metrics(row.run)) for row in runs[:MOST_RUNS]}


def run_colour(rows: Sequence[RunRow], i: int) -> str:
    """Return the hue of the run's net; runs of one net differ in lightness."""
    base = charts.model_colour(rows[i].model)
    same = [k for k, row in enumerate(rows) if row.model == rows[i].model]
    shift = (DARK_SHIFTS if charts.dark() else LIGHT_SHIFTS)[same.index(i) % 5]
    red, green, blue = (int(base[k : k + 2], 16) / 255 for k in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    parts = colorsys.hls_to_rgb(hue, min(0.85, max(0.2, light + shift)), saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


@dataclass(frozen=True, slots=True)
class Look:
    """How curves are drawn: over what, how much they are smoothed (0 to 1), and whether on a log scale."""

    over: str = "step"
    smoothing: float = 0.0
    log: bool = True


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


def smoothed(values: Floats, weight: float) -> Floats:
    """Return the moving mean (N,) in which each value has the share 1 - `weight` and the mean before it the rest."""
    if not weight or not len(values):
        return values
    means = np.empty_like(values)
    mean = values[0]
    for i, value in enumerate(values):
        mean = weight * mean + (1 - weight) * value
        means[i] = mean
    return means


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
    pairs = [("cosine", "Validation cosine"), ("loss", "Training loss, by term"),
             ("grad_norm", "Gradient norm, by term"), ("rate", "Windows a second")]  # fmt: skip
    for two in (pairs[:2], pairs[2:]):
        for column, (name, title) in zip(st.columns(2), two, strict=True):
            with column:
                st.html(f'<p class="lvm-chart-title">{title}{_terms_html(name, by_run)}</p>')
                fig = cached_figure(name, rows, by_run, look)
                charts.show(
                    fig, f"curve-{name}", f"{title} over {TITLES[look.over]} of {', '.join(r.run for r in rows)}"
                )


@st.cache_resource(show_spinner=False)
def _figure_cache() -> "OrderedDict[tuple[Any, ...], go.Figure]":
    return OrderedDict()


def cached_figure(name: str, rows: Sequence[RunRow], by_run: dict[str, Curve], look: Look) -> go.Figure:
    """Return `figure`, the last one where no curve has grown since."""
    versions = tuple((row.run, by_run[row.run].version) for row in rows)
    key = (name, look, charts.dark(), str(state.workspace().root), *versions)
    figures = _figure_cache()
    if key not in figures:
        figures[key] = figure(name, rows, by_run, look)
    figures.move_to_end(key)
    while len(figures) > MOST_FIGURES:
        figures.popitem(last=False)
    return figures[key]


def figure(name: str, rows: Sequence[RunRow], by_run: dict[str, Curve], look: Look) -> go.Figure:
    """Return one chart over all runs; it keeps the user's zoom between refreshes."""
    traces = [t for i, row in enumerate(rows) for t in _traces(name, row, by_run[row.run], look, run_colour(rows, i))]
    fig = go.Figure(
        {"data": traces + (_baseline_lines(by_run, look.over) if name == "cosine" else [])}, skip_invalid=True
    )
    charts.style(fig, HEIGHT, legend=False)
    fig.update_layout(uirevision=f"{name}:{look.over}", hovermode="closest")
    fig.update_xaxes(title={"text": TITLES[look.over], "font": {"size": 11}})
    if name in ("loss", "grad_norm") and look.log:
        fig.update_yaxes(type="log", exponentformat="power", dtick=1 if _wide(traces) else None)
    if name == "cosine":
        _name_baselines(fig, by_run)
    return fig


def _terms_html(name: str, by_run: dict[str, Curve]) -> str:
    """Return which dash is which term, as HTML; the colours are the runs'."""
    most = max((c.names(name + "/") for c in by_run.values()), key=len, default=[])
    if len(most) < 2:
        return ""
    styles = ("solid", "dashed", "dotted", "double")
    words = [term.partition("/")[2] for term in most]
    return "".join(
        f'<span class="lvm-term"><i style="border-top-style:{styles[k % 4]}"></i>{html.escape(word)}</span>'
        for k, word in enumerate(words)
    )


def _name_baselines(fig: go.Figure, by_run: dict[str, Curve]) -> None:
    """Write the baselines' names at the right end of their lines."""
    ends = [(values[-1], name) for name in BASELINES if (values := _baseline_values(by_run, name))]
    for k, (value, name) in enumerate(sorted(ends)):
        anchor = "top" if k == 0 and len(ends) > 1 else "bottom"  # never one on the other
        fig.add_annotation(
            x=1, xref="paper", y=value, text=name, showarrow=False, xanchor="right", yanchor=anchor,
            font={"size": 11, "color": charts.model_colour(name)},
        )  # fmt: skip


def _baseline_values(by_run: dict[str, Curve], name: str) -> list[float]:
    given = (c.last.get("baselines", {}).get(name) for c in by_run.values())
    return sorted({round(float(value), 6) for value in given if value is not None})


def _wide(traces: Sequence[Trace]) -> bool:
    values = np.concatenate([np.asarray(t["y"], dtype=float) for t in traces]) if traces else np.zeros(0)
    values = values[np.isfinite(values) & (values > 0)]
    return bool(values.size and values.max() / values.min() > 100)


def _traces(name: str, row: RunRow, curve: Curve, look: Look, colour: str) -> list[Trace]:
    if name == "cosine":
        return [_trace(curve, "val_cosine", row.run, replace(look, smoothing=0.0), colour, 0, markers=True)]
    if name == "rate":
        return [_trace(curve, "windows_per_s", row.run, look, colour, 0)]
    terms = curve.names(name + "/")
    return [
        _trace(curve, term, row.run if len(terms) == 1 else f"{row.run} {term}", look, colour, k)
        for k, term in enumerate(terms)
    ]


def _trace(curve: Curve, column: str, label: str, look: Look, colour: str, k: int, markers: bool = False) -> Trace:
    x, y = curve.series(column, OVER[look.over])
    x, y = thinned(x, smoothed(y, look.smoothing))
    return {
        "type": "scatter",
        "mode": "lines+markers" if markers or len(x) < 3 else "lines",
        "x": x,
        "y": y,
        "name": label,
        "line": {"color": colour, "width": 1.5, "dash": DASHES[k % len(DASHES)]},
        "marker": {"size": 4},
        "hovertemplate": f"%{{y:.5g}}<extra>{html.escape(label)}</extra>",
    }


def _baseline_lines(by_run: dict[str, Curve], over: str) -> list[Trace]:
    """Return a dashed line for each value a baseline has on these runs: one where they share their windows."""
    lines: list[Trace] = []
    ends = [c.series("epoch", OVER[over])[0] for c in by_run.values() if c.steps]
    ends = [x for x in ends if x.size]
    if not ends:
        return []
    span = [min(float(x[0]) for x in ends), max(float(x[-1]) for x in ends)]
    for name in BASELINES:
        for value in _baseline_values(by_run, name):
            lines.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": span,
                    "y": [value, value],
                    "name": name,
                    "line": {"color": charts.model_colour(name), "width": 1.2, "dash": "dash"},
                    "hovertemplate": f"{name}: {value:.4f}<extra></extra>",
                }
            )
    return lines


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
