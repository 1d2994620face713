"""Single vectors of an NPZ as passages: its articles in their order where the file tells both, else pieces of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.values import one_line
from lvm_core.exchange.npz.archive import Archive
from lvm_core.exchange.npz.columns import (
    ARTICLES,
    CODES,
    IDS,
    POSITIONS,
    TEXTS,
    TITLES,
    article_numbers,
    as_float32,
    codes,
    column,
    named,
    numbers,
    text_at,
    whole_numbers,
)
from lvm_core.exchange.npz.layouts import VECTORS, Contents, Passage
from lvm_core.types import Rows

UNORDERED_ARTICLE = 1_000
"""Chunks to an article where a file knows no articles; such a corpus is marked as unordered."""

NO_ARTICLE = ("", "nan", "none")
"""Ids that stand for none."""

MOST_TIES = 0.01
"""Of the chunks of an ordered corpus, the share that may have the position of another."""


@dataclass(frozen=True, slots=True)
class _Articles:
    """Which rows are an article, in its order; `note` says why the order is not known, or what it was taken from."""

    groups: list[tuple[str, Rows]]
    ordered: bool
    note: str = ""


def from_vectors(arrays: Archive) -> Contents:
    """Return the passages of a file of single vectors.

    Raises:
        SourceError: if its columns are not of one length.
    """
    vectors = numbers(arrays, named(arrays, VECTORS), "N", "D")
    n, dim = vectors.shape
    texts, ids = column(arrays, TEXTS, (n,)), column(arrays, IDS, (n,))
    tmd = codes(arrays, CODES, n)
    articles = _articles(arrays, n)

    def passages() -> Iterator[Passage]:
        for title, rows in articles.groups:
            yield Passage(
                title,
                [_text(texts, int(row)) for row in rows],
                as_float32(vectors[rows]),
                [(text_at(ids, int(row)).strip() or None) if ids is not None else None for row in rows],
                [tmd[row] for row in rows],
            )

    return Contents(
        "vectors", dim, articles.ordered, texts is not None, passages(), [articles.note] if articles.note else []
    )


def _text(texts: NDArray[np.generic] | None, row: int) -> str:
    text = text_at(texts, row) if texts is not None else ""
    return text if text.strip() else f"concept {row + 1}"


def _articles(arrays: Archive, n: int) -> _Articles:
    """Return the articles of a file of vectors; without a known order, pieces of 1,000 chunks as they lie there."""
    article_key, position_key = named(arrays, ARTICLES), named(arrays, POSITIONS)
    pieces = [
        (f"concepts {start + 1} to {min(start + UNORDERED_ARTICLE, n)}", np.arange(start, min(start + 1000, n)))
        for start in range(0, n, UNORDERED_ARTICLE)
    ]
    values = column(arrays, ARTICLES, (n,))
    if values is None:
        return _Articles(pieces, False, "The file has no article of each chunk, so their order is not known.")
    n_blank = sum(text_at(values, row).strip().lower() in NO_ARTICLE for row in range(n))
    if n_blank:
        note = f"{n_blank:,} of {n:,} chunks have no article in '{article_key}': their order is not known."
        return _Articles(pieces, False, note)
    article, in_blocks = article_numbers(values)
    n_articles = len(np.unique(article))
    if n_articles == n > 1:
        return _Articles(
            pieces, False, f"'{article_key}' names no article of several chunks: their order is not known."
        )
    order, problem = _chunk_order(arrays, article, position_key, in_blocks)
    starts = np.flatnonzero(np.diff(article[order], prepend=-1))
    titles = _titles(arrays, values, n)
    groups = [(titles[rows[0]], rows) for rows in np.split(order, starts[1:])]
    return _Articles(groups, not problem, problem)


def _chunk_order(
    arrays: Archive, article: NDArray[np.int64], position_key: str, in_blocks: bool
) -> tuple[Rows, str]:  # fmt: skip
    """Return the rows in reading order, and why that cannot be trusted, "" where it can."""
    n = len(article)
    as_they_lie = np.argsort(article, kind="stable")
    values = column(arrays, POSITIONS, (n,))
    if values is None:
        problem = "The file has no position of each chunk, and articles are mixed in it: their order is not known."
        return as_they_lie, "" if in_blocks else problem
    positions = whole_numbers(values)
    n_missing = int(np.isnan(positions).sum())
    if n_missing:
        return (
            as_they_lie,
            f"{n_missing:,} of {n:,} chunks have no number in '{position_key}': their order is not known.",
        )
    order = np.lexsort((positions, article))
    same = (np.diff(article[order]) == 0) & (np.diff(positions[order]) == 0)
    n_ties = int(same.sum())
    if n_ties > MOST_TIES * n:
        return (
            as_they_lie,
            f"{n_ties:,} of {n:,} chunks have the '{position_key}' of another: their order is not known.",
        )
    return order, ""


def _titles(arrays: Archive, values: NDArray[np.generic], n: int) -> list[str]:
    """Return the title of each row's article: a column of its own, a list that the article's number points into, or
    the number itself.
    """
    key = named(arrays, TITLES)
    titles = arrays[key] if key and not arrays.headers[key].pickled else None
    if titles is not None and titles.ndim == 1 and titles.dtype.kind in "US":
        at = np.arange(n) if len(titles) == n else whole_numbers(values)
        if np.isfinite(at).all() and at.min(initial=0) >= 0 and at.max(initial=0) < len(titles):
            names = [one_line(text_at(titles, int(i))) for i in at]
            return [name or f"article {text_at(values, row)}" for row, name in enumerate(names)]
    return [one_line(f"article {text_at(values, row).strip()}") for row in range(n)]
