"""Vectors: where predictions fall against their targets, raw and snapped, and whether they collapse to the middle.

What it shows is called a map (`lvm_core.study.map`); the command `project` makes one in the background.
"""

import streamlit as st

from pages.shared import address, state, ui
from pages.views.vectors import form as map_form
from pages.views.vectors import layout as map_job
from pages.views.vectors import look as map_look
from pages.views.vectors import points as map_points


def page(at: address.Address) -> None:
    """Show the map of the settings in the address, the numbers beside it, and what is chosen in it."""
    corpora = [info.name for info in state.encoded_corpora()]
    if not corpora:
        ui.empty_state(
            "No vectors yet",
            "A map needs an encoded corpus. The embedded one is read in by itself at the first start (see the foot of"
            " the window); any other comes with **Corpus**.",
            icon="scatter_plot",
        )
        return
    settings = map_form.show(at, corpora)
    data, rows = map_look.data(settings)
    made, key = map_job.the_map(settings, data)
    left, right = st.columns([0.64, 0.36], gap="medium")
    with left:
        made_of, chosen = map_look.picture(at, made, data, key, map_look.points_key(settings))
        map_look.exports(made_of, made, data)
    with right:
        map_look.numbers(rows)
        map_points.show(data, chosen)


ui.page_title("Vectors", "Where predictions fall against their targets, and what the snap does to them")
with ui.errors_shown(), address.page("vectors") as at:
    page(at)
ui.licence_note()
