"""What a map cannot say: distance to the corpus, spread, and whether predictions collapse to the middle."""

import html

import streamlit as st

from lvm_core.study.map import MapNumbers
from pages.shared import charts, ui
from pages.shared.ui import Heading

HEADINGS = (
    Heading(""),
    Heading("cosine to true next", "Mean over the windows shown."),
    Heading(
        "nearest real",
        "Cosine to the nearest real chunk of another article: how near to the manifold. True next chunks are the"
        " yardstick.",
    ),
    Heading(
        "spread",
        "Effective rank: directions the vectors spread over (Roy and Vetterli 2007), and its share of the true"
        " chunks'.",
    ),
    Heading("common", "Length of the mean vector: 1 if all point the same way, near 0 if spread all round."),
    Heading(
        "length",
        "Mean length of the prediction before it is brought to 1. A rule or net trained by squared error says the less"
        " the less it knows; one trained by cosine has no scale of its own.",
    ),
    Heading("clamped", "Share of predictions at which the drift clamp engaged."),
)


def show(rows: list[MapNumbers]) -> None:
    """Show the numbers of the true next chunks and of each model's predictions, raw and snapped."""
    target = rows[0]
    lines = [_line('<span class="lvm-target">true next</span>', target, target)]
    for row in rows[1:]:
        colour = "prediction" if row["kind"] == "raw" else "snapped"
        dot = f'<i class="lvm-dot" style="background:{charts.model_colour(row["name"])}"></i>'
        name = f'{dot} <b>{html.escape(row["name"])}</b> <span class="lvm-{colour}">{row["kind"]}</span>'
        lines.append(_line(name, row, target))
    st.html('<p class="lvm-section">Numbers</p>')
    ui.table(HEADINGS, lines)
    collapsed = [r for r in rows[1:] if r["effective_rank"] < 0.5 * target["effective_rank"]]
    if collapsed:
        names = ", ".join(f"{r['name']} {r['kind']}" for r in collapsed)
        st.caption(f"Less than half of the true chunks' spread: {names}. Such predictions gather in the middle.")


def _line(name: str, row: MapNumbers, target: MapNumbers) -> list[str]:
    spread = row["effective_rank"] / max(target["effective_rank"], 1e-9)
    return [
        name,
        _number(row["cosine"]),
        _number(row["nearest"]),
        f"{row['effective_rank']:.0f} <small>{spread:.0%}</small>",
        _number(row["common"]),
        "1" if row is target else _number(row["length"]),
        f"{row['clamped']:.1%}" if "clamped" in row else "–",
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
