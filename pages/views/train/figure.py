"""The figure of the curves: charts of validation cosine, losses, gradients and rate over one axis, for all runs."""

import colorsys
import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
import plotly.graph_objects as go

from lvm_core.train.curves import Curve, Floats, thinned
from lvm_core.train.history import RunRow
from pages.shared import charts


class Trace(TypedDict, total=False):
    """A line as plotly takes it."""

    type: str
    mode: str
    x: Floats | list[float]
    y: Floats | list[float]
    xaxis: str
    yaxis: str
    name: str
    line: dict[str, str | float]
    marker: dict[str, float]
    hovertemplate: str
    hoverinfo: str


OVER = {"step": "step", "epoch": "epoch", "time": "seconds"}
TITLES = {"step": "step", "epoch": "epoch", "time": "training time [s]"}
BASELINES = ("weighted-mean", "linear-filter")
NEAR = 0.004
"""Cosine between two baselines whose names would meet if both stood under their lines."""
DASHES = ("solid", "dash", "dot", "dashdot")
CHARTS = {
    "cosine": "Validation cosine",
    "loss": "Training loss, by term",
    "grad_norm": "Gradient norm, by term",
    "rate": "Windows a second",
}
"""The charts from the top down."""
WORDS = {"cosine": "cosine", "loss": "loss", "grad_norm": "gradient", "rate": "windows/s"}
"""What a value of each chart is called under the pointer."""
HEIGHT, GAP = 170, 0.16
"""Pixels of a chart with its title, and the share of them between two charts."""
DARK_SHIFTS, LIGHT_SHIFTS = (0.0, 0.14, 0.28, -0.06, 0.2), (0.0, -0.14, 0.14, -0.22, 0.24)


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


def figure(rows: Sequence[RunRow], by_run: dict[str, Curve], look: Look) -> go.Figure:
    """Return the charts of all runs, one under the other over one axis: the pointer marks its place in all of them.

    It keeps the user's zoom between refreshes.
    """
    traces: dict[str, list[Trace]] = {name: [] for name in CHARTS}
    for name in CHARTS:
        for i, row in enumerate(rows):
            traces[name] += _traces(name, row, by_run[row.run], look, run_colour(rows, i))
    placed = [
        {**trace, "xaxis": "x", "yaxis": _axis(k)}
        for k, name in enumerate(CHARTS)
        for trace in traces[name] + (_baseline_lines(by_run, look.over) if name == "cosine" else [])
    ]
    fig = go.Figure({"data": placed}, skip_invalid=True)
    tall = (1 - GAP) / len(CHARTS)
    for k, (name, title) in enumerate(CHARTS.items()):
        top = 1 - k * (1 - tall) / (len(CHARTS) - 1)
        axis: dict[str, Any] = {"domain": [max(0.0, top - tall), top]}
        if name in ("loss", "grad_norm") and look.log:
            axis |= {"type": "log", "exponentformat": "power", "dtick": 1 if _wide(traces[name]) else None}
        fig.update_layout({_axis(k, "yaxis"): axis})
        fig.add_annotation(x=0, xref="paper", y=top, yref="paper", text=title, showarrow=False, xanchor="left",
                           yanchor="bottom", font={"size": 12})  # fmt: skip
    charts.style(fig, HEIGHT * len(CHARTS), legend=False)
    fig.update_layout(uirevision=f"curves:{look.over}", hovermode="x unified", hoversubplots="axis", margin={"t": 24})
    fig.update_layout(hoverlabel={"bgcolor": "#1b2126" if charts.dark() else "#ffffff", "font": {"size": 11}})
    fig.update_xaxes(
        title={"text": TITLES[look.over], "font": {"size": 11}}, anchor=_axis(len(CHARTS) - 1), showspikes=True,
        spikemode="across", spikesnap="cursor", spikethickness=1, spikedash="solid", spikecolor=charts.AXIS,
    )  # fmt: skip
    _name_baselines(fig, by_run)
    return fig


def _axis(k: int, axis: str = "y") -> str:
    return axis if k == 0 else f"{axis}{k + 1}"


def terms_html(by_run: dict[str, Curve]) -> str:
    """Return which dash is which term of the loss, as HTML; the colours are the runs'."""
    most = max((c.names("loss/") for c in by_run.values()), key=len, default=[])
    if len(most) < 2:
        return ""
    styles = ("solid", "dashed", "dotted", "double")
    words = [term.partition("/")[2] for term in most]
    return "".join(
        f'<span class="lvm-line-style"><i style="border-top-style:{styles[k % 4]}"></i>{html.escape(word)}</span>'
        for k, word in enumerate(words)
    )


def _name_baselines(fig: go.Figure, by_run: dict[str, Curve]) -> None:
    """Write the baselines' names at the right end of their lines: under them, where the curves seldom are."""
    ends = [(values[-1], name) for name in BASELINES if (values := _baseline_values(by_run, name))]
    for k, (value, name) in enumerate(sorted(ends)):
        beside = k > 0 and value - min(ends)[0] < NEAR  # never one on the other
        fig.add_annotation(
            x=1, xref="paper", y=value, text=name, showarrow=False, xanchor="right",
            yanchor="bottom" if beside else "top", yshift=2 if beside else -2,
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
    label = f"{row.run} {WORDS[name]}"
    if name == "cosine":
        return [_trace(curve, "val_cosine", label, replace(look, smoothing=0.0), colour, 0, markers=True)]
    if name == "rate":
        return [_trace(curve, "windows_per_s", label, look, colour, 0)]
    terms = curve.names(name + "/")
    labels = [f"{label} {term.partition('/')[2]}" if len(terms) > 1 else label for term in terms]
    return [_trace(curve, *both, look, colour, k) for k, both in enumerate(zip(terms, labels, strict=True))]


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
        "hovertemplate": "%{y:.5g}",
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
                    "hoverinfo": "skip",
                }
            )
    return lines
