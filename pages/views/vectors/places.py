"""What is known of each point of the map: its article, section, place and TMD domain, gathered once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from lvm_core.corpus.tmd.codes import unpack
from lvm_core.study.map import MapData
from lvm_core.types import Rows, Vectors
from pages.shared import charts, state
from pages.views.corpus import labels

UNLABELLED = "not labelled"
OTHER = "#8d969e"
PALETTE = ("#3a87d9", "#cf8d26", "#2f9d5f", "#cc4f6a", "#8f66d6", "#12949e", "#7f8f1c", "#d0653a", "#b04aa6", "#5b67cc")
"""Hues of the commonest values; everything else is grey, so that a legend can name every hue."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of n points: `heads` as the hover says them, `texts` (empty for the corpus, a click shows those), the values
    that a colour can stand for, and `share` (n,), the place in the article from 0 to 1.
    """

    heads: list[str]
    texts: list[str]
    values: dict[str, list[str]]
    share: Vectors


@st.cache_resource(show_spinner=False, max_entries=8)
def _gathered(root: str, key: str, group: str, _corpus: str, _rows: Rows) -> Facts:  # noqa: ARG001 - part of the key
    store = state.store()
    last = {d.document_id: max(d.n_chunks - 1, 1) for d in store.documents(_corpus)}
    chunks = store.chunks(_corpus, _rows.tolist())
    return Facts(
        [f"{charts.wrapped(c.article, lines=1)}, chunk {c.position + 1}" for c in chunks],
        [charts.wrapped(c.text, lines=3) for c in chunks] if group == "target" else [],
        {
            "article": [c.article for c in chunks],
            "section": [f"{c.article}: {c.section}" if c.section else f"{c.article}: lead" for c in chunks],
            "tmd": [labels.said(unpack(c.tmd).names[0]) if c.tmd is not None else UNLABELLED for c in chunks],
        },
        np.array([c.position / last[c.document_id] for c in chunks], dtype=np.float32),
    )


def of(found: MapData, key: str, group: str) -> Facts:
    """Return the facts of the corpus points ("corpus") or of the windows (any other group) of the map `key`."""
    kind = "corpus" if group == "corpus" else "target"
    rows = found.corpus_rows if kind == "corpus" else found.target_rows
    return _gathered(str(state.workspace().root), key, kind, found.settings.corpus, rows)


def labelled(found: MapData, key: str) -> bool:
    """Return whether some window of the map `key` has a TMD label."""
    return any(value != UNLABELLED for value in of(found, key, "target").values["tmd"])


def hues(values: Sequence[str]) -> dict[str, str]:
    """Return a hue for each of the commonest of `values`, the commonest first; nothing for what has no label."""
    common = [value for value, _ in Counter(values).most_common(len(PALETTE) + 1) if value != UNLABELLED]
    return dict(zip(common, PALETTE, strict=False))


def coloured(values: Sequence[str], hue: dict[str, str]) -> Any:
    """Return the colour (n,) of each value."""
    return np.array([hue.get(value, OTHER) for value in values])
