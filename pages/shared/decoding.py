"""Vectors to text on the pages that look at them: which decoders are here, loaded once, with progress."""

import streamlit as st

from lvm_core import opened
from lvm_core.decode.decoders import DECODERS, available_decoders, decode
from lvm_core.types import Decoded, Vectors
from pages.shared import state


def title(name: str) -> str:
    """Return the name of a decoder as people read it."""
    return DECODERS[name].title if name in DECODERS else name


def writers() -> list[str]:
    """Return the decoders here that write text of their own, best first; the nearest real chunk is none."""
    here = available_decoders(state.workspace(), state.encoder_id())
    return [name for name in here if DECODERS[name].writes]


def say(vectors: Vectors, name: str, steps: int, corpus: str) -> list[Decoded]:
    """Return a text for each of the (N, D) vectors, with a bar while the decoder works."""
    bar = st.progress(0.0, f"Loading {title(name)}…")
    decoder = opened.decoder(state.workspace(), name, state.encoder(), corpus)
    bar.progress(0.0, f"Decoding {len(vectors):,} vectors, about a second each…")
    texts = decode(decoder, vectors, steps, lambda share, text: bar.progress(min(max(share, 0.0), 1.0), text))
    bar.empty()
    return texts
