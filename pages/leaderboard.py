"""Leaderboard: does a model predict the next chunk better than a trivial rule, by how much, and how sure are we?"""

import html
from pathlib import Path

import streamlit as st

from lvm_core.leaderboard import board
from pages.shared import charts, state, ui
from pages.views.leaderboard import actions as board_actions
from pages.views.leaderboard import compare as board_compare
from pages.views.leaderboard import figures as board_figures
from pages.views.leaderboard import table as board_table

CSS = Path(__file__).resolve().parent.parent / "assets" / "leaderboard.css"
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
        board_actions.submit(argv, f"Evaluate every model on {corpora[0].name}")
    ui.command(argv)


def look_at(rows: list[dict[str, object]]) -> None:
    """Show the models chosen: one with its card, several side by side."""
    chosen = board_table.chosen(rows)
    if not chosen:
        st.caption("Select rows of the table to see a model's card, or two and more side by side.")
        return
    board_actions.of_rows(chosen)
    if len(chosen) == 1:
        board_compare.card(chosen[0])
    else:
        board_compare.settings(chosen)
        board_compare.measures(chosen)
    if not board_compare.windows(chosen):
        st.caption("They were not decoded yet for all of these models: press **Decode ten windows**.")


def figures(rows: list[dict[str, object]]) -> None:
    """Show cosine and recall with their intervals, and quality against latency."""
    left, middle, right = st.columns(3, gap="medium")
    with left:
        st.html('<p class="lvm-section">Cosine to the true next chunk, 95 % by article</p>')
        charts.show(board_figures.whiskers(rows, "cosine", "cosine"), "board_cosine", "Cosine of each model, interval")
    with middle:
        st.html('<p class="lvm-section">True chunk among the nearest five, 95 % by article</p>')
        figure = board_figures.whiskers(rows, "recall_at_5", "R@5, % of windows", percent=True)
        charts.show(figure, "board_recall", "Recall at 5 of each model with its interval")
    with right:
        st.html('<p class="lvm-section">Quality against latency</p>')
        field = st.segmented_control(
            "Quality", ["cosine", "recall_at_5"], format_func=lambda name: board_table.COLUMNS[name][0],
            default="cosine", key="board_quality", label_visibility="collapsed",
        )  # fmt: skip
        quality = field or "cosine"
        title = "cosine" if quality == "cosine" else "R@5, %"
        figure = board_figures.trade(rows, quality, title, quality != "cosine")
        charts.show(figure, "board_trade", "Quality against latency, the front joined by a line")


def page() -> None:
    """Show the board of one test."""
    rows = board.all_rows(state.workspace())
    if not rows:
        empty()
        return
    board_actions.clear_choice()
    if said := st.session_state.pop("board_said", ""):
        st.success(ui.plain(said))
    test, by, columns, save = st.columns([6, 3, 1.6, 1.6], vertical_alignment="bottom")
    with by:
        ranking = board_table.choose_ranking()
    groups = board.groups(rows, ranking)
    with test:
        group = board_table.choose_group(groups)
    with columns:
        board_table.choose_columns()
    with save:
        board_actions.exports(groups)
    board_table.mark_twice(group.rows)
    kept = board_table.filters(group.rows)
    if not kept:
        st.info("No model passes the filter. Clear it to see all.")
        return
    nets = [row for row in kept if row["kind"] == "net"]
    head = (board_table.chosen(kept) or nets or kept)[0]
    st.html(f'<p class="lvm-honest lvm-verdict">{html.escape(board_compare.answer(group.rows, head))}</p>')
    board_table.table(kept)
    _small_print(kept)
    figures(kept)
    board_table.choose_models(kept)
    look_at(kept)
    board_actions.history()


def _small_print(rows: list[dict[str, object]]) -> None:
    first = rows[0]
    coherence = first.get("coherence") or {}
    parts = [
        f"Every model is asked for the same {first['n_windows']:,} targets and searched among the same chunks.",
        "Intervals: 95 %, by resampling articles. Hollow marks are rules, full ones nets.",
    ]
    if isinstance(coherence, dict) and coherence.get("test") is not None:
        parts.append(f"Coherence of the test (cosine of neighbouring chunks): {coherence['test']:.3f}.")
    level = [str(row["model"]) for row in rows if row["level_with_best"]][1:]
    if level:
        parts.append(f"The interval of the first meets those of {', '.join(level[:6])}: see the paired differences.")
    if any(row.get("shipped_result") for row in rows):
        parts.append("Rows of shipped models were measured when they were made; evaluate again to time them here.")
    st.caption(ui.plain(" ".join(parts)))


st.html(CSS)
ui.page_title(
    "Leaderboard", "Does a model predict the next chunk better than a trivial rule, by how much, and how surely?"
)
with ui.errors_shown():
    page()
