"""What can be read into a corpus: one class a kind, all of them giving raw articles one at a time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

WIKIPEDIA_LICENCE = (
    "CC BY-SA 4.0, text by the contributors to Wikipedia, https://creativecommons.org/licenses/by-sa/4.0/"
)
EXAMPLES_KEPT = 20

FORMS = ("wikitext", "plain", "markdown")


@dataclass(frozen=True, slots=True)
class RawArticle:
    """An article as it lies in the source; `form` says how `body` becomes prose."""

    title: str
    body: str
    form: str = "plain"


@dataclass(slots=True)
class Skipped:
    """What was not taken, counted by reason, with the first few examples of each mishap."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, reason: str, example: str = "") -> None:
        """Count one more; `example` names the very thing where a user may want to mend it."""
        self.counts[reason] += 1
        if example and len(self.examples) < EXAMPLES_KEPT:
            self.examples.append(example)


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

    def articles(self, skipped: Skipped) -> Iterator[RawArticle]:
        """Yield the articles in order, one in memory at a time; count in `skipped` what is passed over."""
        ...
