"""The Leaderboard page from top to bottom: one test or all, the answer in words, the table, models, figures."""

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from lvm_core.evaluate.measures import MEASURES, Measure
from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard import board, verdict
from lvm_core.leaderboard.board import Group
from lvm_core.leaderboard.breakdown import over_tests
from pages.shared import state, ui
from pages.shared.address import Address
from pages.views.leaderboard import actions, articles, compare, figures, scaling, table, windows

EMPTY = (
    "An evaluation asks every model for the next chunk of articles it has not seen, and every trivial rule too:"
    " the last chunk again, the mean of the context, a linear filter. It takes about a minute on the embedded corpus."
)


def empty() -> None:
    """Show how the board gets its first rows."""
    corpora = state.encoded_corpora()
    if not corpora:
        ui.empty_state(
            "Nothing has been evaluated yet", EMPTY + "\n\nIt needs an encoded corpus first: see **Corpus**."
        )
        return
    argv = ["evaluate", "all", "--corpus", corpora[0].name]
    if ui.empty_state("Nothing has been evaluated yet", EMPTY, "Evaluate every model", key="board", icon="leaderboard"):
        actions.submit(argv, f"Evaluate every model on {corpora[0].name}")
    ui.command(argv)


def show(at: Address, rows: list[Row]) -> None:
    """Show the choice of test, ranking and columns, the exports, and the test chosen."""
    test, by, more = st.columns([6, 3, 2.7], vertical_alignment="bottom")
    with by:
        measure = MEASURES[table.choose_ranking(at, rows)]
    groups = board.groups(rows, measure.name)
    with test:
        group = table.choose_test(at, groups)
    with more, st.container(horizontal=True):
        table.choose_columns(at)
        actions.exports(groups, group)
    if group is None:
        _all_tests(groups, measure)
    else:
        _one_test(at, group, groups)


def _all_tests(groups: Sequence[Group], measure: Measure) -> None:
    spaces = dict.fromkeys(group.rows[0].encoder for group in groups)
    for space in spaces:
        tests = [
            group for group in groups if group.rows[0].encoder == space and group.rows[0].split.name != "validation"
        ]
        if len(spaces) > 1:
            st.html(f'<p class="lvm-section">{html.escape(space)}</p>')
        table.show_all_tests(tests, over_tests(tests, measure), measure)
    st.caption(
        f"{measure.heading}: {measure.meaning}. Every test counts once; a model without one of them has no mean."
        " Choose one test for intervals and paired differences."
    )


def _one_test(at: Address, group: Group, groups: Sequence[Group]) -> None:
    rows = table.filters(at, table.labels(group.rows))
    if not rows:
        st.info("No model passes the filter. Clear it to see all.")
        return
    _other_test(at, group, groups)
    answer = st.container()
    chosen = table.choose_models(at, rows)
    nets = [row for row in rows.values() if row.kind == "net"]
    subject = [*chosen.values(), *nets, *rows.values()][0]
    words = verdict.answer(state.workspace(), group.rows, subject)
    answer.html(f'<p class="lvm-honest lvm-verdict">{html.escape(words)}</p>')
    parts = st.columns([0.52, 0.48] if chosen else [1.0], gap="medium")
    with parts[0]:
        table.show(at, rows, list(chosen))
        _small_print(rows)
    if chosen:
        with parts[1]:
            _models(at, chosen)
    figures.show(at, rows)
    scaling.show(list(rows.values()))


def _other_test(at: Address, group: Group, groups: Sequence[Group]) -> None:
    """Point to the test of the newest own evaluation, where another one is shown: the page does not jump there."""
    own = [row for one in groups for row in one.rows if row.id is not None]
    newest = max(own, key=lambda row: row.evaluated or 0, default=None)
    if newest is None or any(row.id is not None for row in group.rows):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(ui.plain(f"Your newest evaluation, of {newest.model}, is on {newest.corpus}, {newest.split}."))
        st.button(
            "Show that test",
            type="tertiary",
            icon=":material/arrow_forward:",
            on_click=lambda: at.put("test", newest.comparable),
            key="board-newest",
        )


def _models(at: Address, chosen: Mapping[str, Row]) -> None:
    """Show the models chosen, beside the table: measures, articles, texts, and one's card or their settings."""
    actions.of_rows(chosen)
    one = len(chosen) == 1
    first, second, third, last = st.tabs(["Measures", "By article", "Ten windows", "Card" if one else "Settings"])
    with first:
        compare.measures(chosen)
    with second:
        articles.show(at, chosen)
    with third:
        windows.show(chosen)
    with last:
        compare.card(*chosen.values()) if one else compare.settings(chosen)


def _small_print(rows: Mapping[str, Row]) -> None:
    first = next(iter(rows.values()))
    parts = [
        f"Every model is asked for the same {first.n_windows:,} targets and searched among the same chunks.",
        "Intervals: 95 %, by resampling articles. Hollow marks are rules, full ones nets.",
    ]
    if first.coherence.test is not None:
        parts.append(f"Coherence of the test (cosine of neighbouring chunks): {first.coherence.test:.3f}.")
    level = [name for name, row in rows.items() if row.level_with_best and row is not first]
    if level:
        parts.append(f"The interval of the first meets those of {', '.join(level[:6])}: see the paired differences.")
    if any(row.shipped_result for row in rows.values()):
        parts.append("Rows of shipped models were measured when they were made; evaluate again to time them here.")
    st.caption(ui.plain(" ".join(parts)))
