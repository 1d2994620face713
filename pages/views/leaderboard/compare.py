"""One model's card, or two and more side by side: measures with paired differences, settings that differ."""

import html
from collections.abc import Mapping
from typing import Any

import streamlit as st

from lvm_core.checkpoint import CARD, ModelInfo
from lvm_core.errors import ModelError
from lvm_core.evaluate.measures import MEASURES, Measure
from lvm_core.evaluate.rows import Row
from lvm_core.json_shapes import Value
from lvm_core.leaderboard import verdict
from lvm_core.leaderboard.verdict import Outcome, Pair
from lvm_core.metrics.bootstrap import Interval
from pages.shared import state, ui

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
    test = row.coherence.test
    trained = ", ".join(f"{name} {value:.3f}" for name, value in row.coherence.train.items())
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
    if not names:
        st.caption("None are known to differ.")
        return
    lines = [[html.escape(name), *(html.escape(str(one.get(name, "—"))) for one in flat)] for name in names]
    ui.table(["setting", *rows], lines)


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Value]:
    flat: dict[str, Value] = {}
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
    """Show every measure side by side; of two models with their paired difference, of more with that of every pair."""
    two = list(rows.values()) if len(rows) == 2 else []
    lines = []
    for measure in MEASURES.values():
        values = [measure.value(row) for row in rows.values()]
        if any(value is not None for value in values):
            head = ui.explained(html.escape(measure.heading), measure.meaning)
            difference = [_difference(*two, measure)] if two else []
            lines.append([head, *map(measure.write, values), *difference])
    ui.table(["measure", *rows, *([f"{' − '.join(rows)} [95 %]"] if two else [])], lines)
    if len(rows) > 2:
        _pairs(rows)


def _pairs(rows: Mapping[str, Row]) -> None:
    """Show the paired differences of every two of the models."""
    st.html('<p class="lvm-section">Every pair: first − second [95 %]</p>')
    paired = [measure for measure in MEASURES.values() if measure.paired]
    columns = [verdict.pairs(state.workspace(), rows, measure.name) for measure in paired]
    lines = [
        [f"{html.escape(one[0].one)} − {html.escape(one[0].other)}", *map(_tagged, one, paired)]
        for one in zip(*columns, strict=True)
    ]
    ui.table(["pair", *(measure.heading for measure in paired)], lines)


def _tagged(pair: Pair, measure: Measure) -> str:
    return "—" if pair.difference is None else _tag(pair.difference, measure)


def _tag(difference: Interval, measure: Measure) -> str:
    tone = TONES.get(verdict.outcome(difference, measure), "")
    least = measure.write_difference(measure.matters)
    about = f"Paired over the same windows; in colour where it is sure and at least {least}"
    return ui.tag(verdict.span(difference, measure).replace(", 95 % interval", ""), tone, about)


def _difference(one: Row, other: Row, measure: Measure) -> str:
    if not measure.paired:
        return ""
    try:
        difference = verdict.compare(state.workspace(), one, other, measure.name)
    except ModelError:
        return ""
    return _tag(difference, measure)
