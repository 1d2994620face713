"""The words of the studio, a sentence or two each, a press away from wherever they stand."""

import html
import re

import streamlit as st

TERMS: dict[str, str] = {
    "latent vector model": "A model that reads the vectors of the last chunks of a text and predicts the vector of the"
    " next one. It sees no tokens: text becomes vectors before it, and vectors become text after it.",
    "chunk": "A stretch of text, about a sentence, that becomes one vector.",
    "encoder": "Turns a chunk into its vector. Vectors of two encoders are of two spaces and never meet.",
    "context": "The chunks before the one to predict, oldest first.",
    "raw": "The vector as the model predicted it.",
    "snap": "The predicted vector pulled onto the nearest chunks of the corpus before it becomes text: it reads better"
    " and is a little less accurate.",
    "drift clamp": "The snap had left the context, so its weight was lowered.",
    "decoder": "Turns a vector into text: the inverter writes, the nearest real chunk only looks up.",
    "hypothesis": "The first text that a decoder writes for a vector; corrections make it better.",
    "corrections": "How often a decoder improved its first text. Each adds what the text still lacks.",
    "ladder": "One correction, then three, then five, until a text passes its checks. The best of all is shown.",
    "checks": "Does the text repeat itself, does it say enough, is it on the topic of the context?",
    "repeats": "Share of word pairs that occur more than once in the text; at most 25 % passes by default.",
    "entropy": "How varied the words of the text are; at least 2.25 bits, five different words, passes by default.",
    "topic": "Cosine of the text and the mean of the context, by the encoder; at least 0.25 passes by default.",
    "keyword": "A word of content that the text shares with the context: a mark, and no check unless you ask for it.",
    "passthrough": "No model: the vector of the last chunk itself becomes text. The ceiling of what a decoder can say.",
    "linear filter": "The best trivial rule: one least-squares weight for each place in the context and each direction"
    " of the space. A model earns its place by beating it.",
    "ensemble": "Several models whose predictions are averaged.",
    "residual memory": "A model that looks up where texts went like this before, and adds what its prediction missed"
    " there.",
    "to true next": "Cosine of the vector and the vector of the true next chunk; 1 would be the same meaning.",
    "round trip": "The text is encoded again: cosine of that vector and the one it was to say.",
    "nearest chunk": "Cosine of the prediction and the real chunk that its search puts first: what the model's query"
    " finds where it has one, else the nearest.",
    "ready after": "From pressing Predict to the last word of this text: all that you waited for, loading included.",
}


def identity(name: str) -> str:
    """Return the id of a term's explanation in the page."""
    return "term-" + re.sub(r"[^a-z]+", "-", name)


def term(name: str, text: str = "") -> str:
    """Return a word that explains itself when pressed, by mouse, finger or keyboard, as HTML."""
    return (
        f'<button type="button" class="lvm-term" popovertarget="{identity(name)}">{html.escape(text or name)}</button>'
    )


def show() -> None:
    """Show the words of the page once: what the terms on it open, and all of them in a fold."""
    explained = "".join(
        f'<div popover id="{identity(name)}" class="lvm-popover"><b>{html.escape(name)}</b>{html.escape(text)}</div>'
        for name, text in TERMS.items()
    )
    words = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in TERMS.items())
    st.html(
        f'{explained}<details class="lvm-fold lvm-glossary"><summary>Words used here</summary>'
        f"<dl>{words}</dl></details>"
    )
