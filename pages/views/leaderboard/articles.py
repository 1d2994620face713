"""The same models article by article: where one gains and where it loses."""

from collections.abc import Mapping

import streamlit as st

from lvm_core.evaluate.measures import MEASURES, Measure
from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.breakdown import Article, by_article
from pages.shared import sortable, state
from pages.shared.address import Address
from pages.shared.sortable import Cell

MOST = 500
"""Articles in the table; of more, those with the most windows."""


def show(at: Address, rows: Mapping[str, Row]) -> None:
    """Show one measure of every model for each article, and of two models the difference."""
    paired = [name for name, measure in MEASURES.items() if measure.paired]
    name = st.segmented_control(
        "Measure",
        paired,
        format_func=lambda name: MEASURES[name].heading,
        key=at.key("article_measure", paired[0], paired),
        label_visibility="collapsed",
    )
    measure = MEASURES[name or paired[0]]
    articles = by_article(state.workspace(), rows, measure)
    if not articles:
        st.caption("Nothing is known by article for these rows. Evaluate the models again.")
        return
    shown = sorted(articles, key=lambda article: -article.n_windows)[:MOST]
    names = [name for name in rows if name in articles[0].values]
    two = len(names) == 2
    heads = [
        sortable.Column("article", number=False, pinned=True, first="ascending"),
        sortable.Column("windows", "Windows of this article"),
        *(sortable.Column(name, f"{measure.heading} on this article") for name in names),
    ]
    if two:
        heads.append(sortable.Column("difference", f"{names[0]} less {names[1]}, on this article's windows"))
    lines = {f"{place}": _line(article, names, measure, two) for place, article in enumerate(shown)}
    sortable.table("board-articles", f"{measure.heading} by article", heads, lines)
    if two:
        better = sum(article.values[names[0]] > article.values[names[1]] for article in articles)
        st.caption(f"{names[0]} is ahead on {better:,} of {len(articles):,} articles.")
    if len(articles) > MOST:
        st.caption(f"The {MOST} articles with the most windows, of {len(articles):,}.")


def _line(article: Article, names: list[str], measure: Measure, two: bool) -> list[Cell]:
    values = [article.values[name] for name in names]
    cells = [Cell(article.title, article.title), Cell(f"{article.n_windows:,}", article.n_windows)]
    cells += [Cell(measure.write(value), value) for value in values]
    if two:
        difference = values[0] - values[1]
        tone = "lvm-good" if difference >= measure.matters else "lvm-bad" if difference <= -measure.matters else ""
        cells.append(Cell(measure.write_difference(difference, signed=True), difference, tone))
    return cells
