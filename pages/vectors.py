"""Vectors: where predictions fall against their targets, raw and snapped, and whether they collapse to the middle."""

import streamlit as st

from pages.shared import map_figure, map_form, map_look, state, ui


def page() -> None:
    """Show the map of the settings in the address."""
    corpora = [info.name for info in state.encoded_corpora()]
    if not corpora:
        ui.empty_state(
            "No vectors yet",
            "A map needs an encoded corpus. The embedded one is read in by itself at the first start (see the foot of"
            " the window); any other comes with **Corpus**.",
            icon="scatter_plot",
        )
        return
    settings = map_form.show(corpora)
    data = map_look.data(settings)
    with st.container(key="map-numbers"):
        map_look.numbers(data)
    left, right = st.columns([0.68, 0.32], gap="medium")
    with left:
        made = map_look.the_map(settings, data)
        chosen = map_figure.show(made, data)
    with right:
        map_look.points(data, chosen)
    map_look.exports(made, data)


ui.page_title("Vectors", "Where predictions fall against their targets, and what the snap does to them")
with ui.errors_shown():
    page()
ui.licence_note()
