"""What is known of each point of the map: its text, article, section, place and TMD domain, gathered once."""

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from lvm_core.corpus.tmd.codes import unpack
from lvm_core.study.map import MapData
from lvm_core.types import Rows, Vectors
from pages.shared import state
from pages.views.corpus import labels

UNLABELLED = "not labelled"
OTHER = "#8d969e"
PALETTE = ("#3a87d9", "#cf8d26", "#2f9d5f", "#cc4f6a", "#8f66d6", "#12949e", "#7f8f1c", "#d0653a", "#b04aa6", "#5b67cc")
"""Hues of the commonest values; everything else is grey, so that a legend can name every hue."""

LINE = 64
"""Characters in a line of a label; what is longer than two lines is cut."""


MANY, FEW = 10_000, 32
"""Points from which on a label holds the first characters of the text alone, and how many; a click shows all of it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of n chunks: `texts`, `heads` as a label says them, the values that a colour can stand for, and `share` (n,),
    the place in the article from 0 to 1.
    """

    texts: list[str]
    heads: list[str]
    values: dict[str, list[str]]
    share: Vectors

    def hover(self, place: int) -> str:
        """Return the label of a point: its article and chunk, and its text, cut; of very many points its first words.

        The browser holds the labels of all points: two lines of text each are megabytes where they are so many.
        """
        text = self.texts[place]
        if len(self.texts) > MANY:
            return f"{self.heads[place]}<br>{html.escape(text if len(text) <= FEW else f'{text[:FEW].rstrip()}…')}"
        return f"{self.heads[place]}<br>{snippet(text)}"


def snippet(text: str) -> str:
    """Return `text` for a label: two lines of whole words, escaped, with an ellipsis where it is cut."""
    if len(text) <= LINE:
        return html.escape(text)
    first = text.rfind(" ", 0, LINE + 1)
    first = first if first > 0 else LINE
    rest = text[first:].lstrip()
    if len(rest) > LINE:
        cut = rest.rfind(" ", 0, LINE)
        rest = f"{rest[: cut if cut > 0 else LINE]}…"
    return f"{html.escape(text[:first])}<br>{html.escape(rest)}"


@st.cache_resource(show_spinner=False, max_entries=8)
def _gathered(root: str, key: str, of_corpus: bool, _corpus: str, _rows: Rows) -> Facts:  # noqa: ARG001 - part of the key
    store = state.store()
    last = {d.document_id: max(d.n_chunks - 1, 1) for d in store.documents(_corpus)}
    chunks = store.chunks(_corpus, _rows.tolist())
    return Facts(
        [c.text for c in chunks],
        [f"{html.escape(c.article[:60])}, chunk {c.position + 1}" for c in chunks],
        {
            "article": [c.article for c in chunks],
            "section": [f"{c.article}: {c.section}" if c.section else f"{c.article}: lead" for c in chunks],
            "tmd": [labels.said(unpack(c.tmd).names[0]) if c.tmd is not None else UNLABELLED for c in chunks],
        },
        np.array([c.position / last[c.document_id] for c in chunks], dtype=np.float32),
    )


def of_corpus(data: MapData, points: str) -> Facts:
    """Return the facts of the corpus points of the map whose points are called `points`."""
    return _gathered(str(state.workspace().root), points, True, data.settings.corpus, data.corpus_rows)


def of_windows(data: MapData, points: str) -> Facts:
    """Return the facts of the windows' true next chunks."""
    return _gathered(str(state.workspace().root), points, False, data.settings.corpus, data.target_rows)


def of(kind: str, data: MapData, points: str) -> Facts:
    """Return the facts of a group's points, by its kind: each prediction has those of its window."""
    return of_corpus(data, points) if kind == "corpus" else of_windows(data, points)


def labelled(data: MapData, points: str) -> bool:
    """Return whether some window has a TMD label."""
    return any(value != UNLABELLED for value in of_windows(data, points).values["tmd"])


def hues(values: Sequence[str]) -> dict[str, str]:
    """Return a hue for each of the commonest of `values`, the commonest first; nothing for what has no label."""
    common = [value for value, _ in Counter(values).most_common(len(PALETTE) + 1) if value != UNLABELLED]
    return dict(zip(common, PALETTE, strict=False))


def coloured(values: Sequence[str], hue: dict[str, str]) -> Any:
    """Return the colour (n,) of each value."""
    return np.array([hue.get(value, OTHER) for value in values])
