"""One test of the board from top to bottom: the answer in words, the table, the figures, the models looked at."""

import html
from collections.abc import Mapping

import streamlit as st

from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard import board, verdict
from lvm_core.leaderboard.board import Group
from pages.shared import state, ui
from pages.views.leaderboard import actions, compare, figures, table

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


def choose(rows: list[Row]) -> Group:
    """Show the choice of test, ranking and columns, and the exports; return the test chosen."""
    test, by, columns, save = st.columns([6, 3, 1.6, 1.6], vertical_alignment="bottom")
    with by:
        ranking = table.choose_ranking(rows)
    groups = board.groups(rows, ranking)
    with test:
        group = table.choose_group(groups)
    with columns:
        table.choose_columns()
    with save:
        actions.exports(groups)
    return group


def show(group: Group) -> None:
    """Show a test: the answer in words, the table, the figures, and the models chosen."""
    rows = table.filters(table.labels(group.rows))
    if not rows:
        st.info("No model passes the filter. Clear it to see all.")
        return
    nets = [row for row in rows.values() if row.kind == "net"]
    subject = [*table.chosen(rows).values(), *nets, *rows.values()][0]
    answer = verdict.answer(state.workspace(), group.rows, subject)
    st.html(f'<p class="lvm-honest lvm-verdict">{html.escape(answer)}</p>')
    table.table(rows)
    _small_print(rows)
    figures.show(rows)
    table.choose_models(rows)
    _models(table.chosen(rows))


def _models(chosen: Mapping[str, Row]) -> None:
    """Show the models chosen: one with its card, several side by side."""
    if not chosen:
        st.caption("Select rows of the table to see a model's card, or two and more side by side.")
        return
    actions.of_rows(list(chosen.values()))
    if len(chosen) == 1:
        compare.card(*chosen.values())
    else:
        compare.settings(chosen)
        compare.measures(chosen)
    if not compare.windows(chosen):
        st.caption("They were not decoded yet for all of these models: press **Decode ten windows**.")


def _small_print(rows: Mapping[str, Row]) -> None:
    first = next(iter(rows.values()))
    parts = [
        f"Every model is asked for the same {first.n_windows:,} targets and searched among the same chunks.",
        "Intervals: 95 %, by resampling articles. Hollow marks are rules, full ones nets.",
    ]
    if first.coherence.get("test") is not None:
        parts.append(f"Coherence of the test (cosine of neighbouring chunks): {first.coherence['test']:.3f}.")
    level = [name for name, row in rows.items() if row.level_with_best and row is not first]
    if level:
        parts.append(f"The interval of the first meets those of {', '.join(level[:6])}: see the paired differences.")
    if any(row.shipped_result for row in rows.values()):
        parts.append("Rows of shipped models were measured when they were made; evaluate again to time them here.")
    st.caption(ui.plain(" ".join(parts)))
