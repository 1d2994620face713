"""Echo: predict, decode, encode again. How far does the text come from the vector it is to say, raw and snapped?"""

import html

import numpy as np
import streamlit as st

from lvm_core.checkpoint import load_model
from lvm_core.decode.decoders import available_decoders, load_decoder
from lvm_core.decode.snap import snap
from lvm_core.types import Decoded, Vectors
from pages.shared import state, ui
from pages.shared.drift_form import Asked

ECHO = "drift_echo"


def show(asked: Asked) -> None:
    """Show the text of each model's prediction from this place, raw and snapped, and how well it echoes its vector."""
    space = state.encoder_id()
    there = available_decoders(state.workspace(), space)
    if not there:
        ui.empty_state("No decoder", "Train one with `train-inverter`, or encode a corpus for the nearest real chunk.")
        return
    left, middle, right = st.columns([1.4, 1.4, 1], vertical_alignment="bottom")
    name = left.selectbox("Decoder", there, key="echo_decoder")
    steps = middle.slider("Decoder steps", 0, 5, 1, key="echo_steps", help="Corrections after the first hypothesis.")
    pressed = right.button("Decode", type="primary", icon=":material/hearing:", width="stretch")
    key = (asked, name, steps)
    if pressed:
        with st.spinner("Decoding the vectors…", show_time=True):
            st.session_state[ECHO] = (key, _echo(asked, name, steps))
    found = st.session_state.get(ECHO)
    if found is None or found[0] != key:
        st.caption("Press Decode: each prediction is said by the decoder, and its text is encoded again.")
        return
    st.html(_table(found[1]))
    st.caption("The echo is the cosine of the text's own vector to the vector that it was to say; 1 is a perfect echo.")


def _echo(asked: Asked, name: str, steps: int) -> list[tuple[str, str, Decoded]]:
    matrix = state.matrix(asked.corpus)
    own = np.arange(asked.document.first_row, asked.document.first_row + asked.document.n_chunks)
    names: list[tuple[str, str]] = [("true next chunk", "target")]
    vectors: list[Vectors] = [matrix.rows([asked.row])[0]]
    for ref in asked.models:
        loaded = load_model(state.workspace(), ref, matrix.encoder_id, matrix.dim)
        length = min(asked.position, max(loaded.info.context, asked.context))
        context = matrix.rows(np.arange(asked.row - length, asked.row))
        raw = _predict(loaded.model, context)
        names += [(ref, "raw"), (ref, "snapped")]
        vectors += [raw, snap(raw, context, state.index(asked.corpus), matrix.rows, own, asked.snap).vector]
    decoder = load_decoder(state.workspace(), name, state.encoder(), asked.corpus)
    said = decoder.decode(np.stack(vectors), steps)
    return [(ref, kind, text) for (ref, kind), text in zip(names, said, strict=True)]


def _predict(model: object, context: Vectors) -> Vectors:
    import torch

    said: Vectors = model.predict_next(torch.from_numpy(context)[None])[0].float().numpy()  # type: ignore[attr-defined]
    return said


def _table(rows: list[tuple[str, str, Decoded]]) -> str:
    colours = {"target": "target", "raw": "prediction", "snapped": "snapped"}
    lines = "".join(
        f'<tr><td class="lvm-{colours[kind]}">{html.escape(ref)}{"" if kind == "target" else ", " + kind}</td>'
        f'<td>{text.round_trip_cosine:.3f}</td><td class="lvm-flow">{html.escape(text.text)}</td></tr>'
        for ref, kind, text in rows
    )
    head = "<tr><th>vector of</th><th>echo, cosine</th><th>what the decoder says</th></tr>"
    return f'<div class="lvm-wide"><table class="lvm-rows">{head}{lines}</table></div>'
