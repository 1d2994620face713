"""The corpora of the workspace: what each is made of, its size and licence, and deleting it."""

import html
import time

import streamlit as st

from lvm_core.types import CorpusInfo
from lvm_core.vectors.index import about_index
from lvm_core.vectors.matrix import encoded_with
from lvm_core.wording import counted
from pages.shared import first_start, state, ui
from pages.views.corpus import checks as corpus_checks
from pages.views.system import facts

SURE = "corpus_delete_asked"


@st.fragment(run_every=ui.LIVE_S)
def wait() -> None:
    """Draw the page anew when the first corpus has been read in, or nothing is under way any more."""
    if state.corpora() or not first_start.active_jobs():
        st.rerun()


def show(corpora: list[CorpusInfo]) -> None:
    """Show every corpus as a card."""
    for corpus in corpora:
        with st.container(border=True, key=f"corpus-card-{corpus.corpus_id}"):
            _card(corpus)


def _card(corpus: CorpusInfo) -> None:
    store = state.store()
    encoders = encoded_with(state.workspace(), corpus.name)
    folder = state.workspace().corpus_dir(corpus.name)
    size = sum(path.stat().st_size for path in folder.iterdir()) if folder.exists() else 0
    st.header(ui.plain(corpus.name), anchor=False)
    ui.metric_row([
        ui.Number("Articles", f"{corpus.n_documents:,}"),
        ui.Number("Chunks", f"{corpus.n_chunks:,}"),
        ui.Number("Text", *_characters(store.n_chars(corpus.name))),
        ui.Number("Vectors and index", *facts.readable(size).split(), "Size of the corpus's folder on disk"),
        ui.Number("Chunker", corpus.chunker),
        ui.Number("Read in", time.strftime("%Y-%m-%d %H:%M", time.localtime(corpus.created))),
    ])  # fmt: skip
    st.html(_about(corpus, encoders, store.details(corpus.name).get("skipped", {})))
    corpus_checks.pipeline(corpus)
    corpus_checks.order(corpus, encoders)
    _actions(corpus)


def _characters(n: int) -> tuple[str, str]:
    return (f"{n / 1e6:,.1f}", "M characters") if n >= 1e6 else (f"{n / 1e3:,.0f}", "k characters")


def _about(corpus: CorpusInfo, encoders: list[str], skipped: dict[str, int]) -> str:
    rows = [
        ("Source", corpus.source),
        ("Licence", corpus.licence or "not stated"),
        ("Digest", f"{corpus.digest} (SHA-256 of titles and chunks in order)"),
        ("Encoded by", ", ".join(encoders) or "no encoder yet"),
        *(("Index", about_index(state.workspace(), corpus.name, encoder)) for encoder in encoders),
        ("Passed over", ", ".join(counted(count, reason) for reason, count in skipped.items()) or "nothing"),
    ]
    cells = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in rows)
    return f'<div class="lvm-about"><dl>{cells}</dl></div>'


def _actions(corpus: CorpusInfo) -> None:
    asked = st.session_state.get(SURE) == corpus.corpus_id
    with st.container(horizontal=True, vertical_alignment="center"):
        if not asked:
            st.button("Delete", icon=":material/delete:", key=f"delete-{corpus.corpus_id}", on_click=_ask,
                      args=(corpus.corpus_id,))  # fmt: skip
            return
        st.markdown(f"Delete {corpus.n_chunks:,} chunks of **{ui.plain(corpus.name)}** and their vectors for good?")
        if st.button("Delete for good", type="primary", key=f"delete-sure-{corpus.corpus_id}"):
            with st.spinner("Deleting"):
                state.store().delete(corpus.name)
            st.session_state.pop(SURE, None)
            st.rerun()
        st.button("Keep it", key=f"delete-keep-{corpus.corpus_id}", on_click=_ask, args=(None,))


def _ask(corpus_id: int | None) -> None:
    st.session_state[SURE] = corpus_id
