"""One model's card, or two and more side by side: settings that differ, measures, the same ten windows as text."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lvm_core.checkpoint import CARD, ModelInfo
from lvm_core.errors import ModelError
from lvm_core.evaluate.measures import MEASURES, Measure
from lvm_core.evaluate.rows import Example, Row
from lvm_core.leaderboard import board, verdict
from lvm_core.leaderboard.verdict import Outcome
from pages.shared import charts, state, ui

NO_SETTING = ("created", "run", "command", "n_articles", "n_parameters", "baselines", "torch")
TONES = {Outcome.BETTER: "good", Outcome.WORSE: "bad"}


def info_of(row: Row) -> ModelInfo | None:
    """Return the model of a row where it is still there."""
    return next((info for info in state.models(row.encoder) if info.ref == row.model), None)


def card(row: Row) -> None:
    """Show a model's card: what it was trained on and how."""
    info = info_of(row)
    path = info.path / CARD if info else None
    facts = [
        ("Test", f"{row.corpus}, {row.split}, {row.n_windows:,} windows of {row.n_articles:,} articles"),
        ("Index", f"{row.index_digest or '—'}, the five chunks before the target excluded"),
        ("Encoder", row.encoder),
        ("Held against", row.vs_filter.fitted_on if row.vs_filter else "no filter"),
        ("Coherence", _coherence(row)),
        ("Near-duplicates", _twins(row)),
    ]
    ui.table(["", ""], [[html.escape(name), html.escape(value)] for name, value in facts])
    if path is not None and path.exists():
        with st.container(border=True, key=f"card-model-{row.model}"):
            st.markdown(path.read_text(encoding="utf-8"))
    elif info is None and row.kind == "net":
        st.caption("The model itself is not here any more; its row stays until you delete it.")


def _coherence(row: Row) -> str:
    test, train = row.coherence.get("test"), row.coherence.get("train") or {}
    trained = ", ".join(f"{name} {value:.3f}" for name, value in train.items())
    return ("—" if test is None else f"test {test:.3f}") + (f"; trained on {trained}" if trained else "")


def _twins(row: Row) -> str:
    twins = row.near_duplicates
    named = "; ".join(f"{t.test} ~ {t.train} ({t.corpus}, {t.share:.0%})" for t in twins[:5])
    return (named + (f" and {len(twins) - 5} more" if len(twins) > 5 else "")) or "none found"


# ---------------------------------------------------------------- side by side


def settings(rows: Mapping[str, Row]) -> None:
    """Show the settings in which the models differ."""
    infos = [info_of(row) for row in rows.values()]
    flat = [_flat(info.config) if info else {} for info in infos]
    names = [n for n in dict.fromkeys(k for one in flat for k in one) if len({str(one.get(n)) for one in flat}) > 1]
    st.html('<p class="lvm-section">Settings that differ</p>')
    if not names:
        st.caption("None are known to differ.")
        return
    lines = [[html.escape(name), *(html.escape(str(one.get(name, "—"))) for one in flat)] for name in names]
    ui.table(["setting", *rows], lines)


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if name in NO_SETTING:
            continue
        if isinstance(value, dict):
            flat.update(_flat(value, f"{name}." if name in ("filter", "options") else ""))
        elif name == "corpora":
            flat["corpora"] = ", ".join(corpus["name"] for corpus in value)
        else:
            flat[prefix + name] = value
    return flat


def measures(rows: Mapping[str, Row]) -> None:
    """Show every measure side by side, with the paired difference of the first two."""
    st.html('<p class="lvm-section">Measures</p>')
    (first, one), (second, other) = list(rows.items())[:2]
    lines = []
    for measure in MEASURES.values():
        values = [measure.value(row) for row in rows.values()]
        if any(value is not None for value in values):
            head = f'<span title="{html.escape(measure.meaning, quote=True)}">{html.escape(measure.heading)}</span>'
            lines.append([head, *map(measure.write, values), _difference(one, other, measure)])
    ui.table(["measure", *rows, f"{first} − {second} [95 %]"], lines)


def _difference(one: Row, other: Row, measure: Measure) -> str:
    if not measure.paired:
        return ""
    try:
        difference = verdict.compare(state.workspace(), one, other, measure.name)
    except ModelError:
        return ""
    tone = TONES.get(verdict.outcome(difference, measure), "")
    return ui.tag(verdict.span(difference, measure), tone, "Paired over the same windows; in colour where it is sure")


def windows(rows: Mapping[str, Row]) -> bool:
    """Show the same windows with every model's text; return whether there were any."""
    here = state.workspace()
    by_window = [{shown.window: shown for shown in board.row_examples(here, row)} for row in rows.values()]
    common = [window for window in by_window[0] if all(window in one for one in by_window)] if by_window else []
    st.html(f'<p class="lvm-section">The same {len(common) or "ten"} windows, not chosen</p>')
    for number, window in enumerate(common):
        _window(rows, [one[window] for one in by_window], number)
    if common:
        ui.licence_note()
    return bool(common)


def _window(rows: Mapping[str, Row], shown: Sequence[Example], number: int) -> None:
    first = shown[0]
    context = "".join(f"<li>{html.escape(chunk)}</li>" for chunk in first.context)
    lines = [
        f'<div class="lvm-label">{html.escape(first.article)}, chunk {first.position}</div>',
        f'<ol class="lvm-context-list">{context}</ol>',
        f'<p class="lvm-board-text lvm-target">{html.escape(first.target)}</p>',
    ]
    lines += [_text(name, row, example) for (name, row), example in zip(rows.items(), shown, strict=True)]
    with st.container(border=True, key=f"card-window-{number}"):
        st.html("".join(lines))


def _text(name: str, row: Row, example: Example) -> str:
    dot = f'<i class="lvm-dot" style="background:{charts.model_colour(row.net)}"></i>'
    overlap = [(MEASURES[key].heading, value) for key, value in example.scores.items() if key in MEASURES]
    scores = " · ".join(f"{heading} {value:.3f}" for heading, value in [("cosine", example.cosine), *overlap])
    stages = " · ".join(f"{stage} {ms:.1f}" for stage, ms in example.timings_ms.items())
    return (
        f'<div class="lvm-card-head">{dot}<b>{html.escape(name)}</b><span class="lvm-label">{example.method},'
        f" {example.steps} steps · {scores}</span></div>"
        f'<p class="lvm-board-text">{html.escape(example.text or "(no text)")}</p><p class="lvm-why">ms: {stages}</p>'
    )
