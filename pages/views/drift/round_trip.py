"""Round trip: predict, decode, encode again. How near is the text to the vector that it says, raw and snapped?"""

import csv
import html
import io

import numpy as np
import streamlit as st

from lvm_core import forecast, opened
from lvm_core.decode.decoders import available_decoders
from lvm_core.snap import snap
from lvm_core.types import Decoded, Vectors
from pages.shared import decoding, saving, state, ui
from pages.shared.address import Address
from pages.shared.ui import Cell, Heading
from pages.views.drift import form as drift_form
from pages.views.drift.form import Choices

WORDS = "drift_round_trip"
Said = tuple[str, str, Decoded]
"""A model (or the true chunk), raw or snapped, and its text."""


def show(at: Address, choices: Choices) -> None:
    """Show the text of each model's prediction from this place, raw and snapped, and how near it is to its vector."""
    decoders = available_decoders(state.workspace(), state.encoder_id())
    if not decoders:
        ui.empty_state("No decoder", "Train one with `train-inverter`, or encode a corpus for the nearest real chunk.")
        return
    left, middle, right = st.columns([1.4, 1.4, 1], vertical_alignment="bottom")
    name = left.selectbox("Decoder", decoders, format_func=decoding.title,
                          key=at.key("decoder", decoders[0], decoders))  # fmt: skip
    steps = middle.slider("Decoder steps", 0, 5, key=at.key("decoder_steps", 1, low=0, high=5),
                          help="Corrections after the first hypothesis.")  # fmt: skip
    pressed = right.button("Decode", type="primary", icon=":material/hearing:", width="stretch")
    key = (choices, name, steps)
    kept = state.recent(WORDS)
    if pressed or (name == "extractive" and key not in kept):
        kept[key] = _round_trip(choices, name, steps)
    if key not in kept:
        st.caption(
            f"Press Decode: {1 + 2 * len(choices.models)} vectors are put into words, and the words are encoded again;"
            " one to three seconds each."
        )
        return
    st.html(_table(kept[key]))
    st.caption("The round trip is the cosine of the text's vector to the vector that it was to say; 1 loses nothing.")
    saving.buttons("round-trip", None, lambda: _csv(kept[key]))


def _round_trip(choices: Choices, name: str, steps: int) -> list[Said]:
    start = drift_form.start_of(choices)
    matrix = state.matrix(choices.corpus)
    names: list[tuple[str, str]] = []
    vectors: list[Vectors] = []
    if len(start.truth):
        names, vectors = [("true next chunk", "target")], [start.truth[0]]
    for ref in choices.models:
        loaded = opened.model(state.workspace(), ref, start.encoder_id, matrix.dim)
        context = start.last(loaded.info.context, choices.context)
        raw = forecast.after(loaded.model, context, ref).vectors
        names += [(ref, "raw"), (ref, "snapped")]
        snapped = snap(raw, context, state.index(choices.corpus), matrix.rows, start.exclude, choices.snap)
        vectors += [raw, snapped.vector]
    said = decoding.say(np.stack(vectors), name, steps, choices.corpus)
    return [(ref, kind, text) for (ref, kind), text in zip(names, said, strict=True)]


def _table(rows: list[Said]) -> str:
    colours = {"target": "target", "raw": "prediction", "snapped": "snapped"}
    lines = [
        [
            Cell(html.escape(ref) + ("" if kind == "target" else f", {kind}"), f"lvm-{colours[kind]}"),
            f"{text.round_trip_cosine:.3f}",
            Cell(html.escape(text.text), "lvm-flow"),
        ]
        for ref, kind, text in rows
    ]
    heads = ["vector of", Heading("round trip", "cosine of the text to the vector"), "what the decoder says"]
    return ui.table_html(heads, lines)


def _csv(rows: list[Said]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["vector", "kind", "round_trip_cosine", "decoder", "steps", "text"])
    writer.writerows([ref, kind, f"{t.round_trip_cosine:.4f}", t.method, t.steps, t.text] for ref, kind, t in rows)
    return out.getvalue()
