"""Small widgets of every page: numbers with their meaning, text to copy, empty states, the strip of jobs."""

import contextlib
import html
import re
import runpy
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from lvm_core.config import typed
from lvm_core.corpus.sources.base import WIKIPEDIA_LICENCE
from lvm_core.errors import LvmError

APP = Path(__file__).resolve().parents[2] / "app.py"
_WORD_JOINER = "\u2060"
_DRAWN = re.compile(
    r"(?<=:material)(?=/)|(?<=:streamlit)(?=:)|(?<=https:)(?=//)|(?<=http:)(?=//)|(?<=www)(?=\.)"
    r"|(?<=@)(?=[-\w]+\.\w)",
    re.IGNORECASE,
)
"""Where Streamlit's Markdown makes icons and links of text that is escaped: an invisible character parts them."""

LIVE_S = 2.0
"""Seconds between looks at running jobs."""


class Number(NamedTuple):
    """A figure to show: label, value as text, unit, what it means when pressed, and a colour name of COLOURS or ''."""

    label: str
    value: str
    unit: str = ""
    help: str = ""
    colour: str = ""


# ---------------------------------------------------------------- errors


@contextlib.contextmanager
def errors_shown(words: Mapping[str, str] | None = None) -> Iterator[None]:
    """Show a user's mistake as its message, without a traceback; all else is our fault and passes through.

    app.py wraps every page in it; fragments that refresh by themselves wrap their own body. `words` are what the
    page calls the flags that a message may name.
    """
    try:
        yield
    except LvmError as error:
        show_error(error, words)


def show_error(error: LvmError, words: Mapping[str, str] | None = None) -> None:
    """Show the message of a user's mistake."""
    st.error(plain(spoken(str(error), words or {})), icon=":material/error:")


def spoken(message: str, words: Mapping[str, str]) -> str:
    """Return a message with the page's own words for the flags in it."""
    return re.sub(r"--[a-z][a-z-]*", lambda flag: f"'{words[flag[0]]}'" if flag[0] in words else flag[0], message)


def plain(text: str) -> str:
    """Return `text` as Markdown that shows it as it is: no mark-up, no icon, no link, no character by its name."""
    text = _DRAWN.sub(_WORD_JOINER, text)
    for sign in "\\`*_[]<>$#~&":
        text = text.replace(sign, f"\\{sign}")
    return text.replace(":", "\\:")


def _run_through_app() -> None:
    """Run app.py in place of the page where Streamlit ran the page's file by itself.

    It does so when a link to a page is the first thing that a new process is asked for, because of the folder's
    name; once `st.navigation` has run it no longer does.
    """
    if PagesManager.uses_pages_directory:
        runpy.run_path(str(APP))
        st.stop()


def page_title(title: str, about: str) -> None:
    """Show the head of a page: its name and one line that says what it answers. Every page calls it first."""
    _run_through_app()
    st.html(f'<div class="lvm-head"><h1>{html.escape(title)}</h1><p>{html.escape(about)}</p></div>')


# ---------------------------------------------------------------- numbers, marks, text


def explained(word: str, about: str) -> str:
    """Return a word that says what it means when pressed, by mouse, finger or keyboard, as HTML.

    `word` is HTML, `about` is text; the terms of the glossary have `glossary.term`.
    """
    if not about:
        return word
    name = f"about-{zlib.crc32(f'{word} {about}'.encode()):08x}"
    return (
        f'<button type="button" class="lvm-term" popovertarget="{name}">{word}</button>'
        f'<span popover id="{name}" class="lvm-popover">{html.escape(about)}</span>'
    )


def metric_row(numbers: Sequence[Number | tuple[Any, ...]]) -> None:
    """Show figures in one dense row that wraps; each says its unit and, when pressed, what it means."""
    st.html(metric_html(numbers))


def metric_html(numbers: Sequence[Number | tuple[Any, ...]]) -> str:
    """Return the row of figures as HTML."""
    cells = []
    for label, value, unit, help_text, colour in (Number(*number) for number in numbers):
        tone = f" lvm-{colour}" if colour else ""
        cells.append(
            f'<div class="lvm-number"><dt>{explained(html.escape(label), help_text)}</dt>'
            f'<dd class="lvm-value{tone}">{html.escape(value)}<small>{html.escape(unit)}</small></dd></div>'
        )
    return f'<dl class="lvm-numbers">{"".join(cells)}</dl>'


def tag(text: str, colour: str = "", help: str = "") -> str:
    """Return a small label as HTML; `colour` is a name of COLOURS, "good", "bad" or ''."""
    tone = f" lvm-tag-{colour}" if colour else ""
    return f'<span class="lvm-tag{tone}">{explained(html.escape(text), help)}</span>'


class Heading(NamedTuple):
    """A heading of a table with what it means, when pressed."""

    text: str
    help: str = ""


class Cell(NamedTuple):
    """A cell of a table as HTML, with its CSS class: a colour of what it shows, `lvm-flow` for running text."""

    html: str
    css: str = ""


def table(columns: Sequence[str | Heading], rows: Sequence[Sequence[str | Cell]]) -> None:
    """Show a small table of cells that are HTML already; long tables belong into `sortable.table`."""
    st.html(table_html(columns, rows, "lvm-table"))


def table_html(
    columns: Sequence[str | Heading], rows: Sequence[Sequence[str | Cell]], css: str = "", scroll: bool = False
) -> str:
    """Return a table as HTML, of cells that are HTML already; a row of one cell goes over all columns.

    Args:
        columns: the headings, which are text.
        rows: the cells of each row.
        css: class of the table.
        scroll: whether a long one scrolls in a frame of its own.
    """
    heads = [column if isinstance(column, Heading) else Heading(column) for column in columns]
    head = "".join(f"<th>{explained(html.escape(one.text), one.help)}</th>" for one in heads)
    body = "".join(f"<tr>{_cells(row, len(heads))}</tr>" for row in rows)
    frame = "lvm-scroll" if scroll else "lvm-wide"
    return f'<div class="{frame}"><table class="lvm-rows {css}"><tr>{head}</tr>{body}</table></div>'


def _cells(row: Sequence[str | Cell], n_columns: int) -> str:
    cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
    span = f' colspan="{n_columns}"' if len(cells) == 1 < n_columns else ""
    return "".join(f'<td class="{cell.css}"{span}>{cell.html}</td>' for cell in cells)


def copy_text(text: str, key: str, colour: str = "prediction") -> None:
    """Show `text` large, in the colour of what it is, with a button that copies it."""
    with st.container(key=f"said-{colour}-{key}"):
        st.code(text or " ", language=None, wrap_lines=True)


def command(argv: Sequence[str]) -> None:
    """Show the command that a person would type, with a button that copies it."""
    st.code(typed(argv), language=None, wrap_lines=True)


def empty_state(title: str, body: str, action: str = "", key: str = "", icon: str = "inbox") -> bool:
    """Show why there is nothing yet and what to do; return whether the button `action` was pressed."""
    with st.container(border=True, key=f"empty-{key or title}"):
        st.markdown(f":material/{icon}: **{title}**")
        st.markdown(body)
        return bool(action) and st.button(action, key=f"empty-action-{key or title}", type="primary")


def licence_note(licence: str = "") -> None:
    """Show under shown text where it comes from and under which licence."""
    name, _, address = (licence or f"Text: {WIKIPEDIA_LICENCE}").partition(", https://")
    st.caption(f"[{plain(name)}](https://{address})" if address else plain(name))


# ---------------------------------------------------------------- jobs


def job_strip() -> None:
    """Show the running and queued jobs along the foot of the window; it refreshes by itself and moves nothing."""
    with st.container(key="jobstrip"):
        st.fragment(_job_strip, run_every=LIVE_S)()


def _job_strip() -> None:
    with errors_shown():
        from pages.shared import first_start

        first_start.strip()
