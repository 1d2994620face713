"""What every source of text is made of: raw articles one at a time, what was passed over, and how a kind is told."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from lvm_core.config import setting
from lvm_core.corpus.sources.prose import plain_sections, printable
from lvm_core.types import Section

WIKIPEDIA_LICENCE = (
    "CC BY-SA 4.0, text by the contributors to Wikipedia, https://creativecommons.org/licenses/by-sa/4.0/"
)
MAX_EXAMPLES = 20
MAX_ARTICLE_BYTES = 16_000_000
"""Longest article that is read as one; War and Peace has 3 million characters."""


@dataclass(frozen=True, slots=True)
class RawArticle:
    """An article as it lies in the source; `clean` makes prose of `body`, here or in another process."""

    title: str
    body: str
    clean: Callable[[str], tuple[Section, ...]] = plain_sections
    language: str = ""
    """ISO 639 code, where the source says it."""


@dataclass(slots=True)
class Skipped:
    """What was not taken, counted by reason, with the first few examples of each mishap."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, reason: str, example: str = "") -> None:
        """Count one more; `example` names the very thing where a user may want to mend it."""
        self.counts[reason] += 1
        if example and len(self.examples) < MAX_EXAMPLES:
            self.examples.append(printable(well_formed(example)))


class Source(Protocol):
    """Articles to read. Iterating twice gives the same articles in the same order."""

    @property
    def description(self) -> str: ...

    @property
    def licence(self) -> str: ...

    @property
    def share(self) -> float:
        """The share read so far of the iteration under way, 0 to 1; 0 where it cannot be known."""
        ...

    def articles(self, skipped: Skipped) -> Generator[RawArticle]:
        """Yield the articles in order, one in memory at a time; count in `skipped` what is passed over."""
        ...


@dataclass(frozen=True)
class ReadSettings:
    """How a source is read."""

    split_headings: bool = setting(
        False, "texts and Markdown: each heading of the top level begins an article", label="split at headings"
    )


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: how it is told from the others, how it opens, and what people read about it.

    `ingest --help`, the page's form and its accepted files all follow from these fields.
    """

    about: str
    """What it is, for people, in the words that follow "Reads"."""
    open: Callable[[str, ReadSettings], Source]
    """Makes a source of what the user gave, a path or a name, without reading it yet."""
    endings: tuple[str, ...] = ()
    """Endings of its files, without those of a compression."""
    prefix: str = ""
    """What a name of this kind begins with, where it is no file."""
    looks_like: Callable[[str], bool] | None = None
    """Whether a file that begins with these characters is surely of this kind, whatever its name says."""
    in_folders: bool = False
    """Whether a folder given as a source is searched for files of this kind."""
    licence: str = ""
    """Licence of its texts, where the kind knows one."""


def well_formed(text: str) -> str:
    """Return `text` with every half of a surrogate pair that has no partner as U+FFFD: it could not be stored."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def mended(articles: Iterable[RawArticle], skipped: Skipped) -> Iterator[RawArticle]:
    """Yield articles with titles on one line and text that can be stored, counting what had to be replaced."""
    for article in articles:
        title, body = well_formed(article.title), well_formed(article.body)
        if (title, body) != (article.title, article.body):
            skipped.add("articles with half characters, which became U+FFFD", title)
        title = " ".join(printable(title).split())
        yield article if (title, body) == (article.title, article.body) else replace(article, title=title, body=body)
