"""Vectors to text on the pages that look at them: which decoders are here, loaded once, with progress."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lvm_core.decode.decoders import available_decoders, load_decoder
from lvm_core.types import Decoded, Decoder, Vectors
from lvm_core.workspace import Workspace
from pages.shared import state

NAMES = {"extractive": "nearest real chunk", "inverter": "inverter", "vec2text-ielab": "vec2text (ielab)",
         "vec2text-jxm": "vec2text (jxm)"}  # fmt: skip


def writers() -> list[str]:
    """Return the decoders here that write text of their own, best first; the nearest real chunk is none."""
    return [name for name in available_decoders(state.workspace(), state.encoder_id()) if name != "extractive"]


@st.cache_resource(show_spinner=False, max_entries=4)
def _decoder(root: str, name: str, encoder_id: str, corpus: str) -> Decoder:  # noqa: ARG001 - part of the key
    return load_decoder(Workspace(root), name, state.encoder(), corpus)


def say(vectors: Vectors, name: str, steps: int, corpus: str) -> list[Decoded]:
    """Return a text for each of the (N, D) vectors, with a bar while the decoder works."""
    bar = st.progress(0.0, f"Loading {NAMES.get(name, name)}…")
    decoder: Any = _decoder(str(state.workspace().root), name, state.encoder_id(), corpus)

    def told(share: float, text: str) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text)

    told(0.0, f"Decoding {len(vectors):,} vectors, about a second each…")
    found: Sequence[Decoded]
    if hasattr(decoder, "decode_all"):
        found = [row[-1] for row in decoder.decode_all(vectors, steps, progress=told)]
    else:
        found = decoder.decode(vectors, steps)
    bar.empty()
    return list(found)
