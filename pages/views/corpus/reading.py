"""One article as a sequence of chunks, coherence along it, and a run of chunks for Predict."""

import html
import re
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lvm_core.types import Chunk, CorpusInfo, DocumentInfo
from pages.shared import charts, state, ui
from pages.shared.address import Address
from pages.views.corpus import articles, labels
from pages.views.predict.origin import MOST_CHUNKS

SLICE = 80
"""Chunks of an article shown at once."""

LEAD = 3
"""Chunks shown before the selected ones."""

CONTEXT = 5
SMOOTHING = 9
_ENDING = re.compile(r"(?<=\w{3})(?:ings?|ed|es|s|ly)$", re.I)
SHOWN, READ = "corpus_shown_from", "corpus_read"
"""Session keys: the first chunk shown, and the article and words that the selection was last made for."""


def show(at: Address, corpus: CorpusInfo, query: articles.Query) -> None:
    """Show the article that is open."""
    opened = articles.opened(at, corpus)
    if opened is None:
        st.caption("Choose an article on the left.")
        return
    document = state.store().document(opened.document_id)
    outline = state.store().outline(document.document_id)
    matches = state.store().find_in_document(document.document_id, query.words)
    if st.session_state.get(READ) != (opened, query.words):
        linked = at.says("from") or at.says("to")
        st.session_state[READ] = (opened, query.words)
        if linked:
            first, last = _run(at, document)
            _select(at, document, first, last)
        else:
            _start(at, document, opened.position if opened.position is not None else matches[0] if matches else None)
    _head(corpus, document, outline)
    _coherence(at, document)
    first, last = _selection(at, corpus, document)
    _jumps(at, document, outline, matches)
    start = st.session_state[SHOWN]
    chunks = state.store().document_chunks(document.document_id, start, start + SLICE)
    st.html(_text(chunks, first, last, query.words))
    _turner(document, "below")


def _run(at: Address, document: DocumentInfo) -> tuple[int, int]:
    """Return the positions of the first and the last chunk selected."""
    return at.value("from", 1) - 1, at.value("to", _usual(document)) - 1


def _usual(document: DocumentInfo) -> int:
    """Return how many chunks are selected at first: a context, and a true next chunk behind it."""
    return min(CONTEXT, max(1, document.n_chunks - 1))


def _start(at: Address, document: DocumentInfo, position: int | None) -> None:
    """Select the chunks up to `position`, or the first ones."""
    last = _usual(document) - 1 if position is None else position
    _select(at, document, max(0, last - CONTEXT + 1), last)


def _select(at: Address, document: DocumentInfo, first: int, last: int) -> None:
    """Select a run of chunks and show it, with a little of what comes before."""
    first, last = sorted((min(max(0, first), document.n_chunks - 1), min(max(0, last), document.n_chunks - 1)))
    at.put("from", first + 1)
    at.put("to", last + 1)
    st.session_state[SHOWN] = max(0, first - LEAD)


# ---------------------------------------------------------------- head and plot


def _head(corpus: CorpusInfo, document: DocumentInfo, outline: Sequence[tuple[int, str]]) -> None:
    st.header(ui.plain(document.title), anchor=False)
    mean = "" if document.coherence is None else f"{document.coherence:.3f}"
    ui.metric_row([
        ui.Number("Chunks", f"{document.n_chunks:,}"),
        ui.Number("Sections", f"{len(outline):,}"),
        ui.Number("Coherence", mean or "not yet", "cosine" if mean else "",
                  "Mean cosine of each chunk to the one before it; known once the corpus is encoded"),
        ui.Number("Rows", f"{document.first_row:,}-{document.first_row + document.n_chunks - 1:,}", "",
                  f"Lines of the vector matrix of '{corpus.name}'"),
    ])  # fmt: skip


def _coherence(at: Address, document: DocumentInfo) -> None:
    values = state.store().coherence(document.document_id)
    if np.isnan(values).all():
        return
    key = f"coherence-{document.document_id}"

    def chosen() -> None:
        boxes = st.session_state[key].selection.box
        if boxes:
            low, high = sorted(boxes[0]["x"])
            _select(at, document, int(np.ceil(low)) - 1, int(np.floor(high)) - 1)

    alt = f"Cosine of each chunk of {document.title} to the chunk before it"
    charts.show(
        _plot(values, *_run(at, document)),
        key,
        alt,
        on_select=chosen,
        selection_mode="box",
        config={"displayModeBar": False},
    )


def _plot(values: np.ndarray, first: int, last: int) -> go.Figure:
    places = np.arange(1, len(values) + 1)
    fig = go.Figure()
    fig.add_vrect(
        x0=first + 0.5, x1=last + 1.5, line_width=0,
        fillcolor=charts.COLOURS["context"], opacity=0.35,
    )  # fmt: skip
    fig.add_scatter(
        x=places, y=values, mode="markers", marker={"size": 3, "color": charts.COLOURS["context"]},
        hovertemplate="chunk %{x}: cosine %{y:.2f} to the one before<extra></extra>",
    )  # fmt: skip
    fig.add_scatter(x=places, y=_smooth(values), mode="lines", hoverinfo="skip",
                    line={"width": 1.5, "color": charts.ink()})  # fmt: skip
    charts.style(fig, 120, legend=False)
    fig.update_layout(dragmode="select", margin={"l": 8, "r": 8, "t": 4, "b": 4})
    fig.update_xaxes(range=[0.5, len(values) + 0.5], title="chunk; drag to select a run", showgrid=False)
    fig.update_yaxes(title="coherence", nticks=4)
    return fig


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return the mean over SMOOTHING neighbours, those that are unknown left out."""
    is_known = ~np.isnan(values)
    weights = np.ones(SMOOTHING)
    total = np.convolve(np.where(is_known, values, 0), weights, "same")[: len(values)]
    return total / np.maximum(np.convolve(is_known, weights, "same")[: len(values)], 1)


# ---------------------------------------------------------------- selection and jumps


def _selection(at: Address, corpus: CorpusInfo, document: DocumentInfo) -> tuple[int, int]:
    """Show the run of chunks that is selected; return its first and last position."""
    n = document.n_chunks
    with st.container(horizontal=True, vertical_alignment="bottom", key="corpus-selection"):
        first = st.number_input("From chunk", 1, n, key=at.key("from", 1, low=1, high=n), width=130) - 1
        last = st.number_input("to chunk", 1, n, key=at.key("to", _usual(document), low=1, high=n), width=130) - 1
        run = range(first, last + 1)
        problem = _problem(run)
        if st.button("Send to Predict", type="primary", icon=":material/arrow_forward:", disabled=bool(problem)):
            state.send_to_predict(corpus.name, [document.first_row + position for position in run])
        labels.popover(corpus, document, last)
        st.caption(problem or _meant(run, n))
    return first, last


def _meant(run: range, n: int) -> str:
    context = f"{len(run)} chunks as context" if len(run) > 1 else "One chunk as context"
    after = f"the true next one is chunk {run[-1] + 2:,}" if run[-1] + 1 < n else "the article ends there"
    return f"{context}; {after}."


def _problem(run: range) -> str:
    if not run:
        return "The first chunk comes after the last one."
    return f"At most {MOST_CHUNKS} chunks can be sent; {len(run)} are selected." if len(run) > MOST_CHUNKS else ""


def _jumps(at: Address, document: DocumentInfo, outline: Sequence[tuple[int, str]], matches: Sequence[int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="corpus-jumps"):
        if len(outline) > 1:
            key = f"section-{document.document_id}"
            names = {position: title or "Beginning" for position, title in outline}

            def jump() -> None:
                if st.session_state[key] is not None:
                    _start(at, document, min(st.session_state[key] + CONTEXT - 1, document.n_chunks - 1))

            st.selectbox(
                "Section", list(names), index=None, format_func=lambda i: names[i], key=key, on_change=jump,
                placeholder=f"Go to one of {len(names)} sections", label_visibility="collapsed", width=320,
            )  # fmt: skip
        if matches:
            now = _run(at, document)[1]
            after = next((position for position in matches if position > now), matches[0])
            place = sum(position <= now for position in matches)
            st.button(f"Next match ({place} of {len(matches)})", key="next_match", icon=":material/search:",
                      on_click=_start, args=(at, document, after))  # fmt: skip
        _turner(document, "above")


def _turner(document: DocumentInfo, where: str) -> None:
    n, start = document.n_chunks, st.session_state[SHOWN]
    if n <= SLICE:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"corpus-turner-{where}"):
        st.button("", icon=":material/chevron_left:", key=f"chunks_back_{where}", disabled=start == 0,
                  help="Earlier chunks", on_click=_show_from, args=(start - SLICE,))  # fmt: skip
        st.caption(f"chunks {start + 1:,}-{min(start + SLICE, n):,} of {n:,}", width="content")
        st.button("", icon=":material/chevron_right:", key=f"chunks_on_{where}", disabled=start + SLICE >= n,
                  help="Later chunks", on_click=_show_from, args=(start + SLICE,))  # fmt: skip


def _show_from(start: int) -> None:
    st.session_state[SHOWN] = max(0, start)


# ---------------------------------------------------------------- text


def _text(chunks: Sequence[Chunk], first: int, last: int, words: str) -> str:
    parts, section = [], None
    for chunk in chunks:
        if chunk.section != section and chunk.section:
            *above, title = chunk.section.split(" / ")
            path = f"<span>{html.escape(' / '.join(above))} / </span>" if above else ""
            parts.append(f"<h3>{path}{html.escape(title)}</h3>")
        section = chunk.section
        parts.append(_chunk(chunk, first, last, words))
    return f'<div class="lvm-read">{"".join(parts)}</div>'


def _chunk(chunk: Chunk, first: int, last: int, words: str) -> str:
    tone = " lvm-chosen" if first <= chunk.position <= last else " lvm-next" if chunk.position == last + 1 else ""
    share = max(0.0, chunk.coherence or 0.0)
    cosine = "no cosine known" if chunk.coherence is None else f"cosine {chunk.coherence:.2f} to the chunk before"
    mark = "" if chunk.coherence is None else f'<u style="width:{share:.0%}"></u>'
    bar = f'<i title="{cosine}">{mark}</i>'
    number = f'<b title="row {chunk.row:,} of the corpus, {cosine}">{chunk.position + 1}</b>'
    return f'<div class="lvm-chunk{tone}">{number}{bar}<p>{_marked(chunk.text, words)}{labels.mark(chunk)}</p></div>'


def _marked(text: str, words: str) -> str:
    """Return the text as HTML, the words looked for marked in any of their forms, as the search finds them."""
    stems = [re.escape(html.escape(_ENDING.sub("", token))) for token in re.findall(r"\w+", words)]
    escaped = html.escape(text, quote=False)
    return re.sub(rf"\b(?:{'|'.join(stems)})\w*", r"<mark>\g<0></mark>", escaped, flags=re.I) if stems else escaped
