"""The board as a table: which test, which models, which columns; rows of it are chosen to be looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from lvm_core.evaluate.measures import MEASURES, Measure, first_measures
from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.board import Group
from lvm_core.leaderboard.breakdown import OverTests
from lvm_core.leaderboard.production import production
from pages.shared import sortable, state
from pages.shared.address import Address
from pages.shared.sortable import Cell

ALL_TESTS = "all"
"""In place of a test: the mean of every model over all of them."""

KINDS = {"all": ("net", "baseline"), "nets": ("net",), "rules": ("baseline",)}
SIZES = {"any size": None, "to 10 k": 10_000, "to 100 k": 100_000, "to 1 M": 1_000_000, "to 5 M": 5_000_000}
"""Most parameters that a model may have."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the board: its heading, and the cell of a row."""

    head: sortable.Column
    cell: Callable[[Row], Cell]


def columns() -> dict[str, Column]:
    """Return every column by name: what a row is, then each measure and, where it has one, its interval."""
    context = sortable.Column("context", "Chunks it reads; all are asked for the same targets", first="ascending")
    kind = sortable.Column("kind", "A trained net, or a rule in closed form", number=False, first="ascending")
    every = {
        "kind": Column(kind, lambda row: Cell(row.kind, row.kind)),
        "context": Column(context, lambda row: Cell(str(row.context), row.context)),
    }
    for measure in MEASURES.values():
        every[measure.name] = _value_column(measure)
        if measure.resampled:
            every[f"{measure.name}_ci"] = _ends_column(measure)
    return every


def _value_column(measure: Measure) -> Column:
    head = sortable.Column(measure.heading, measure.meaning, first="ascending" if measure.lower else "descending")
    return Column(head, lambda row: Cell(measure.write(measure.value(row)), measure.value(row)))


def _ends_column(measure: Measure) -> Column:
    head = sortable.Column(f"{measure.heading} 95 %", f"95 % interval of {measure.heading}, by resampling articles")

    def cell(row: Row) -> Cell:
        ends = measure.ends(row)
        return Cell(measure.write_ends(ends) or "—", ends[0] if ends else None)

    return Column(head, cell)


def first_columns() -> list[str]:
    """Return the columns that show without being asked."""
    names = ["context"]
    for measure in first_measures():
        names += [measure.name, f"{measure.name}_ci"] if measure.first_ends else [measure.name]
    return names


# ---------------------------------------------------------------- choices


def choose_test(at: Address, groups: Sequence[Group]) -> Group | None:
    """Return the test to show; each holds only rows that may be compared. None: all of them."""
    by_key = {group.comparable: group for group in groups}
    names = [*by_key, ALL_TESTS] if len(by_key) > 1 else list(by_key)
    key = st.selectbox(
        "Test",
        names,
        format_func=lambda key: by_key[key].title if key in by_key else f"all {len(by_key)} tests: means",
        key=at.key("test", names[0], names),
        help="Only rows measured on the same windows against the same index are ranked together.",
    )
    return by_key.get(key or names[0])


def choose_ranking(at: Address, rows: Sequence[Row]) -> str:
    """Return the measure to rank by, of those that any row has."""
    names = [name for name, measure in MEASURES.items() if any(measure.value(row) is not None for row in rows)]
    start = "cosine" if "cosine" in names else names[0]
    ranking: str = st.selectbox(
        "Rank by",
        names,
        format_func=lambda name: f"{MEASURES[name].heading} ({'lowest' if MEASURES[name].lower else 'highest'} first)",
        key=at.key("by", start, names),
    )
    return ranking


def choose_columns(at: Address) -> None:
    """Show the choice of columns in a popover."""
    every = columns()
    with st.popover("Columns", icon=":material/view_column:"):
        st.multiselect(
            "Columns",
            list(every),
            format_func=lambda name: every[name].head.heading,
            key=at.key("columns", first_columns(), list(every)),
        )


def filters(at: Address, rows: Mapping[str, Row]) -> dict[str, Row]:
    """Show the filters in one row and return the rows that pass."""
    left, middle, right, last = st.columns([3, 2.4, 2.3, 2.3], vertical_alignment="bottom")
    text = left.text_input("Filter", placeholder="part of a model's name", key=at.key("words", ""))
    kind = middle.segmented_control("Kind", list(KINDS), key=at.key("kind", "all", list(KINDS)))
    contexts = [str(context) for context in sorted({row.context for row in rows.values()})]
    wanted = right.multiselect("Context", contexts, key=at.key("contexts", [], contexts))
    size = last.selectbox("Parameters", list(SIZES), key=at.key("size", next(iter(SIZES)), list(SIZES)))
    most = SIZES[size]
    return {
        name: row
        for name, row in rows.items()
        if all(word in row.model.lower() for word in text.lower().split())
        and row.kind in KINDS[kind or "all"]
        and (not wanted or str(row.context) in wanted)
        and (most is None or (row.number("parameters") or 0) <= most)
    }


def labels(rows: Sequence[Row]) -> dict[str, Row]:
    """Return the rows by a name that is theirs alone: the model's, with its context where it has several."""
    names = [row.model for row in rows]
    return {row.model if names.count(row.model) == 1 else f"{row.model} @ {row.context}": row for row in rows}


def choose_models(at: Address, rows: Mapping[str, Row]) -> dict[str, Row]:
    """Show the models chosen, which are the rows selected in the table, and return them in the order chosen."""
    names = st.multiselect(
        "Look at",
        list(rows),
        key=at.key("models", [], list(rows)),
        placeholder="one model, or several side by side",
    )
    return {name: rows[name] for name in names}


# ---------------------------------------------------------------- tables


def show(at: Address, rows: Mapping[str, Row], chosen: Sequence[str]) -> None:
    """Show the rows of one test; choosing some looks at them, a heading sorts."""
    every = columns()
    names = at.value("columns", first_columns(), list(every))
    serving = set(production(state.workspace()).values())
    shown = [every[name] for name in names]
    heads = [
        sortable.Column("#", "Rank within this test", first="ascending"),
        _model_column("Name of the run, shipped model or rule; ★ serves as the production model"),
        *(column.head for column in shown),
    ]  # fmt: skip
    lines = {
        name: [
            Cell(str(row.rank), row.rank),
            Cell(name + (" ★" if row.model in serving else ""), name),
            *(column.cell(row) for column in shown),
        ]
        for name, row in rows.items()
    }
    label = "Models ranked on one test, with intervals; choose rows to look at them"
    sortable.table("board-table", label, heads, lines, chosen, lambda names: at.put("models", names))


def _model_column(meaning: str) -> sortable.Column:
    return sortable.Column("model", meaning, number=False, pinned=True, first="ascending")


def show_all_tests(tests: Sequence[Group], models: Sequence[OverTests], measure: Measure) -> None:
    """Show every model on every test, and the mean over them."""
    first = "ascending" if measure.lower else "descending"
    heads = [
        _model_column("Name of the run, shipped model or rule"),
        sortable.Column("mean", f"Mean of {measure.heading} over the tests, each counted once", first=first),
        *(sortable.Column(f"{test.rows[0].corpus}, {test.rows[0].split}", test.title, first=first) for test in tests),
    ]
    lines = {
        one.model: [
            Cell(one.model, one.model),
            Cell(measure.write(one.mean), one.mean),
            *(Cell(measure.write(one.values.get(t.comparable)), one.values.get(t.comparable)) for t in tests),
        ]
        for one in models
    }
    sortable.table("board-tests", f"{measure.heading} of every model on every test", heads, lines)
