"""The board as a table: filters, columns, and the models chosen to be looked at."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lvm_core.leaderboard.board import LOWER_IS_BETTER, Group
from lvm_core.leaderboard.production import production
from pages.shared import state

CHOSEN = "board_chosen"
"""Session key: the models to look at, in the order chosen; one of them may stand for several contexts."""

Row = dict[str, Any]
KINDS = {"all": ("net", "baseline"), "nets": ("net",), "rules": ("baseline",)}

PERCENT = "%.1f %%"
"""Streamlit's own percent format shows as many decimals as each number happens to have."""

COLUMNS: dict[str, tuple[str, str, str]] = {
    "model": ("model", "", "Name of the run, shipped model or rule"),
    "kind": ("kind", "", "A trained net, or a rule in closed form"),
    "context": ("context", "%d", "Chunks it reads; all are asked for the same targets"),
    "cosine": ("cosine", "%.4f", "Mean cosine of the prediction to the true next chunk, -1 to 1"),
    "cosine_ci": ("cosine 95 %", "", "Interval of the cosine, by resampling articles"),
    "vs_filter": ("vs filter", "%+.4f", "Cosine less that of the linear filter of the same context, same windows"),
    "vs_filter_ci": ("vs filter 95 %", "", "Interval of that difference; above zero: the model is better, surely"),
    "recall_at_1": ("R@1", PERCENT, "Share of windows whose true chunk is the nearest of all test chunks"),
    "recall_at_5": ("R@5", PERCENT, "Share of windows whose true chunk is among the nearest five"),
    "recall_at_10": ("R@10", PERCENT, "Share of windows whose true chunk is among the nearest ten"),
    "mrr": ("MRR", "%.3f", "Mean of 1 / rank of the true chunk, 0 to 1"),
    "contrastive_accuracy": ("contrastive", PERCENT, "Chunks of a batch farther than the truth; chance 50 %"),
    "direction": ("direction", PERCENT, "Nearer to the next chunk than to the one before the context; chance 50 %"),
    "direction_matched": ("vs matched", PERCENT, "Nearer than chunks as far from the context; chance 50 %"),
    "mse": ("MSE", "%.5f", "Mean squared error a component, on unit vectors"),
    "latency_ms": ("ms", "%.3f", "Median milliseconds of one query on one thread of this machine"),
    "batch_speedup": ("batch ×", "%.1f", "How many times faster a query is in a batch of 32"),
    "parameters": ("parameters", "localized", "Numbers that were trained or fitted"),
    "memory_mb": ("MB", "%.1f", "Megabytes of weights"),
    "efficiency": ("efficiency", "%.0f", "Cosine / milliseconds × 1000, as in the seeds"),
    "train_s": ("train s", "%.0f", "Seconds of training"),
    "round_trip_cosine": ("round trip", "%.3f", "Decoded and encoded again: cosine to the prediction"),
    "echo": ("echo", "%.3f", "Decoded and encoded again: cosine to the true next chunk"),
    "rouge_1": ("ROUGE-1", "%.3f", "Common words with the true next chunk, F1"),
    "rouge_2": ("ROUGE-2", "%.3f", "Common pairs of words, F1"),
    "rouge_l": ("ROUGE-L", "%.3f", "Longest common subsequence, F1"),
    "bleu": ("BLEU", "%.3f", "Sentence BLEU, 0 to 1"),
    "snapped_cosine": ("snapped", "%.4f", "Cosine of the snapped prediction"),
}  # fmt: skip
"""Field: heading, number format, and what it means."""

FIRST_COLUMNS = [
    "model", "context", "cosine", "cosine_ci", "vs_filter", "vs_filter_ci", "recall_at_1", "recall_at_5",
    "direction", "latency_ms", "parameters", "efficiency",
]  # fmt: skip
RANKINGS = [
    "cosine",
    "recall_at_5",
    "recall_at_1",
    "mrr",
    "contrastive_accuracy",
    "direction",
    "latency_ms",
    "efficiency",
]


def choose_group(groups: Sequence[Group]) -> Group:
    """Return the test to show; each holds only rows that may be compared."""
    by_key = {group.comparable: group for group in groups}
    key = st.selectbox(
        "Test",
        list(by_key),
        format_func=lambda key: by_key[key].title,
        key="board_group",
        help="Only rows measured on the same windows against the same index are ranked together.",
    )
    return by_key[key]


def filters(rows: Sequence[Row]) -> list[Row]:
    """Show the filters in one row and return the rows that pass."""
    left, middle, right = st.columns([4, 3, 3], vertical_alignment="bottom")
    words = left.text_input("Filter", placeholder="part of a model's name", key="board_words").lower().split()
    kind = middle.segmented_control("Kind", list(KINDS), default="all", key="board_kind")
    contexts = right.multiselect("Context", sorted({row["context"] for row in rows}), key="board_contexts")
    return [
        row
        for row in rows
        if all(word in row["model"].lower() for word in words)
        and row["kind"] in KINDS[kind or "all"]
        and (not contexts or row["context"] in contexts)
    ]


def label(row: Row) -> str:
    """Return the name of a row that is the only one of its kind on a board."""
    return str(row["model"]) if not row.get("twice") else f"{row['model']} @ {row['context']}"


def mark_twice(rows: Sequence[Row]) -> None:
    """Note the models that stand on the board with several contexts."""
    names = [row["model"] for row in rows]
    for row in rows:
        row["twice"] = names.count(row["model"]) > 1


def chosen(rows: Sequence[Row]) -> list[Row]:
    """Return the rows chosen to be looked at, in the order chosen."""
    by_label = {label(row): row for row in rows}
    return [by_label[name] for name in st.session_state.get(CHOSEN, []) if name in by_label]


def table(rows: Sequence[Row]) -> None:
    """Show the rows; selecting some chooses them to be looked at. A click on a heading sorts."""
    import pandas as pd

    names = st.session_state.get("board_columns") or FIRST_COLUMNS
    serving = set(production(state.workspace()).values())
    frame = pd.DataFrame([{"#": row["rank"], **_cells(row, names, serving)} for row in rows])
    key = f"board_table_{abs(hash(tuple(label(row) for row in rows)))}"

    def take() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        st.session_state[CHOSEN] = [label(rows[place]) for place in picked if place < len(rows)]

    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=min(560, 38 + 35 * max(1, len(rows))),
        on_select=take,
        selection_mode="multi-row",
        column_config=_column_config(names),
        alt="Models ranked on one test, with intervals; select rows to look at them",
    )


def _column_config(names: Sequence[str]) -> dict[str, Any]:
    config: dict[str, Any] = {"#": st.column_config.NumberColumn(width=36, pinned=True, help="Rank within this test")}
    for name in names:
        heading, form, meaning = COLUMNS[name]
        if form:
            config[heading] = st.column_config.NumberColumn(format=form, help=meaning)
        else:
            config[heading] = st.column_config.TextColumn(help=meaning, pinned=name == "model")
    return config


def _cells(row: Row, names: Sequence[str], serving: set[str]) -> dict[str, Any]:
    return {COLUMNS[name][0]: _cell(row, name, serving) for name in names}


def _cell(row: Row, name: str, serving: set[str]) -> Any:
    if name == "model":
        return label(row) + (" ★" if row["model"] in serving else "")
    if name == "vs_filter":
        return (row.get(name) or {}).get("cosine")
    if name == "vs_filter_ci":
        return ends((row.get("vs_filter") or {}).get("ci"), "+.4f")
    if name == "snapped_cosine":
        return (row.get("snapped") or {}).get("cosine")
    if name.endswith("_ci"):
        return ends(row.get(name), ".4f")
    value = row.get(name)
    return 100 * value if value is not None and COLUMNS[name][1] == PERCENT else value


def ends(interval: Sequence[float] | None, form: str) -> str | None:
    """Return an interval as text."""
    return f"{interval[0]:{form}} … {interval[1]:{form}}" if interval else None


def choose_columns() -> None:
    """Show the choice of columns in a popover."""
    with st.popover("Columns", icon=":material/view_column:"):
        st.multiselect(
            "Columns",
            list(COLUMNS),
            default=FIRST_COLUMNS,
            format_func=lambda name: COLUMNS[name][0],
            key="board_columns",
        )


def choose_ranking() -> str:
    """Return the field to rank by."""
    found: str = st.selectbox(
        "Rank by",
        RANKINGS,
        format_func=lambda name: f"{COLUMNS[name][0]} ({'lowest' if name in LOWER_IS_BETTER else 'highest'} first)",
        key="board_by",
    )
    return found


def choose_models(rows: Sequence[Row]) -> None:
    """Show the models chosen; the same choice as the rows selected in the table."""
    st.session_state[CHOSEN] = [name for name in st.session_state.get(CHOSEN, []) if name in {label(r) for r in rows}]
    st.multiselect(
        "Look at",
        [label(row) for row in rows],
        key=CHOSEN,
        placeholder="one model for its card, two or more side by side",
    )
