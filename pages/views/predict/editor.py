"""The widgets of the context: examples in one click, boxes or one text, and where it was taken from."""

import html

import streamlit as st

from pages.shared import ui
from pages.views.predict import context
from pages.views.predict.context import (
    BOXES,
    COUNT,
    EXAMPLE,
    MODE,
    MODES,
    MOST_BOXES,
    MOST_CHUNKS,
    RUN,
    TEXT,
    Origin,
    box_key,
)

SPLIT_HELP = {
    "train": "The shipped models were trained on this article: its figures flatter them.",
    "validation": "The shipped models were chosen on this article, not trained on it.",
    "test": "No shipped model has seen this article.",
}
SPLIT_NAMES = {"train": "training", "validation": "validation", "test": "test"}


def show() -> None:
    """Show the context and let it be changed."""
    st.pills(
        "Examples",
        list(context.examples()),
        key=EXAMPLE,
        format_func=lambda name: f"{name} · {SPLIT_NAMES[context.examples()[name].split]}",
        on_change=_load_example,
        wrap=True,
        help="Real stretches of Wikipedia articles whose next chunk is known. Test: no shipped model has seen the"
        " article. Validation: models were chosen on it. Training: models were trained on it.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="context-head"):
        st.segmented_control(
            "Context", MODES, key=MODE, required=True, default=None if MODE in st.session_state else MODES[0],
                help="Chunks as they are, oldest first, or one text that is split into sentences for you.",
        )  # fmt: skip
        if st.session_state.get(MODE) != MODES[1]:
            _box_buttons()
    if st.session_state.get(MODE) == MODES[1]:
        _one_text()
    else:
        _boxes()
    known = context.origin()
    if known is not None:
        st.html(origin_html(known))


def _load_example() -> None:
    name = st.session_state.get(EXAMPLE)
    if name:
        context.load(context.placed(context.examples()[name]))
        st.session_state[RUN] = True


def _box_buttons() -> None:
    count = st.session_state[COUNT]
    st.button(
        "Add a chunk", type="tertiary", icon=":material/add:", on_click=_resize, args=(1,), disabled=count >= MOST_BOXES
    )
    st.button(
        "Remove the last", type="tertiary", icon=":material/remove:", on_click=_resize, args=(-1,), disabled=count <= 1
    )
    st.button("Clear", type="tertiary", icon=":material/close:", on_click=_clear)


def _resize(by: int) -> None:
    count = min(MOST_BOXES, max(1, st.session_state[COUNT] + by))
    if by < 0:
        st.session_state[box_key(count)] = ""
    st.session_state[COUNT] = count


def _clear() -> None:
    st.session_state[EXAMPLE] = None
    st.session_state[COUNT] = BOXES
    st.session_state[TEXT] = ""
    for i in range(MOST_BOXES):
        st.session_state[box_key(i)] = ""


def _boxes() -> None:
    count = st.session_state[COUNT]
    with st.container(key="context-boxes", gap="xsmall"):
        for i in range(count):
            st.text_area(
                f"Chunk {i + 1}", key=box_key(i), height="content", label_visibility="collapsed",
                placeholder=f"{i + 1}" + (" · the chunk just before the one to predict" if i == count - 1 else ""),
            )  # fmt: skip


def _one_text() -> None:
    st.text_area(
        "Text", key=TEXT, height=220, label_visibility="collapsed",
        placeholder="Paste a passage; it is split into sentences, and the models say what comes next",
    )  # fmt: skip
    found = context.texts()
    if not found:
        return
    kept = found[-MOST_CHUNKS:]
    note = f"{len(found)} chunks" + (f"; the last {MOST_CHUNKS} are used" if len(found) > MOST_CHUNKS else "")
    items = "".join(f"<li>{html.escape(text)}</li>" for text in kept)
    st.html(
        f'<details class="lvm-fold" {"open" if len(kept) <= 8 else ""}><summary>{note}</summary>'
        f'<div class="lvm-scroll"><ol class="lvm-context-list" start="{len(found) - len(kept) + 1}">{items}</ol></div>'
        "</details>"
    )


def origin_html(known: Origin) -> str:
    """Return where the context comes from, and whether the models may have seen it, as HTML."""
    split = ""
    if known.split:
        tone = "good" if known.split == "test" else "neighbours"
        split = ui.tag(f"{SPLIT_NAMES[known.split]} article", tone, SPLIT_HELP[known.split])
    corpus = f", {html.escape(known.corpus)}" if known.corpus else ""
    place = f"<b>{html.escape(known.article)}</b>, {html.escape(known.place)}{corpus}"
    return f'<div class="lvm-origin"><span>From {place}</span>{split}</div>'
