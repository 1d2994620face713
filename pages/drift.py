"""Drift: what becomes of a model that reads its own predictions, and what the snap does to that."""

import streamlit as st

from pages.shared import address, first_start, state, ui
from pages.views.drift import form as drift_form
from pages.views.drift import influence as influence_look
from pages.views.drift import rollout as drift_look
from pages.views.drift import round_trip as round_trip_look
from pages.views.drift import snap as snap_look

VIEWS = {
    "one": "One rollout",
    "mean": "Averages",
    "snap": "Snap laboratory",
    "influence": "Influence",
    drift_form.ROUND_TRIP: "Round trip",
}


def page(at: address.Address) -> None:
    """Show the view that the address names."""
    corpora = [info.name for info in state.encoded_corpora()]
    if not corpora:
        ui.empty_state(
            "No vectors yet",
            "A rollout continues an article of an encoded corpus: the one that comes along, or your own, added on"
            " **Corpus**.",
            icon="timeline",
        )
        first_start.notice("rollouts wait for one")
        return
    names = list(VIEWS)
    view = st.segmented_control(
        "View",
        names,
        format_func=VIEWS.__getitem__,
        key=at.key("view", "one", names),
        required=True,
        label_visibility="collapsed",
    )
    choices = drift_form.show(at, corpora, view)
    looks = {
        "one": drift_look.one,
        "mean": drift_look.averages,
        "snap": snap_look.show,
        "influence": influence_look.show,
        drift_form.ROUND_TRIP: round_trip_look.show,
    }
    looks[view](at, choices)
    ui.licence_note(state.licence_of(choices.corpus))


ui.page_title("Drift", "Predictions fed back step by step, raw and snapped, beside the true text")
with ui.errors_shown(drift_form.WORDS), address.page("drift") as at:
    page(at)
