"""TMD labels of a corpus: how many chunks each domain has, the chunks of one, and mending a label by hand."""

import html

import plotly.graph_objects as go
import streamlit as st

from lvm_core.corpus.tmd.codes import DOMAIN_NAMES, MODIFIER_NAMES, TASK_NAMES, unpack
from lvm_core.dataset.labelling import correct, domain_counts, labelled_chunks
from lvm_core.types import Chunk, CorpusInfo, DocumentInfo
from pages.shared import charts, state, ui
from pages.shared.address import Address

TEASER = 160
"""Characters shown of the chunk whose label is mended."""

KINDS = {"domain": DOMAIN_NAMES, "task": TASK_NAMES, "modifier": MODIFIER_NAMES}


def said(name: str) -> str:
    """Return the name of a label as people write it."""
    return name.replace("_", " ")


def mark(chunk: Chunk) -> str:
    """Return a chunk's label as HTML, "" where it has none."""
    if chunk.tmd is None:
        return ""
    domain, task, modifier = (said(name) for name in unpack(chunk.tmd).names)
    return f' <small class="lvm-tmd">{html.escape(f"{domain} · {task} · {modifier}")}</small>'


def choose(at: Address, corpus: CorpusInfo) -> str | None:
    """Show the counts of all domains and the choice of one; return it, or offer to label the corpus."""
    counts = domain_counts(state.workspace(), corpus.name)
    if not counts:
        offer(corpus, "No chunk of this corpus has a label yet. Label all of them by the encoder in use:")
        return None
    names = list(counts)
    domain: str = st.selectbox(
        "Domain",
        names,
        key=at.key("domain", names[0], names),
        format_func=lambda n: f"{said(n)} ({counts[n]:,} chunks)",
    )
    with st.expander("Chunks of each domain"):
        alt = f"Number of chunks of {corpus.name} in each domain; most are in {said(names[0])}"
        charts.show(_bars(counts, domain), f"domains-{corpus.corpus_id}", alt, config={"displayModeBar": False})
    return domain


def offer(corpus: CorpusInfo, why: str) -> None:
    """Show the command that labels the corpus, and a button that queues it."""
    st.caption(why)
    ui.command(state.command_of_encoder("tmd", corpus.name))
    encoded = any(info.name == corpus.name for info in state.encoded_corpora())
    if st.button("Label now", key=f"label-{corpus.corpus_id}", disabled=not encoded,
                 help=None if encoded else "Labels are read off the vectors: encode the corpus first."):  # fmt: skip
        state.jobs().submit(state.command_of_encoder("tmd", corpus.name), f"Label {corpus.name}")
        st.toast("Labelling has been queued; its progress is at the foot of the page.")


def found(corpus: CorpusInfo, domain: str, words: str, offset: int, limit: int) -> tuple[list[Chunk], int]:
    """Return a page of the chunks of `domain` that hold all `words`, and how many there are."""
    return labelled_chunks(state.workspace(), corpus.name, domain, words, offset, limit)


def _bars(counts: dict[str, int], chosen: str) -> go.Figure:
    fig = go.Figure()
    colours = [charts.COLOURS["prediction" if name == chosen else "context"] for name in counts]
    fig.add_bar(
        x=list(counts.values()), y=[said(name) for name in counts], orientation="h", marker={"color": colours},
        hovertemplate="%{y}: %{x:,} chunks<extra></extra>",
    )  # fmt: skip
    charts.style(fig, 60 + 18 * len(counts), legend=False)
    fig.update_yaxes(autorange="reversed", showgrid=False)
    fig.update_xaxes(title="chunks", nticks=4)
    return fig


def popover(corpus: CorpusInfo, document: DocumentInfo, position: int) -> None:
    """Show the label of one chunk, the last of the run that is selected, and let it be mended."""
    (chunk,) = state.store().document_chunks(document.document_id, position, position + 1)
    now = unpack(chunk.tmd).names if chunk.tmd is not None else (None, None, None)
    with st.popover("Label", icon=":material/sell:", help=f"Domain, task and modifier of chunk {position + 1}"):
        text = chunk.text if len(chunk.text) <= TEASER else f"{chunk.text[:TEASER].rsplit(' ', 1)[0]} ..."
        st.caption(f"**Chunk {position + 1:,}**, the last of the run: {ui.plain(text)}")
        picked = [
            st.selectbox(
                kind.capitalize(), names, index=None if name is None else names.index(name), format_func=said,
                key=f"tmd-{kind}-{chunk.chunk_id}-{chunk.tmd}", placeholder=f"no {kind} yet",
            )
            for (kind, names), name in zip(KINDS.items(), now, strict=True)
        ]  # fmt: skip
        whole = all(picked) and tuple(picked) != now
        if st.button("Keep this label", key=f"tmd-keep-{chunk.chunk_id}", disabled=not whole):
            correct(state.workspace(), corpus.name, chunk.row, *(str(name) for name in picked))
            st.rerun()
