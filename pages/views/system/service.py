"""The service that answers Predict in place of this machine: its address, its key, and what it says of itself."""

import streamlit as st

from pages.shared import asked, ui

FIELDS = {asked.ADDRESS: "service-address", asked.KEY: "service-key"}
"""What a session remembers, and the field that it is typed into."""


def show() -> None:
    """Show the two fields, and what can be asked there."""
    st.text_input(
        "Address of a service", value=asked.address(), key=FIELDS[asked.ADDRESS], on_change=_take,
        placeholder="http://192.168.0.5:9000; empty: this machine answers",
        help="A studio that `python -m lvm_core serve` serves. Predict then asks it: models, encoder, decoder and"
        " corpora are those of that machine; all other pages stay on this one.",
    )  # fmt: skip
    st.text_input(
        "Key of the service", type="password", key=FIELDS[asked.KEY], on_change=_take,
        help="Where the service wants an API key. It is kept for this session only; LVM_SERVICE_KEY outlives it.",
    )  # fmt: skip
    st.caption("Other programs and machines can ask this one once it serves: `python -m lvm_core serve`")
    with ui.errors_shown():
        space = asked.space()
        corpora = ", ".join(info.name for info in space.corpora) or "none"
        st.caption(
            ui.plain(
                f"Predict is answered by {asked.studio().place}: encoder {space.encoder}, {len(space.models)} models,"
                f" decoders {', '.join(space.decoders) or 'none'}, corpora {corpora}."
            )
        )


def _take() -> None:
    st.session_state[asked.ADDRESS] = st.session_state.get(FIELDS[asked.ADDRESS], "").strip()
    if key := st.session_state.get(FIELDS[asked.KEY], "").strip():
        st.session_state[asked.KEY] = key
