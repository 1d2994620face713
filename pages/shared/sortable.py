"""A table that a person sorts by a click or the keyboard: real cells, whole names, text that can be copied."""

import functools
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading with what it means. `number`: set to the right. `pinned`: stays when the table is moved sideways.

    `first` is how the first press of the heading sorts, "ascending" or "descending".
    """

    heading: str
    meaning: str = ""
    number: bool = True
    pinned: bool = False
    first: str = "descending"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, what it is sorted by (None comes last), and "lvm-good", "lvm-bad" or ''."""

    text: str
    order: float | str | None = None
    tone: str = ""


@functools.cache
def _component() -> Any:
    read = {kind: (ASSETS / f"sortable.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")}
    return v2.component("lvm_sortable", html='<div class="lvm-sortable"></div>', isolate_styles=False, **read)


def table(
    key: str,
    label: str,
    columns: Sequence[Column],
    rows: Mapping[str, Sequence[Cell]],
    selected: Sequence[str] = (),
    on_select: Callable[[list[str]], None] | None = None,
) -> None:
    """Show `rows` by name; where `on_select` is given, rows can be chosen and it is told their names.

    Args:
        key: of the widget.
        label: what the table shows, for those who cannot see it.
        columns: the headings.
        rows: name of each row, and a cell a column.
        selected: names of the rows that are chosen.
        on_select: called before the page runs again.
    """

    def take() -> None:
        assert on_select is not None
        on_select([str(name) for name in st.session_state[key]["selected"]])

    data = {
        "key": key,
        "label": label,
        "columns": [asdict(column) for column in columns],
        "rows": [{"name": name, "cells": [asdict(cell) for cell in cells]} for name, cells in rows.items()],
        "selected": list(selected),
        "selectable": on_select is not None,
    }
    options = {"on_selected_change": take, "default": {"selected": list(selected)}} if on_select else {}
    _component()(key=key, data=data, **options)
    if explained := [column for column in columns if column.meaning]:
        words = "".join(f"<dt>{html.escape(c.heading)}</dt><dd>{html.escape(c.meaning)}</dd>" for c in explained)
        fold = f"<summary>What the columns say</summary><dl>{words}</dl>"
        st.html(f'<details class="lvm-fold lvm-glossary">{fold}</details>')
