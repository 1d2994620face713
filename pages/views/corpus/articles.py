"""The articles of a corpus: page through them, find them by words, find chunks by meaning or by their label."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lvm_core.types import Chunk, CorpusInfo
from lvm_core.vectors.matrix import encoded_with
from pages.shared import state, ui
from pages.shared.address import Address
from pages.views.corpus import labels

PAGE = 40
"""Articles listed at once."""

HITS = 30
"""Chunks shown for a search by meaning."""

MODES = ("Words", "Meaning", "Domain")
OFFSET, OPENED = "corpus_offset", "corpus_opened"
"""Session keys: the first article listed, and the one that is read."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. `words` are marked in the text; empty in a search by meaning."""

    text: str
    by_meaning: bool

    @property
    def words(self) -> str:
        return "" if self.by_meaning else self.text


@dataclass(frozen=True, slots=True)
class Opened:
    """The article that is read, and the chunk that led there (None: its beginning)."""

    corpus_id: int
    document_id: int
    position: int | None = None


def choose_corpus(at: Address, corpora: list[CorpusInfo]) -> CorpusInfo:
    """Show the choice of corpus with its figures and return it."""
    names = {corpus.name: corpus for corpus in corpora}
    left, right = st.columns([0.3, 0.7], gap="medium", vertical_alignment="bottom")
    with left:
        name = st.selectbox("Corpus", list(names), key=at.key("corpus", corpora[0].name, list(names)),
                            on_change=_forget, args=(at,))  # fmt: skip
    corpus = names[name]
    with right:
        ui.metric_row(_figures(corpus))
    return corpus


def _figures(corpus: CorpusInfo) -> list[ui.Number]:
    spaces = encoded_with(state.workspace(), corpus.name)
    ready = state.encoder_id() in spaces
    vectors = "ready" if ready else "of another" if spaces else "none yet"
    about = f"By the encoder in use: {state.encoder_name()}"
    if spaces and not ready:
        about = f"This corpus has vectors of {', '.join(spaces)}; the System page chooses the encoder in use"
    return [
        ui.Number("Articles", f"{corpus.n_documents:,}"),
        ui.Number(
            "Chunks", f"{corpus.n_chunks:,}", "", f"Cut by the {corpus.chunker} chunker; one line of the vectors each"
        ),
        ui.Number("Per article", f"{corpus.n_chunks / corpus.n_documents:,.0f}", "chunks", "Mean number of chunks"),
        ui.Number("Vectors", vectors, "", about),
        ui.Number("Digest", corpus.digest[:12], "", f"SHA-256 of titles and chunks in order: {corpus.digest}"),
    ]


def _forget(at: Address) -> None:
    for key in (OFFSET, OPENED):
        st.session_state.pop(key, None)
    at.put("search", "")
    at.put("article", "")


def opened(at: Address, corpus: CorpusInfo) -> Opened | None:
    """Return the article that is read, if it is one of `corpus`; one that the address names is opened."""
    title = at.value("article", "")
    article = st.session_state.get(OPENED)
    if isinstance(article, Opened) and article.corpus_id == corpus.corpus_id:
        return article
    same = [d for d in state.store().find_documents(corpus.name, title, limit=20)[0] if d.title == title]
    if not title or not same:
        return None
    open_article(at, corpus, same[0].document_id)
    return opened(at, corpus)


def open_article(at: Address, corpus: CorpusInfo, document_id: int, position: int | None = None) -> None:
    """Read this article from now on, at this chunk."""
    st.session_state[OPENED] = Opened(corpus.corpus_id, document_id, position)
    at.put("article", state.store().document(document_id).title)


def show(at: Address, corpus: CorpusInfo) -> Query:
    """Show search and list; return what is looked for."""
    text = st.text_input(
        "Search",
        key=at.key("search", ""),
        placeholder="Words of an article, or what it is about",
        on_change=_from_start,
    ).strip()
    mode = st.segmented_control(
        "Search by", MODES, required=True, key=at.key("by", MODES[0], MODES), label_visibility="collapsed",
        on_change=_from_start,
        help="Words: articles that hold all of them. Meaning: the chunks nearest to the text by the encoder. Domain:"
        " the chunks with a label, among them those that hold the words.",
    )  # fmt: skip
    query = Query(text, mode == MODES[1])
    if query.by_meaning:
        _meaning(at, corpus, query.text)
    elif mode == MODES[2]:
        _labelled(at, corpus, query.text)
    else:
        _listed(at, corpus, query.text)
    return query


def _from_start() -> None:
    st.session_state.pop(OFFSET, None)


def _listed(at: Address, corpus: CorpusInfo, words: str) -> None:
    offset = st.session_state.get(OFFSET, 0)
    documents, total = state.store().find_documents(corpus.name, words, offset, PAGE)
    if not total:
        st.caption(f"No article of this corpus holds all of: {ui.plain(words)}")
        return
    _pager(offset, total, "articles")
    ids = [document.document_id for document in documents]
    titles = {document.document_id: document.title for document in documents}
    captions = [
        f"{document.n_chunks:,} chunks" + (f" · coherence {document.coherence:.2f}" if document.coherence else "")
        for document in documents
    ]
    article = opened(at, corpus)
    if article is None:
        open_article(at, corpus, ids[0])
        article = opened(at, corpus)
    place = ids.index(article.document_id) if article and article.document_id in ids else None
    _list(f"articles-{corpus.corpus_id}-{offset}-{words}", ids, lambda i: ui.plain(titles[i]), captions, place,
          lambda i: open_article(at, corpus, i))  # fmt: skip


def _pager(offset: int, total: int, what: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{offset + 1:,}-{min(offset + PAGE, total):,} of {total:,} {what}", width="content")
        if total > PAGE:
            st.button("", icon=":material/chevron_left:", key="articles_back", disabled=offset == 0,
                      help=f"Previous {what}", on_click=_turn, args=(offset - PAGE,))  # fmt: skip
            st.button("", icon=":material/chevron_right:", key="articles_on", disabled=offset + PAGE >= total,
                      help=f"Next {what}", on_click=_turn, args=(offset + PAGE,))  # fmt: skip


def _turn(offset: int) -> None:
    st.session_state[OFFSET] = max(0, offset)


def _meaning(at: Address, corpus: CorpusInfo, text: str) -> None:
    if not any(info.name == corpus.name for info in state.encoded_corpora()):
        st.caption("Searching by meaning needs the vectors of this corpus. Encode it first:")
        ui.command(state.command_of_encoder("encode", corpus.name))
        if st.button("Encode now", key="encode_now"):
            state.jobs().submit(state.command_of_encoder("encode", corpus.name), f"Encode {corpus.name}")
            st.toast("Encoding has been queued; its progress is at the foot of the page.")
        return
    if not text:
        st.caption("Type a sentence or a question: the nearest chunks are listed here.")
        return
    hits = state.index(corpus.name).search(state.encoder().encode([text]), HITS)[0]
    chunks = state.store().chunks(corpus.name, [hit.row for hit in hits])
    by_row: dict[int, Chunk] = {chunk.row: chunk for chunk in chunks}
    captions = [
        f"{ui.plain(by_row[hit.row].article)} · chunk {by_row[hit.row].position + 1} · cosine {hit.cosine:.2f}"
        for hit in hits
    ]
    st.caption(f"The {len(hits)} nearest of {corpus.n_chunks:,} chunks")
    rows = [hit.row for hit in hits]
    _list(f"hits-{corpus.corpus_id}-{text}", rows, lambda row: ui.plain(by_row[row].text), captions, None,
          lambda row: open_article(at, corpus, by_row[row].document_id, by_row[row].position))  # fmt: skip


def _labelled(at: Address, corpus: CorpusInfo, words: str) -> None:
    domain = labels.choose(at, corpus)
    if domain is None:
        return
    place = st.session_state.get(OFFSET, 0)
    chunks, total = labels.found(corpus, domain, words, place, PAGE)
    if not chunks and place:
        st.session_state[OFFSET] = place = 0
        chunks, total = labels.found(corpus, domain, words, place, PAGE)
    if not total:
        st.caption(f"No chunk of this domain holds all of: {ui.plain(words)}")
        return
    _pager(place, total, "chunks")
    by_row = {chunk.row: chunk for chunk in chunks}
    captions = [f"{ui.plain(chunk.article)} · chunk {chunk.position + 1}" for chunk in chunks]
    _list(
        f"domain-{corpus.corpus_id}-{domain}-{place}-{words}",
        list(by_row),
        lambda row: ui.plain(by_row[row].text),
        captions,
        None,
        lambda row: open_article(at, corpus, by_row[row].document_id, by_row[row].position),
    )


def _list(
    key: str, values: list[int], name: Callable[[int], str], captions: list[str], place: int | None,
    chosen: Callable[[int], Any],
) -> None:  # fmt: skip
    def changed() -> None:
        value = st.session_state.get(key)
        if value is not None:
            chosen(value)

    with st.container(height=640, key="articles-list"):
        st.radio("Found", values, index=place, format_func=name, captions=captions, key=key,
                 label_visibility="collapsed", on_change=changed, width="stretch")  # fmt: skip
