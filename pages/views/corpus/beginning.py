"""How a source begins, before it is read in: its first articles and their first chunks."""

import html
from dataclasses import replace
from pathlib import Path

import streamlit as st

from lvm_core import opened
from lvm_core.corpus.ingest import IngestSettings
from lvm_core.corpus.preview import Preview, preview
from lvm_core.wording import counted
from pages.shared import state, ui

ARTICLES, CHUNKS = 3, 3
SPLIT = "split_headings"


@st.cache_data(show_spinner="Reading the beginning…", max_entries=32)
def _preview(source: str, settings: IngestSettings, stamp: tuple[int, int]) -> Preview:  # noqa: ARG001 - part of the key
    encode = state.encoder().encode if settings.chunker == "semantic" else None
    return preview(source, ARTICLES, settings, encode)


def show(source: str, settings: IngestSettings) -> None:
    """Show the first articles with their first chunks; a data set of the hub only when asked for."""
    st.html('<p class="lvm-section">How it begins</p>')
    if source.startswith("hf:") and not st.button("Fetch the beginning", icon=":material/download:"):
        return
    stamp = opened.stamp(Path(source))
    plain = replace(settings, limit=None, sample=None, seed=0, replace=False)
    with ui.errors_shown():
        beginning = _preview(source, plain, stamp)
        articles = [_article(title, [chunk.text for chunk in chunks]) for title, chunks in beginning.articles]
        if articles:
            st.html("".join(articles))
        else:
            st.caption("No article of its beginning could be taken; lower the least number of chunks under More.")
        for reason, n in beginning.skipped.counts.items():
            st.caption(ui.plain(f"Passed over: {counted(n, reason)}"))
        if len(beginning.articles) == 1 and not settings.split_headings:
            _offer_to_split(source, plain, stamp)


def _article(title: str, texts: list[str]) -> str:
    rows = "".join(f"<li>{html.escape(text)}</li>" for text in texts[:CHUNKS])
    more = f'<div class="lvm-label">and {len(texts) - CHUNKS:,} more</div>' if len(texts) > CHUNKS else ""
    return f'<div><b>{html.escape(title)}</b><ol class="lvm-context-list">{rows}</ol>{more}</div>'


def _offer_to_split(source: str, settings: IngestSettings, stamp: tuple[int, int]) -> None:
    """Say so where the headings of a text would make several articles of it."""
    several = _preview(source, replace(settings, **{SPLIT: True}), stamp).articles
    if len(several) > 1:
        names = ", ".join(title for title, _ in several)
        st.warning(
            f"This text becomes one article. Its headings can split it: {ui.plain(names)}"
            " … Switch on *split at headings*.",
            icon=":material/format_h1:",
        )
