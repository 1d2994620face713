"""Leaderboard: does a model predict the next chunk better than a trivial rule, by how much, and how sure are we?"""

from pathlib import Path

import streamlit as st

from lvm_core.leaderboard import board
from pages.shared import state, ui
from pages.views.leaderboard import actions, sections

CSS = Path(__file__).resolve().parent.parent / "assets" / "leaderboard.css"


def page() -> None:
    """Show the board of one sections."""
    stored = board.load_rows(state.workspace())
    if stored.n_damaged:
        st.warning(f"Results left out, because they cannot be read: {stored.n_damaged}. Evaluate those models again.")
    if not stored.rows:
        sections.empty()
        return
    actions.clear_choice()
    if note := st.session_state.pop("board_note", ""):
        st.success(ui.plain(note))
    sections.show(sections.choose(stored.rows))
    actions.history()


st.html(CSS)
ui.page_title(
    "Leaderboard", "Does a model predict the next chunk better than a trivial rule, by how much, and how surely?"
)
with ui.errors_shown():
    page()
