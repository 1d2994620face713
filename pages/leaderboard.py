"""Leaderboard: does a model predict the next chunk better than a trivial rule, by how much, and how sure are we?"""

from pathlib import Path

import streamlit as st

from lvm_core.leaderboard import board
from pages.shared import address, state, ui
from pages.views.leaderboard import actions, sections

CSS = Path(__file__).resolve().parent.parent / "assets" / "leaderboard.css"


def page(at: address.Address) -> None:
    """Show the board."""
    stored = board.load_rows(state.workspace())
    if stored.n_damaged:
        st.warning(f"Results left out, because they cannot be read: {stored.n_damaged}. Evaluate those models again.")
    if not stored.rows:
        sections.empty()
        return
    if note := st.session_state.pop("board_note", ""):
        st.success(ui.plain(note))
    sections.show(at, stored.rows)
    actions.history()


st.html(CSS)
ui.page_title(
    "Leaderboard", "Does a model predict the next chunk better than a trivial rule, by how much, and how surely?"
)
with ui.errors_shown(), address.page("leaderboard") as at:
    page(at)
