"""Predict: text in, the next chunk out, one model beside another."""

from pathlib import Path

import streamlit as st

from pages.shared import address, asked, first_start, glossary, state, ui
from pages.views.predict import batch, context, editor, results, welcome
from pages.views.predict import form as predict_form
from pages.views.predict import run as running
from pages.views.predict.origin import MOST_CHUNKS

CSS = Path(__file__).resolve().parent.parent / "assets" / "predict.css"

ui.page_title("Predict", "Paste the last few chunks of a text and read what each model says comes next")
st.html(CSS)
asked.host_shown()
licence = ""
with ui.errors_shown(), address.page("predict") as at:
    at.keep(context.keys())
    context.restore(at)
    about = st.empty()  # there in every run: a browser makes anew, without what is being typed, all that moves up
    if running.current() is None and not st.session_state.get(context.RUN):
        about.html(welcome.what_this_is())
    left, right = st.columns([0.36, 0.64], gap="medium")
    with left:
        editor.show()
        st.button(
            "Predict", type="primary", icon=":material/arrow_forward:", shortcut="Ctrl+Enter", width="stretch",
            on_click=context.ask,
        )  # fmt: skip
        choices = predict_form.show(at)
        first_start.notice()
    texts, source = context.texts()[-MOST_CHUNKS:], context.origin()
    licence = state.licence_of(choices.corpus or (source.corpus if source else None))
    run = running.current()
    context.remember(at, context.asked() or (run is not None and list(run.texts) == texts))
    at.write()
    with right, ui.errors_shown():
        if context.take_asked():
            run = running.begin(choices, texts, source)
        elif run is not None and not run.same_question(choices, texts):
            st.caption("The context or the choices have changed since; press Predict or Ctrl+Enter to predict again.")
        if run is not None:
            results.show(run)
        else:
            welcome.show()
    batch.show(choices)
    asked.warm(choices.models)
glossary.show()
ui.licence_note(licence)
