"""The widgets of the context: examples in one click, boxes or one text, and where it was taken from."""

import html

import streamlit as st

from lvm_core.predict.language import unknown_note
from pages.shared import asked, ui
from pages.views.predict import context
from pages.views.predict.context import COUNT, EXAMPLE, MODE, MODES, MOST_BOXES, RUN, TEXT, box_key
from pages.views.predict.origin import MOST_CHUNKS, Origin, examples, placed

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
        list(examples()),
        key=EXAMPLE,
        format_func=lambda name: f"{name} · {SPLIT_NAMES[examples()[name].split]}",
        on_change=_load_example,
        wrap=True,
        help="Real stretches of Wikipedia articles whose next chunk is known. Test: no shipped model has seen the"
        " article. Validation: models were chosen on it. Training: models were trained on it.",
    )
    session = st.session_state
    with st.container(horizontal=True, vertical_alignment="bottom", key="context-head"):
        mode = session.get(MODE) or MODES[0]
        st.segmented_control(
            "Context", MODES, default=mode, key=f"{MODE}-{mode}", required=True, on_change=_switch, args=(mode,),
            help="Chunks as they are, oldest first, or one text that is split into sentences for you. What you typed"
            " comes along.",
        )  # fmt: skip
        _buttons(mode)
    if mode == MODES[1]:
        _one_text()
    else:
        _boxes()
    source = context.origin()
    if source is not None:
        st.html(origin_html(source))
    if note := unknown_note(context.texts(), asked.encoder_id()):
        st.html(f'<div class="lvm-warn" role="status">{html.escape(note)}</div>')


def _load_example() -> None:
    name = st.session_state.get(EXAMPLE)
    if name:
        load_example(name)


def load_example(name: str) -> None:
    """Put an example into the page and predict what follows."""
    context.save()
    context.load(placed(examples()[name]))
    st.session_state[EXAMPLE], st.session_state[RUN] = name, True


def _switch(mode: str) -> None:
    context.switch(MODES[1] if mode == MODES[0] else MODES[0])


def _buttons(mode: str) -> None:
    count = st.session_state[COUNT]
    if mode == MODES[0]:
        st.button(
            "Add a chunk", type="tertiary", icon=":material/add:", on_click=_resize, args=(1,),
            disabled=count >= MOST_BOXES,
        )  # fmt: skip
        st.button(
            "Remove the last", type="tertiary", icon=":material/remove:", on_click=_resize, args=(-1,),
            disabled=count <= 1,
        )  # fmt: skip
    st.button("Clear", type="tertiary", icon=":material/close:", on_click=context.clear)
    if context.undoable():
        st.button(
            "Undo", type="tertiary", icon=":material/undo:", on_click=context.undo,
            help="Bring back the context that was cleared or replaced.",
        )  # fmt: skip


def _resize(by: int) -> None:
    count = min(MOST_BOXES, max(1, st.session_state[COUNT] + by))
    if by < 0:
        context.save()
        st.session_state[box_key(count)] = ""
    st.session_state[COUNT] = count


def _boxes() -> None:
    count = st.session_state[COUNT]
    with st.container(key="context-boxes", gap="xsmall"):
        for i in range(count):
            st.text_area(
                f"Chunk {i + 1}", key=box_key(i), height="content", on_change=context.spread, args=(i,),
                placeholder="the chunk just before the one to predict" if i == count - 1 else "",
            )  # fmt: skip


def _one_text() -> None:
    st.text_area(
        "Text", key=TEXT, height=220, label_visibility="collapsed",
        placeholder="Paste a passage; it is split into sentences, and the models say what comes next",
    )  # fmt: skip
    chunks = context.texts()
    if not chunks:
        return
    last = chunks[-MOST_CHUNKS:]
    note = f"{len(chunks)} chunks" + (f"; the last {MOST_CHUNKS} are used" if len(chunks) > MOST_CHUNKS else "")
    items = "".join(f"<li>{html.escape(text)}</li>" for text in last)
    st.html(
        f'<details class="lvm-fold" {"open" if len(last) <= 8 else ""}><summary>{note}</summary>'
        f'<div class="lvm-scroll"><ol class="lvm-context-list" start="{len(chunks) - len(last) + 1}">{items}</ol></div>'
        "</details>"
    )


def origin_html(source: Origin) -> str:
    """Return where the context comes from, and whether the models may have seen it, as HTML."""
    split = ""
    if source.split:
        tone = "good" if source.split == "test" else "neighbours"
        split = ui.tag(f"{SPLIT_NAMES[source.split]} article", tone, SPLIT_HELP[source.split])
    corpus = f", {html.escape(source.corpus)}" if source.corpus else ""
    article = source.place.article + (f" to {source.place.last_article}" if source.place.last_article else "")
    place = f"<b>{html.escape(article)}</b>, {html.escape(str(source.place))}{corpus}"
    return f'<div class="lvm-origin"><span>From {place}</span>{split}</div>'
