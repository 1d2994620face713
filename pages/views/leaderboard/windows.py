"""What models say on the same ten windows: context, true next chunk, and each model's text with its scores."""

import html
from collections.abc import Mapping

import streamlit as st

from lvm_core.evaluate.measures import MEASURES
from lvm_core.evaluate.rows import Example, Row
from lvm_core.leaderboard import board
from pages.shared import charts, state, ui
from pages.views.leaderboard import actions


def show(rows: Mapping[str, Row]) -> None:
    """Show the windows that any of the models was decoded on, and how the others get theirs."""
    texts = {name: board.row_examples(state.workspace(), row) for name, row in rows.items()}
    lacking = {name: rows[name] for name, examples in texts.items() if not examples}
    if lacking:
        _offer(lacking)
    by_window: dict[int, dict[str, Example]] = {}
    for name, examples in texts.items():
        for example in examples:
            by_window.setdefault(example.window, {})[name] = example
    if not by_window:
        return
    st.caption(f"The same {len(by_window)} windows for every model, evenly spaced and not chosen.")
    for number, window in enumerate(sorted(by_window)):
        _window(rows, by_window[window], number)
    ui.licence_note(state.licence_of(next(iter(rows.values())).corpus))


def _offer(rows: Mapping[str, Row]) -> None:
    """Say which models have no texts yet, and make them where the test's corpus is here."""
    first = next(iter(rows.values()))
    names = ", ".join(rows)
    if first.corpus not in [corpus.name for corpus in state.encoded_corpora(first.encoder)]:
        here = f"its corpus '{first.corpus}' is not in this workspace, so none can be decoded here"
        st.caption(ui.plain(f"No texts of {names} on this test, and {here}."))
        return
    st.caption(ui.plain(f"Not decoded yet: {names}."))
    if st.button("Decode ten windows", icon=":material/notes:"):
        actions.evaluate(list(rows.values()), examples=actions.N_EXAMPLES)


def _window(rows: Mapping[str, Row], shown: Mapping[str, Example], number: int) -> None:
    first = next(iter(shown.values()))
    context = "".join(f"<li>{html.escape(chunk)}</li>" for chunk in first.context)
    lines = [
        f'<div class="lvm-label">{html.escape(first.article)}, chunk {first.position}</div>',
        f'<ol class="lvm-context-list">{context}</ol>',
        f'<p class="lvm-board-text lvm-target">{html.escape(first.target)}</p>',
    ]
    lines += [_text(name, rows[name], example) for name, example in shown.items()]
    with st.container(border=True, key=f"card-window-{number}"):
        st.html("".join(lines))


def _text(name: str, row: Row, example: Example) -> str:
    dot = f'<i class="lvm-dot" style="background:{charts.model_colour(row.net)}"></i>'
    overlap = [(MEASURES[key].heading, value) for key, value in example.scores.items() if key in MEASURES]
    scores = " · ".join(f"{heading} {value:.3f}" for heading, value in [("cosine", example.cosine), *overlap])
    steps = "1 step" if example.steps == 1 else f"{example.steps} steps"
    stages = " · ".join(f"{stage} {ms:.1f}" for stage, ms in example.timings_ms.items())
    return (
        f'<div class="lvm-card-head">{dot}<b>{html.escape(name)}</b><span class="lvm-label">{example.method},'
        f" {steps} · {scores}</span></div>"
        f'<p class="lvm-board-text">{html.escape(example.text or "(no text)")}</p><p class="lvm-why">ms: {stages}</p>'
    )
