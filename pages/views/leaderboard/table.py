"""The board as a table: filters, columns, and the models chosen to be looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lvm_core.evaluate.measures import MEASURES, Measure, first_measures, lower_is_better
from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.board import Group
from lvm_core.leaderboard.production import production
from pages.shared import state

CHOSEN = "board_chosen"
"""Session key: the models to look at, in the order chosen; one of them may stand for several contexts."""

KINDS = {"all": ("net", "baseline"), "nets": ("net",), "rules": ("baseline",)}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: heading, what it means, its cell, and Streamlit's number format ('' for text)."""

    heading: str
    meaning: str
    cell: Callable[[Row], Any]
    form: str = ""


def columns() -> dict[str, Column]:
    """Return every column by name: what a row is, then each measure and, where it has one, its interval."""
    found = {
        "kind": Column("kind", "A trained net, or a rule in closed form", lambda row: row.kind),
        "context": Column(
            "context", "Chunks it reads; all are asked for the same targets", lambda row: row.context, "%d"
        ),
    }
    for measure in MEASURES.values():
        found[measure.name] = _value_column(measure)
        if measure.resampled:
            found[f"{measure.name}_ci"] = _ends_column(measure)
    return found


def _value_column(measure: Measure) -> Column:
    if measure.share:  # Streamlit's own percent format shows as many decimals as each number happens to have
        return Column(measure.heading, measure.meaning, lambda row: _percent(measure.value(row)), f"%{measure.form} %%")
    form = "localized" if measure.form.startswith(",") else f"%{measure.form}"
    return Column(measure.heading, measure.meaning, measure.value, form)


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _ends_column(measure: Measure) -> Column:
    meaning = f"95 % interval of {measure.heading}, by resampling articles"
    return Column(f"{measure.heading} 95 %", meaning, lambda row: measure.write_ends(measure.ends(row)) or None)


def first_columns() -> list[str]:
    """Return the columns that show without being asked."""
    names = ["context"]
    for measure in first_measures():
        names += [measure.name, f"{measure.name}_ci"] if measure.first_ends else [measure.name]
    return names


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


def filters(rows: dict[str, Row]) -> dict[str, Row]:
    """Show the filters in one row and return the rows that pass."""
    left, middle, right = st.columns([4, 3, 3], vertical_alignment="bottom")
    words = left.text_input("Filter", placeholder="part of a model's name", key="board_words").lower().split()
    kind = middle.segmented_control("Kind", list(KINDS), default="all", key="board_kind")
    contexts = right.multiselect("Context", sorted({row.context for row in rows.values()}), key="board_contexts")
    return {
        name: row
        for name, row in rows.items()
        if all(word in row.model.lower() for word in words)
        and row.kind in KINDS[kind or "all"]
        and (not contexts or row.context in contexts)
    }


def labels(rows: Sequence[Row]) -> dict[str, Row]:
    """Return the rows by a name that is theirs alone: the model's, with its context where it has several."""
    names = [row.model for row in rows]
    return {row.model if names.count(row.model) == 1 else f"{row.model} @ {row.context}": row for row in rows}


def chosen(rows: dict[str, Row]) -> dict[str, Row]:
    """Return the rows chosen to be looked at, in the order chosen."""
    return {name: rows[name] for name in st.session_state.get(CHOSEN, []) if name in rows}


def table(rows: dict[str, Row]) -> None:
    """Show the rows; selecting some chooses them to be looked at. A click on a heading sorts."""
    import pandas as pd

    every = columns()
    shown = {name: every[name] for name in st.session_state.get("board_columns") or first_columns() if name in every}
    serving = set(production(state.workspace()).values())
    names = list(rows)
    frame = pd.DataFrame(
        [
            {"#": row.rank, "model": name + (" ★" if row.model in serving else "")}
            | {column.heading: column.cell(row) for column in shown.values()}
            for name, row in rows.items()
        ]
    )
    key = f"board_table_{abs(hash(tuple(names)))}"

    def take() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        st.session_state[CHOSEN] = [names[place] for place in picked if place < len(names)]

    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=min(560, 38 + 35 * max(1, len(rows))),
        on_select=take,
        selection_mode="multi-row",
        column_config=_column_config(shown.values()),
        alt="Models ranked on one test, with intervals; select rows to look at them",
    )


def _column_config(shown: Any) -> dict[str, Any]:
    config: dict[str, Any] = {
        "#": st.column_config.NumberColumn(width=36, pinned=True, help="Rank within this test"),
        "model": st.column_config.TextColumn(pinned=True, help="Name of the run, shipped model or rule"),
    }
    for column in shown:
        if column.form:
            config[column.heading] = st.column_config.NumberColumn(format=column.form, help=column.meaning)
        else:
            config[column.heading] = st.column_config.TextColumn(help=column.meaning)
    return config


def choose_columns() -> None:
    """Show the choice of columns in a popover."""
    every = columns()
    with st.popover("Columns", icon=":material/view_column:"):
        st.multiselect(
            "Columns",
            list(every),
            default=first_columns(),
            format_func=lambda name: every[name].heading,
            key="board_columns",
        )


def choose_ranking(rows: Sequence[Row]) -> str:
    """Return the measure to rank by, of those that any row has."""
    found: str = st.selectbox(
        "Rank by",
        [name for name in MEASURES if any(row.number(name) is not None for row in rows)],
        format_func=lambda name: f"{MEASURES[name].heading} ({'lowest' if lower_is_better(name) else 'highest'} first)",
        key="board_by",
    )
    return found


def choose_models(rows: dict[str, Row]) -> None:
    """Show the models chosen; the same choice as the rows selected in the table."""
    st.session_state[CHOSEN] = [name for name in st.session_state.get(CHOSEN, []) if name in rows]
    st.multiselect("Look at", list(rows), key=CHOSEN, placeholder="one model for its card, two or more side by side")
