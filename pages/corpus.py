"""Corpus: read what the vectors were made of, search it by words and by meaning, send a run of chunks to Predict."""

from pathlib import Path

import streamlit as st

from lvm_core.types import CorpusInfo
from pages.shared import address, first_start, state, ui
from pages.views.corpus import added, articles, reading
from pages.views.corpus import corpora as corpora_list
from pages.views.corpus import ingest as ingest_form

VIEWS = ("Read", "Corpora", "Add a corpus")
CSS = Path(__file__).resolve().parent.parent / "assets" / "corpus.css"


def read(at: address.Address, corpora: list[CorpusInfo]) -> None:
    """Show the articles of a corpus beside the one that is open."""
    corpus = articles.choose_corpus(at, corpora)
    left, right = st.columns([0.3, 0.7], gap="medium")
    with left:
        query = articles.show(at, corpus)
    with right:
        reading.show(at, corpus, query)
    ui.licence_note(state.licence_of(corpus.name))


SHOWN = {
    VIEWS[0]: read,
    VIEWS[1]: lambda _, corpora: corpora_list.show(corpora),
    VIEWS[2]: lambda at, _: ingest_form.show(at),
}


def page(at: address.Address) -> None:
    """Show the view that the address names; where there is no corpus, how to come by one."""
    corpora = state.corpora()
    if corpora:
        view = st.segmented_control(
            "View", VIEWS, required=True, key=at.key("view", VIEWS[0], VIEWS), label_visibility="collapsed"
        )
        SHOWN[view](at, corpora)
    elif first_start.active_jobs() and added.ADDED not in st.session_state:
        ui.empty_state(
            "The first corpus is being read in",
            "Its articles appear here as soon as they are there; progress is at the foot of the page.",
            icon="hourglass_top",
        )
        corpora_list.wait()
    else:
        ui.empty_state(
            "No corpus yet",
            "A corpus is a set of articles cut into chunks. About 100 articles of English Wikipedia come with the"
            " studio: reading them in takes some seconds, encoding them about a minute.",
            icon="menu_book",
        )
        ingest_form.show(at)


ui.page_title("Corpus", "The articles that contexts, neighbours and training windows come from")
st.html(CSS)
with ui.errors_shown(), address.page("corpus") as choices:
    page(choices)
