"""Corpus: read what the vectors were made of, search it by words and by meaning, send a run of chunks to Predict."""

from pathlib import Path

import streamlit as st

from pages.shared import first_start, state, ui
from pages.views.corpus import articles, reading
from pages.views.corpus import corpora as corpora_list
from pages.views.corpus import ingest as ingest_form

VIEWS = ("Read", "Corpora", "Add a corpus")
CSS = Path(__file__).resolve().parent.parent / "assets" / "corpus.css"

ui.page_title("Corpus", "The articles that contexts, neighbours and training windows come from")
st.html(CSS)
found = state.corpora()
if not found and first_start.active_jobs():
    ui.empty_state(
        "The first corpus is being read in",
        "Its articles appear here as soon as they are there; progress is at the foot of the page.",
        icon="hourglass_top",
    )
    corpora_list.wait()
elif not found:
    ui.empty_state(
        "No corpus yet",
        "A corpus is a set of articles cut into chunks. About 100 articles of English Wikipedia come with the studio:"
        " reading them in takes some seconds, encoding them about a minute.",
        icon="menu_book",
    )
    ingest_form.show()
else:
    view = st.segmented_control("View", VIEWS, default=VIEWS[0], key="corpus_view", label_visibility="collapsed")
    if view == VIEWS[1]:
        corpora_list.show(found)
    elif view == VIEWS[2]:
        ingest_form.show()
    else:
        corpus = articles.choose_corpus(found)
        left, right = st.columns([0.3, 0.7], gap="medium")
        with left:
            query = articles.show(corpus)
        with right:
            reading.show(corpus, query)
        ui.licence_note(corpus.licence or "Licence of this text: not stated.")
