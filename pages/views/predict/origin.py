"""Where a context comes from: the examples, a place in a corpus, and with it the true next chunk."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from lvm_core.corpus.store import CorpusStore
from lvm_core.types import Chunk
from lvm_core.workspace import Workspace, read_json
from pages.shared import state

EXAMPLES = Path(__file__).resolve().parents[3] / "assets" / "examples.json"
MOST_CHUNKS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A run of chunks, the first at `position` (from 0) of `article`; `last_article` where it reaches into another."""

    article: str
    position: int
    n_chunks: int
    last_article: str = ""

    def __str__(self) -> str:
        """Return the chunks as people count them."""
        return f"chunks {self.position + 1} to {self.position + self.n_chunks}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a context was taken from, so that the true next chunk is known. `rows` is empty outside a corpus."""

    texts: tuple[str, ...]
    place: Place
    target: str = ""
    corpus: str = ""
    rows: tuple[int, ...] = ()
    target_row: int | None = None
    split: str = ""


@cache
def examples() -> dict[str, Origin]:
    """Return the examples that come with the studio, by name: real stretches of articles with their next chunk."""
    return {
        entry["name"]: Origin(
            tuple(entry["chunks"]),
            Place(entry["article"], entry["position"], len(entry["chunks"])),
            entry["next"],
            corpus=state.FIRST_CORPUS,
            split=entry["split"],
        )
        for entry in read_json(EXAMPLES)["examples"]
    }


def from_corpus(corpus: str, rows: Sequence[int]) -> Origin:
    """Return the context of chunks `rows` of `corpus`, the chunk behind the last as target, at most MOST_CHUNKS."""
    last_rows = sorted({int(row) for row in rows})[-MOST_CHUNKS:]
    chunks = state.store().chunks(corpus, last_rows)
    target = _next_chunk(chunks[-1])
    first, last = chunks[0], chunks[-1]
    further = last.article if first.document_id != last.document_id else ""
    return Origin(
        tuple(" ".join(chunk.text.split()) for chunk in chunks),
        Place(first.article, first.position, len(chunks), further),
        target.text if target else "",
        corpus,
        tuple(last_rows),
        target.row if target else None,
        split_of(corpus, last.document_id),
    )


def _next_chunk(last: Chunk) -> Chunk | None:
    chunks = state.store().document_chunks(last.document_id, last.position + 1, last.position + 2)
    return chunks[0] if chunks else None


def placed(example: Origin) -> Origin:
    """Return the example with its rows, where its article is in the workspace just as it was; else as it is."""
    if example.rows or example.corpus not in {corpus.name for corpus in state.corpora()}:
        return example
    for document in state.store().find_documents(example.corpus, example.place.article, limit=5)[0]:
        if document.title == example.place.article:
            start = example.place.position
            chunks = state.store().document_chunks(document.document_id, start, start + len(example.texts) + 1)
            if tuple(" ".join(chunk.text.split()) for chunk in chunks[:-1]) == example.texts:
                return from_corpus(example.corpus, [chunk.row for chunk in chunks[:-1]])
    return example


def split_of(corpus: str, document_id: int) -> str:
    """Return which split (train, validation, test) an article of `corpus` falls into."""
    key = (str(state.workspace().root), corpus, state.store().corpus(corpus).digest)
    return _splits(key).get(document_id, "")


@st.cache_data(show_spinner=False, max_entries=8)
def _splits(key: tuple[str, str, str]) -> dict[int, str]:
    """Return the split of each article; the key names workspace, corpus and digest."""
    from lvm_core.dataset import split_documents

    splits = split_documents(CorpusStore(Workspace(key[0])).documents(key[1]))
    return {document.document_id: name for name, documents in splits.items() for document in documents}
