"""The context on the Predict page: boxes or one text, in the session and in the address, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import streamlit as st

from lvm_core.corpus.chunking import split_text
from lvm_core.errors import LvmError
from pages.shared import state, ui
from pages.shared.address import Address
from pages.views.predict.origin import MOST_CHUNKS, Origin, examples, from_corpus

BOXES = 5
MOST_BOXES = 20
MODES = ("Chunks", "One text")
MOST_UNDO = 20
MODE, COUNT, TEXT, ORIGIN, RUN, EXAMPLE, JOINED, UNDO = (
    "context_mode", "context_boxes", "context_text", "context_origin", "predict_now", "context_example",
    "context_joined", "context_undo",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """A context as it stood, to come back to. `joined` are the chunks that were carried into the one text."""

    chunks: tuple[str, ...]
    text: str
    mode: str
    origin: Origin | None
    example: str | None
    joined: tuple[str, ...]


# ---------------------------------------------------------------- the texts


def box_key(i: int) -> str:
    """Return the session key of box `i`."""
    return f"context_box_{i}"


def keys() -> list[str]:
    """Return the session keys of the context's widgets."""
    return [MODE, TEXT, EXAMPLE, *(box_key(i) for i in range(MOST_BOXES))]


def texts() -> list[str]:
    """Return the chunks as they stand on the page, oldest first; empty boxes are passed over."""
    session = st.session_state
    if session.get(MODE) == MODES[1]:
        text, joined = session.get(TEXT, ""), session.get(JOINED, ())
        return list(joined) if joined and text == "\n".join(joined) else split_text(text)
    return [" ".join(box.split()) for box in boxes() if box.strip()]


def boxes() -> list[str]:
    """Return what stands in each box, the empty ones too."""
    return [st.session_state.get(box_key(i), "") for i in range(st.session_state.get(COUNT, BOXES))]


def fill(chunks: Sequence[str]) -> None:
    """Put the chunks into boxes, or into the one text where there are more than boxes."""
    session = st.session_state
    long = len(chunks) > MOST_BOXES
    session[MODE] = MODES[1] if long else MODES[0]
    session[TEXT] = "\n".join(chunks) if long else ""
    session[JOINED] = tuple(chunks) if long else ()
    shown = [] if long else list(chunks)
    session[COUNT] = max(BOXES, len(shown))
    for i in range(MOST_BOXES):
        session[box_key(i)] = shown[i] if i < len(shown) else ""


def load(origin: Origin) -> None:
    """Put the context of `origin` into the page."""
    st.session_state[ORIGIN] = origin
    fill(origin.texts)


def append(chunk: str) -> None:
    """Put `chunk` behind the context; what was the true next chunk before is so no more."""
    save()
    fill([*texts(), chunk])


def switch(mode: str) -> None:
    """Show the same context as boxes or as one text; nothing that was typed is lost."""
    chunks = texts()
    if mode == MODES[1]:
        st.session_state[TEXT], st.session_state[JOINED] = "\n".join(chunks), tuple(chunks)
        st.session_state[MODE] = mode
    elif len(chunks) <= MOST_BOXES:
        fill(chunks)


def spread(box: int) -> None:
    """Give each line of a box a box of its own, where several were pasted into it."""
    before = boxes()
    lines = [" ".join(line.split()) for line in before[box].splitlines() if line.strip()]
    if len(lines) < 2:
        return
    fill([*before[:box], *lines, *(chunk for chunk in before[box + 1 :] if chunk.strip())])


# ---------------------------------------------------------------- the way back


def save() -> None:
    """Remember the context as it stands, so that it can be brought back."""
    session = st.session_state
    draft = Draft(
        tuple(boxes()), session.get(TEXT, ""), session.get(MODE) or MODES[0], session.get(ORIGIN),
        session.get(EXAMPLE), session.get(JOINED, ()),
    )  # fmt: skip
    if texts() and (not undoable() or session[UNDO][-1] != draft):
        session[UNDO] = [*session.get(UNDO, []), draft][-MOST_UNDO:]


def undoable() -> bool:
    """Return whether there is a context to go back to."""
    return bool(st.session_state.get(UNDO))


def undo() -> None:
    """Bring back the context that was there before it was cleared or replaced."""
    session = st.session_state
    draft: Draft = session[UNDO].pop()
    fill(draft.chunks)
    session[TEXT], session[MODE], session[JOINED] = draft.text, draft.mode, draft.joined
    session[ORIGIN], session[EXAMPLE] = draft.origin, draft.example


def clear() -> None:
    """Empty the page; `undo` brings back what stood there."""
    save()
    st.session_state[EXAMPLE] = None
    fill([])


# ---------------------------------------------------------------- what is asked for


def ask() -> None:
    """Ask for the prediction of the context: noted first thing, for a run of the page may be broken off half way."""
    st.session_state[RUN] = True


def asked() -> bool:
    """Return whether a prediction is asked for and not begun yet."""
    return bool(st.session_state.get(RUN))


def take_asked() -> bool:
    """Return whether a prediction is asked for; whoever is told so begins it."""
    return bool(st.session_state.pop(RUN, False))


# ---------------------------------------------------------------- where it comes from


def origin() -> Origin | None:
    """Return where the context comes from, as long as nobody has changed it."""
    source: Origin | None = st.session_state.get(ORIGIN)
    return source if source is not None and [" ".join(t.split()) for t in source.texts] == texts() else None


def restore(at: Address) -> None:
    """Fill the boxes once a session: from the Corpus page, from the address, else leave them empty."""
    session = st.session_state
    if state.SENT_KEY in session:
        sent = session.pop(state.SENT_KEY)
        save()
        load(from_corpus(sent["corpus"], sent["rows"]))
        session[RUN] = True
    draft = at.value("t", {})
    if COUNT in session:
        return
    session[COUNT] = BOXES
    try:
        _restore_draft(draft)
    except (LvmError, TypeError, ValueError) as error:
        st.warning(ui.plain(f"The context in the address cannot be shown: {error}"))


Linked = TypedDict(
    "Linked",
    {"run": bool, "from": list[str | list[int]], "example": str, "text": str, "chunks": list[str]},
    total=False,
)
"""The context as the address holds it: rows of a corpus, an example, a text, or chunks; and whether a prediction was
asked for."""


def _restore_draft(draft: Linked) -> None:
    session = st.session_state
    place = draft.get("from")
    if isinstance(place, list) and len(place) == 2:
        load(from_corpus(str(place[0]), [int(row) for row in place[1]]))
    elif isinstance(draft.get("example"), str) and draft["example"] in examples():
        load(examples()[draft["example"]])
    else:
        fill([str(text) for text in draft.get("chunks", [])][:MOST_CHUNKS])
        if draft.get("text") and not any(draft.get("chunks", [])):
            session[TEXT], session[MODE] = str(draft["text"]), MODES[1]
    session[RUN] = bool(draft.get("run"))


def remember(at: Address, run: bool) -> None:
    """Put the context into the address; `run`: also that its prediction was asked for."""
    session = st.session_state
    source, chunks = origin(), texts()
    draft: Linked = {"run": run}
    if source is not None and source.rows:
        draft["from"] = [source.corpus, list(source.rows)]
    elif session.get(EXAMPLE) and source is not None:
        draft["example"] = session[EXAMPLE]
    elif session.get(MODE) == MODES[1] and not session.get(JOINED):
        draft["text"] = session.get(TEXT, "")
    else:
        draft["chunks"] = chunks
    st.session_state[at.key("t", {})] = draft if chunks else {}
