"""Predict: text in, the next chunk out, one model beside another."""

import streamlit as st

from pages.shared import first_start, state, ui
from pages.views.predict import context, editor
from pages.views.predict import form as predict_form
from pages.views.predict import run as predicting

ui.page_title("Predict", "Paste the last few chunks of a text and read what each model says comes next")
state.bring_back("predict")
context.restore()
left, right = st.columns([0.36, 0.64], gap="medium")
with left:
    editor.show()
    pressed = st.button(
        "Predict", type="primary", icon=":material/arrow_forward:", shortcut="Ctrl+Enter", width="stretch"
    )
    asked = predict_form.show()
    first_start.notice()
state.keep("predict", [*context.keys(), *predict_form.KEYS])

texts, known = context.texts(), context.origin()
run = st.session_state.pop(context.RUN, False) or pressed
result = st.session_state.get(predicting.RESULT)
with right, ui.errors_shown():
    if run:
        context.remember(run=True)
        result = predicting.run(asked, texts[-context.MOST_CHUNKS :], known)
    elif result is not None:
        context.remember(run=result.texts == texts)
        if (result.asked, result.texts) != (asked, texts[-context.MOST_CHUNKS :]):
            st.caption("The context or the choices have changed since; press Predict or Ctrl+Enter to predict again.")
        predicting.show(result)
    else:
        context.remember(run=False)
        ui.empty_state(
            "No prediction yet",
            "Take an example, or paste the chunks that come before and press **Predict** (Ctrl+Enter).",
            icon="arrow_back",
        )
ui.licence_note()
