"""The context on the Predict page: boxes or one text, examples, and where in a corpus it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from lvm_core.corpus.chunking import split_text
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import LvmError
from lvm_core.types import Chunk
from lvm_core.workspace import Workspace, read_json
from pages.shared import packed, state, ui

EXAMPLES = Path(__file__).resolve().parents[3] / "assets" / "examples.json"
BOXES = 5
MOST_BOXES = 20
MOST_CHUNKS = 100
MODES = ("Chunks", "One text")
MODE, COUNT, TEXT, ORIGIN, RUN, EXAMPLE = (
    "context_mode", "context_boxes", "context_text", "context_origin", "predict_now", "context_example",
)  # fmt: skip


@dataclass(slots=True)
class Origin:
    """Where a context was taken from, so that the true next chunk is known. `rows` is empty outside a corpus."""

    texts: list[str]
    article: str
    place: str
    target: str = ""
    corpus: str = ""
    rows: list[int] = field(default_factory=list)
    target_row: int | None = None
    split: str = ""


# ---------------------------------------------------------------- the texts


def box_key(i: int) -> str:
    """Return the session key of box `i`."""
    return f"context_box_{i}"


def keys() -> list[str]:
    """Return the session keys of the context's widgets."""
    return [MODE, TEXT, EXAMPLE, *(box_key(i) for i in range(MOST_BOXES))]


def restore() -> None:
    """Fill the boxes once a session: from the Corpus page, from the address, else leave them empty."""
    session = st.session_state
    if state.SENT_KEY in session:
        sent = session.pop(state.SENT_KEY)
        load(from_corpus(sent["corpus"], sent["rows"]))
        session[RUN] = True
    if COUNT in session:
        return
    session[COUNT] = BOXES
    found = packed.unpack(st.query_params["t"]) if "t" in st.query_params else None
    if isinstance(found, dict):
        try:
            _restore_draft(found)
        except (LvmError, TypeError, ValueError) as error:
            st.warning(ui.plain(f"The context in the address cannot be shown: {error}"))


def _restore_draft(found: dict[str, Any]) -> None:
    session = st.session_state
    place = found.get("from")
    if isinstance(place, list) and len(place) == 2:
        origin = from_corpus(str(place[0]), [int(row) for row in place[1]])
        load(origin)
    elif isinstance(found.get("example"), str) and found["example"] in examples():
        load(examples()[found["example"]])
    else:
        _fill([str(text) for text in found.get("chunks", [])][:MOST_BOXES])
        session[TEXT] = str(found.get("text", ""))
        session[MODE] = MODES[1] if session[TEXT] and not any(found.get("chunks", [])) else MODES[0]
    session[RUN] = bool(found.get("run"))


def _fill(texts: Sequence[str]) -> None:
    session = st.session_state
    session[COUNT] = max(BOXES, len(texts))
    for i in range(MOST_BOXES):
        session[box_key(i)] = texts[i] if i < len(texts) else ""


def load(origin: Origin) -> None:
    """Put the context of `origin` into the boxes, or into the one text where it is longer than the boxes."""
    session = st.session_state
    session[ORIGIN] = origin
    long = len(origin.texts) > MOST_BOXES
    session[MODE] = MODES[1] if long else MODES[0]
    session[TEXT] = "\n".join(origin.texts) if long else ""
    _fill([] if long else origin.texts)


def texts() -> list[str]:
    """Return the chunks as they stand on the page, oldest first; empty boxes are passed over."""
    session = st.session_state
    if session.get(MODE) == MODES[1]:
        origin = session.get(ORIGIN)
        text = session.get(TEXT, "")
        if origin is not None and text == "\n".join(origin.texts):
            return origin.texts
        return split_text(text)
    boxes = [session.get(box_key(i), "") for i in range(session.get(COUNT, BOXES))]
    return [" ".join(box.split()) for box in boxes if box.strip()]


def origin() -> Origin | None:
    """Return where the context comes from, as long as nobody has changed it."""
    known: Origin | None = st.session_state.get(ORIGIN)
    return known if known is not None and [" ".join(t.split()) for t in known.texts] == texts() else None


def remember(run: bool) -> None:
    """Write the context into the address; `run`: also that its prediction was asked for."""
    session = st.session_state
    known, now = origin(), texts()
    value: dict[str, Any] = {"run": run}
    if known is not None and known.rows:
        value["from"] = [known.corpus, known.rows]
    elif session.get(EXAMPLE) and known is not None:
        value["example"] = session[EXAMPLE]
    elif session.get(MODE) == MODES[1]:
        value["text"] = session.get(TEXT, "")
    else:
        value["chunks"] = now
    if now:
        st.query_params["t"] = packed.pack(value)
    elif "t" in st.query_params:
        del st.query_params["t"]


# ---------------------------------------------------------------- where they come from


@cache
def examples() -> dict[str, Origin]:
    """Return the examples that come with the studio, by name: real stretches of articles with their next chunk."""
    found = {}
    for entry in read_json(EXAMPLES)["examples"]:
        place = f"chunks {entry['position'] + 1} to {entry['position'] + len(entry['chunks'])}"
        found[entry["name"]] = Origin(
            entry["chunks"], entry["article"], place, entry["next"], corpus=state.FIRST_CORPUS, split=entry["split"]
        )
    return found


def from_corpus(corpus: str, rows: Sequence[int]) -> Origin:
    """Return the context of chunks `rows` of `corpus`, the chunk behind the last as target, at most MOST_CHUNKS."""
    kept = sorted({int(row) for row in rows})[-MOST_CHUNKS:]
    chunks = state.store().chunks(corpus, kept)
    target = _next_chunk(chunks[-1])
    first, last = chunks[0], chunks[-1]
    place = f"chunks {first.position + 1} to {last.position + 1}"
    article = last.article if first.document_id == last.document_id else f"{first.article} to {last.article}"
    return Origin(
        [" ".join(chunk.text.split()) for chunk in chunks],
        article,
        place,
        target.text if target else "",
        corpus,
        kept,
        target.row if target else None,
        split_of(corpus, last.document_id),
    )


def _next_chunk(last: Chunk) -> Chunk | None:
    found = state.store().document_chunks(last.document_id, last.position + 1, last.position + 2)
    return found[0] if found else None


def placed(example: Origin) -> Origin:
    """Return the example with its rows, where its article is in the workspace just as it was; else as it is."""
    if example.rows or example.corpus not in {corpus.name for corpus in state.corpora()}:
        return example
    hits = state.store().find_documents(example.corpus, example.article, limit=5)[0]
    for document in hits:
        if document.title == example.article:
            start = int(example.place.split()[1]) - 1
            chunks = state.store().document_chunks(document.document_id, start, start + len(example.texts) + 1)
            if [" ".join(chunk.text.split()) for chunk in chunks[:-1]] == example.texts:
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

    found = split_documents(CorpusStore(Workspace(key[0])).documents(key[1]))
    return {document.document_id: name for name, documents in found.items() for document in documents}
