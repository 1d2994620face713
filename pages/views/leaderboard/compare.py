"""One model's card, or two and more side by side: settings that differ, measures, the same ten windows as text."""

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from lvm_core.checkpoint import CARD, ModelInfo
from lvm_core.leaderboard import board, verdict
from lvm_core.leaderboard.export import SHARES
from pages.shared import charts, state, ui
from pages.views.leaderboard.table import COLUMNS, label

Row = dict[str, Any]
MEASURES = (
    "cosine", "recall_at_1", "recall_at_5", "recall_at_10", "mrr", "contrastive_accuracy", "direction",
    "direction_matched", "mse", "latency_ms", "batch_speedup", "parameters", "memory_mb", "efficiency", "train_s",
    "round_trip_cosine", "echo", "rouge_1", "rouge_2", "rouge_l", "bleu",
)  # fmt: skip
SCORES = {"cosine": "cosine", "rouge_1": "ROUGE-1", "rouge_2": "ROUGE-2", "rouge_l": "ROUGE-L", "bleu": "BLEU"}
NO_SETTING = ("created", "run", "command", "n_articles", "baselines", "torch")


def answer(rows: Sequence[Row], row: Row) -> str:
    """Return in words whether `row` predicts the next chunk better than the best rule of the board."""
    others = [other for other in rows if label(other) != label(row)]
    rule = verdict.best_rule(others)
    if rule is None:
        return (
            "No trivial rule was measured on this test yet; evaluate all to have something to hold the models against."
        )
    here = state.workspace()
    cosine, recall = verdict.compare(here, row, rule), verdict.compare(here, row, rule, "recall_at_5")
    return verdict.verdict(row, rule, cosine, recall)


def info_of(row: Row) -> ModelInfo | None:
    """Return the model of a row where it is still there."""
    found = [info for info in state.models(row["encoder"]) if info.ref == row["model"]]
    return found[0] if found else None


def card(row: Row) -> None:
    """Show a model's card: what it was trained on and how."""
    info = info_of(row)
    path = info.path / CARD if info else None
    facts = [
        ("Test", f"{row['corpus']}, {row['split']}, {row['n_windows']:,} windows of {row['n_articles']} articles"),
        ("Index", f"{row.get('index_digest', '—')}, the five chunks before the target excluded"),
        ("Encoder", row["encoder"]),
        ("Held against", (row.get("vs_filter") or {}).get("fitted_on", "no filter")),
        ("Coherence", _coherence(row)),
        ("Near-duplicates", _twins(row)),
    ]
    ui.table(["", ""], [[html.escape(name), html.escape(str(value))] for name, value in facts])
    if path is not None and path.exists():
        with st.container(border=True, key=f"card-model-{row['model']}"):
            st.markdown(path.read_text(encoding="utf-8"))
    elif info is None and row["kind"] == "net":
        st.caption("The model itself is not here any more; its row stays until you delete it.")


def _coherence(row: Row) -> str:
    found = row.get("coherence") or {}
    train = ", ".join(f"{name} {value:.3f}" for name, value in (found.get("train") or {}).items())
    return f"test {found.get('test', float('nan')):.3f}" + (f"; trained on {train}" if train else "")


def _twins(row: Row) -> str:
    found = row.get("near_duplicates") or []
    named = "; ".join(f"{t['test']} ~ {t['train']} ({t['corpus']}, {t['share']:.0%})" for t in found[:5])
    return (named + (f" and {len(found) - 5} more" if len(found) > 5 else "")) or "none found"


# ---------------------------------------------------------------- side by side


def settings(rows: Sequence[Row]) -> None:
    """Show the settings in which the models differ."""
    infos = [info_of(row) for row in rows]
    flat = [_flat(info.config) if info else {} for info in infos]
    names = [n for n in dict.fromkeys(k for one in flat for k in one) if len({str(one.get(n)) for one in flat}) > 1]
    st.html('<p class="lvm-section">Settings that differ</p>')
    if not names:
        st.caption("None are known to differ.")
        return
    lines = [[html.escape(name), *(html.escape(str(one.get(name, "—"))) for one in flat)] for name in names]
    ui.table(["setting", *(label(row) for row in rows)], lines)


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in config.items():
        if name in NO_SETTING:
            continue
        if isinstance(value, dict):
            found.update(_flat(value, f"{name}." if name in ("filter", "options") else ""))
        elif name == "corpora":
            found["corpora"] = ", ".join(corpus["name"] for corpus in value)
        else:
            found[prefix + name] = value
    return found


def measures(rows: Sequence[Row]) -> None:
    """Show every measure side by side, with the paired difference of the first two."""
    st.html('<p class="lvm-section">Measures</p>')
    lines = []
    for name in MEASURES:
        if any(row.get(name) is not None for row in rows):
            heading, _, meaning = COLUMNS[name]
            head = f'<span title="{html.escape(meaning, quote=True)}">{html.escape(heading)}</span>'
            lines.append([head, *(_value(row, name) for row in rows), *_difference(rows, name)])
    first, second = label(rows[0]), label(rows[1])
    ui.table(["measure", *(label(row) for row in rows), f"{first} − {second} [95 %]"], lines)


def _value(row: Row, name: str) -> str:
    value = row.get(name)
    if value is None:
        return "—"
    if name in SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _difference(rows: Sequence[Row], name: str) -> list[str]:
    if name not in ("cosine", "recall_at_1", "recall_at_5", "recall_at_10", "mrr"):
        return [""]
    try:
        found = verdict.compare(state.workspace(), rows[0], rows[1], name)
    except KeyError:
        return [""]
    scale, digits = (100, 2) if name in SHARES else (1, 4)
    if not found.ends:
        return [f"{scale * found.mean:+.{digits}f}"]
    tone = "good" if found.low > 0 else "bad" if found.high < 0 else ""
    text = f"{scale * found.mean:+.{digits}f} [{scale * found.low:+.{digits}f}, {scale * found.high:+.{digits}f}]"
    return [ui.tag(text, tone, "Paired over the same windows; in colour where the interval leaves zero out")]


def windows(rows: Sequence[Row]) -> bool:
    """Show the same windows with every model's text; return whether there were any."""
    here = state.workspace()
    found = [{shown["window"]: shown for shown in board.row_examples(here, row)} for row in rows]
    common = [window for window in found[0] if all(window in own for own in found)] if found else []
    st.html(f'<p class="lvm-section">The same {len(common) or "ten"} windows, not chosen</p>')
    for number, window in enumerate(common):
        _window(rows, [own[window] for own in found], number)
    if common:
        ui.licence_note()
    return bool(common)


def _window(rows: Sequence[Row], shown: Sequence[dict[str, Any]], number: int) -> None:
    first = shown[0]
    context = "".join(f"<li>{html.escape(chunk)}</li>" for chunk in first["context"])
    lines = [
        f'<div class="lvm-label">{html.escape(first["article"])}, chunk {first["position"]}</div>',
        f'<ol class="lvm-context-list">{context}</ol>',
        f'<p class="lvm-board-text lvm-target">{html.escape(first["target"])}</p>',
    ]
    lines += [_said(row, own) for row, own in zip(rows, shown, strict=True)]
    with st.container(border=True, key=f"card-window-{number}"):
        st.html("".join(lines))


def _said(row: Row, own: dict[str, Any]) -> str:
    dot = f'<i class="lvm-dot" style="background:{charts.model_colour(row["net"])}"></i>'
    scores = " · ".join(f"{name} {own[key]:.3f}" for key, name in SCORES.items())
    stages = " · ".join(f"{name} {ms:.1f}" for name, ms in own["timings_ms"].items())
    return (
        f'<div class="lvm-card-head">{dot}<b>{html.escape(label(row))}</b><span class="lvm-label">{own["method"]},'
        f" {own['steps']} steps · {scores}</span></div>"
        f'<p class="lvm-board-text">{html.escape(own["text"] or "(no text)")}</p><p class="lvm-why">ms: {stages}</p>'
    )
