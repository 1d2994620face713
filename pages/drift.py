"""Drift: what becomes of a model that reads its own predictions, and what the snap does to that."""

import streamlit as st

from pages.shared import state, ui
from pages.views.drift import echo as echo_look
from pages.views.drift import form as drift_form
from pages.views.drift import influence as influence_look
from pages.views.drift import rollout as drift_look
from pages.views.drift import snap as snap_look

VIEWS = {"one": "One rollout", "mean": "Averages", "snap": "Snap laboratory", "influence": "Influence", "echo": "Echo"}


def page() -> None:
    """Show the view that the address names."""
    corpora = [info.name for info in state.encoded_corpora()]
    if not corpora:
        ui.empty_state(
            "No vectors yet",
            "A rollout continues an article of an encoded corpus. The embedded one is read in by itself at the first"
            " start (see the foot of the window); any other comes with **Corpus**.",
            icon="timeline",
        )
        return
    names = list(VIEWS)
    asked = st.query_params.get("view", "one")
    view = st.segmented_control(
        "View",
        names,
        format_func=VIEWS.__getitem__,
        default=asked if asked in names else "one",
        key="drift_view",
        label_visibility="collapsed",
    )
    chosen = drift_form.show(corpora, view or "one")
    looks = {
        "one": drift_look.one,
        "mean": drift_look.averages,
        "snap": snap_look.show,
        "influence": influence_look.show,
        "echo": echo_look.show,
    }
    looks[view or "one"](chosen)


ui.page_title("Drift", "Predictions fed back step by step, raw and snapped, beside the true text")
with ui.errors_shown():
    page()
ui.licence_note()
