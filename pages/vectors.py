"""Vectors: where predictions fall against their targets, raw and snapped, and whether they collapse to the middle.

What it shows is called a map (`lvm_core.study.map`); the command `project` makes one in the background.
"""

import streamlit as st

from lvm_core.study.map import TARGET
from pages.shared import address, first_start, state, ui
from pages.views.vectors import find, form, layout, look, numbers, points
from pages.views.vectors.look import Point


def page(at: address.Address) -> None:
    """Show the map of the settings in the address, what is matches on it, the numbers beside it, and what is chosen."""
    corpora = [info.name for info in state.encoded_corpora()]
    if not corpora:
        ui.empty_state(
            "No vectors yet",
            "A map needs an encoded corpus: the one that comes along, or your own, added on **Corpus**.",
            icon="scatter_plot",
        )
        first_start.notice("maps wait for one")
        return
    settings = form.show(at, corpora)
    data, rows = look.gathered(settings)
    made, key = layout.the_map(settings, data)
    name = look.points_key(settings)
    matches = find.filters(at, data, name)
    picked = find.picked(at, data)

    def clear() -> None:
        look.forget()
        at.put("picked", [])

    left, right = st.columns([0.64, 0.36], gap="medium")
    with left:
        figure = look.picture(at, made, data, key, name, matches.and_windows(picked))
        look.exports(figure, made, data)
    with right:
        numbers.show(rows)
        points.show(data, look.chosen(key) or [Point(TARGET, place) for place in picked], clear)
    find.table(at, data, name, matches, look.forget)
    ui.licence_note(state.licence_of(settings.corpus))


ui.page_title("Vectors", "Where predictions fall against their targets, and what the snap does to them")
with ui.errors_shown(form.WORDS), address.page("vectors") as at:
    page(at)
