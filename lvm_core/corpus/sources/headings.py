"""A long text as several articles: one for each heading of its top level."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from lvm_core.corpus.sources.base import RawArticle
from lvm_core.types import Section

Heading = tuple[int, int, int, str]
"""Where a heading starts and ends in the text, its level (1 is the highest), and its title."""


def articles_by_heading(
    text: str, name: str, headings: Sequence[Heading], clean: Callable[[str], tuple[Section, ...]]
) -> Iterator[RawArticle]:
    """Yield an article for each heading of the highest level that occurs twice; what precedes the first is `name`.

    A title over everything is thus no article: below it the chapters are.

    Args:
        text: the whole text.
        name: title of what stands before the first such heading, and of a text without any.
        headings: all headings, in order.
        clean: makes prose of a body.
    """
    counts = Counter(level for _, _, level, _ in headings)
    top = min((level for level, n in counts.items() if n > 1), default=min(counts, default=0))
    title, start = name, 0
    if headings and headings[0][2] < top and not text[: headings[0][0]].strip():
        title, start = headings[0][3] or name, headings[0][1]
    for first, last, level, heading in headings:
        if level == top:
            if text[start:first].strip():
                yield RawArticle(title, text[start:first], clean)
            title, start = heading or name, last
    if text[start:].strip():
        yield RawArticle(title, text[start:], clean)
