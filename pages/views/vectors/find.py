"""Finding points of the map: by words, article and cosine; what is matches stands in a table and out on the map."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lvm_core.study.map import Layer, MapData
from pages.shared import sortable
from pages.shared.address import Address
from pages.shared.sortable import Cell
from pages.views.vectors import facts

RANGE = "map_range"
"""Session key: the slider of two ends, which an address holds as two numbers."""

MOST_ROWS = 300
"""Windows in the table; the caption says how many there are."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Places of the windows and corpus points that stand out; `active`: whether anything was asked for at all."""

    windows: tuple[int, ...]
    corpus: tuple[int, ...]
    active: bool

    def and_windows(self, places: list[int]) -> "Matches":
        """Return these with the windows that are chosen by hand, where there are any, in place of those matches."""
        return Matches(tuple(places), (), active=True) if places else self


def filters(at: Address, data: MapData, points: str) -> Matches:
    """Show the filters in one row and return what passes them."""
    windows, corpus = facts.of_windows(data, points), facts.of_corpus(data, points)
    words, article, cosine = st.columns([2, 2, 1.6], vertical_alignment="bottom")
    text = words.text_input(
        "Find on the map", key=at.key("find", ""), placeholder="words of a chunk", icon=":material/search:"
    )
    names = sorted(set(windows.values["article"]) | set(corpus.values["article"]))
    articles = set(article.multiselect("Only these articles", names, key=at.key("articles", [], names)))
    least, most = -1.0, 1.0
    if data.layers:
        ends = (at.value("low", least), at.value("high", most))
        st.session_state.setdefault(RANGE, ends)
        least, most = cosine.slider(
            f"Cosine to true next, {next(iter(data.layers))}",
            -1.0,
            1.0,
            step=0.05,
            key=RANGE,
            help="Raw predictions of the first model.",
        )
        at.put("low", least)
        at.put("high", most)
    active = bool(text.strip() or articles or (least, most) != (-1.0, 1.0))
    passing = _passing(windows, text, articles)
    if data.layers:
        cosines = next(iter(data.layers.values())).cosine
        passing &= (cosines >= least) & (cosines <= most)
    shown = _passing(corpus, text, articles) if text.strip() or articles else np.zeros(len(corpus.texts), np.bool_)
    return Matches(tuple(np.flatnonzero(passing).tolist()), tuple(np.flatnonzero(shown).tolist()), active)


def _passing(these: facts.Facts, text: str, articles: set[str]) -> NDArray[np.bool_]:
    words = text.casefold().split()
    hits = [
        (not articles or article in articles) and all(word in chunk.casefold() for word in words)
        for chunk, article in zip(these.texts, these.values["article"], strict=True)
    ]
    return np.array(hits, dtype=np.bool_)


def picked(at: Address, data: MapData) -> list[int]:
    """Return the windows chosen in the table."""
    places = {str(row): place for place, row in enumerate(data.target_rows.tolist())}
    rows = at.value("picked", [], list(places), linked=False)
    return [places[row] for row in rows]


def table(at: Address, data: MapData, points: str, matches: Matches, forget: Callable[[], None]) -> None:
    """Show the windows matches: article, cosine of each model's prediction, the true next chunk; choose some to read.

    `forget` is called first when some are chosen here: what was chosen in the picture gives way.
    """

    def take(names: list[str]) -> None:
        forget()
        at.put("picked", names)

    known = facts.of_windows(data, points)
    heads = [
        sortable.Column("article", number=False, pinned=True, first="ascending"),
        sortable.Column("place", "Place in the article, 0 to 1", first="ascending"),
        *(sortable.Column(f"{ref} {kind}", "Cosine to the true next chunk") for ref, kind, _ in _cosines(data)),
        sortable.Column("true next chunk", number=False, first="ascending"),
    ]
    rows = {}
    for place in matches.windows[:MOST_ROWS]:
        text = known.texts[place]
        values = [float(layer.cosines(kind)[place]) for _, kind, layer in _cosines(data)]
        rows[str(data.target_rows[place])] = [
            Cell(known.values["article"][place], known.values["article"][place]),
            Cell(f"{known.share[place]:.2f}", float(known.share[place])),
            *(Cell(f"{value:.3f}", value) for value in values),
            Cell(text if len(text) <= 120 else f"{text[:119]}…", text),
        ]
    chosen = [str(data.target_rows[place]) for place in picked(at, data)]
    sortable.table("map-windows", "Windows on the map", heads, rows, chosen, take)
    count = f"{len(matches.windows):,} of {len(data.target_rows):,} windows"
    more = f", {len(matches.corpus):,} corpus chunks" if matches.corpus else ""
    cut = f"; the first {MOST_ROWS} are in the table" if len(matches.windows) > MOST_ROWS else ""
    st.caption(f"{count}{more} stand out{cut}. Choose rows to read them and to mark them on the map.")


def _cosines(data: MapData) -> list[tuple[str, str, Layer]]:
    kinds = ("raw", "snapped") if data.settings.snap else ("raw",)
    return [(ref, kind, layer) for ref, layer in data.layers.items() for kind in kinds]
