"""System: what this studio runs on, where it keeps things, and what else it could use."""

import html
import os
import platform
import shutil

import streamlit as st

from lvm_core.device import describe_device, has_fast_bf16, pick_device
from lvm_core.vectors.index import about_index
from lvm_core.version import __version__
from pages.shared import first_start, state, ui
from pages.views.system import facts, service


def found_table(found: list[facts.Found]) -> None:
    """Show what is here and, for the rest, the exact command that brings it."""
    rows = []
    for thing in found:
        mark = ui.tag("here", "good") if thing.here else ui.tag("not here", "")
        get = "" if thing.here or not thing.get else f"<br><code>{html.escape(thing.get)}</code>"
        rows.append((f"<b>{html.escape(thing.name)}</b>", mark, html.escape(thing.about) + get))
    ui.table(("name", "state", "what it is, how to get it"), rows)


ui.page_title("System", "What this studio runs on, where it keeps things, and what else it could use")
here = state.workspace()

found = facts.versions()
numbers = [
    ui.Number("LVM Studio", __version__, "", "Version of the studio"),
    ui.Number("Python", platform.python_version()),
]
ui.metric_row(numbers + [ui.Number(name, version) for name, version in found.items()])

left, right = st.columns(2, gap="medium")
with left:
    st.header("Device")
    device = describe_device(pick_device())
    bf16 = "native bfloat16: encoding is 2 to 5 times as fast" if has_fast_bf16() else "no native bfloat16"
    st.markdown(ui.plain(f"{device}; {bf16}"))

    st.header("Encoders")
    encoders = facts.encoders()
    names = facts.encoder_choices(encoders)
    choices = [*(names or [state.encoder_name()]), *state.stored_spaces()]
    now = state.encoder_name()
    st.session_state[state.ENCODER_KEY] = st.selectbox(
        "Encoder in use", choices, index=choices.index(now) if now in choices else 0,
        help="The space of every page: corpora, models and decoders of other encoders are not mixed with it. With"
        " +tmd behind its name an encoder has 16 dimensions more, of the domain, task and modifier of each text.",
    )  # fmt: skip
    if names:
        st.caption(ui.plain(f"id {state.encoder_id()}: the model and a digest of its weights"))
    found_table(encoders)

    st.header("Decoders of this encoder")
    found_table(facts.decoders(here, state.encoder_id()))

with right:
    st.header("Workspace")
    st.code(str(here.root), language=None, wrap_lines=True)
    sizes = facts.sizes(str(here.root))
    existing = next(path for path in (here.root, *here.root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    figures = [ui.Number(name, *facts.readable(size).split()) for name, size in sizes.items()]
    ui.metric_row([*figures, ui.Number("disk free", *facts.readable(free).split(), "Free on the workspace's disk")])

    st.header("Who answers Predict")
    service.show()

    st.header("Corpora")
    corpora = state.corpora()
    encoded = {corpus.name for corpus in state.encoded_corpora()}
    rows = [
        (
            f"<b>{html.escape(c.name)}</b>",
            ui.tag("encoded", "good") if c.name in encoded else ui.tag("not encoded", ""),
            f"{c.n_documents:,} articles, {c.n_chunks:,} chunks; {html.escape(c.licence or 'licence not stated')}"
            + (f"<br>Index: {html.escape(about_index(here, c.name, state.encoder_id()))}" if c.name in encoded else ""),
        )
        for c in corpora
    ]
    if rows:
        ui.table(("name", "with this encoder", "what it holds"), rows)
    first_start.notice()

    st.header("Settings")
    settings = [
        (f"<code>{name}</code>", html.escape(value), html.escape(about))
        for name, value, about in facts.settings(os.environ)
    ]
    ui.table(("name", "value", "meaning"), settings)
    st.caption("Settings are environment variables, read when the studio starts. Keys and passwords are never shown.")

    st.header("Licences")
    licences = [(f"<b>{html.escape(w)}</b>", html.escape(n), html.escape(s)) for w, n, s in facts.licences()]
    ui.table(("what", "licence", "source"), licences)
