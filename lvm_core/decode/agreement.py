"""Which words of a decoded text are certain: those that the other texts its decoder weighed have in the same place.

Agreement of several samples as a sign of certainty: Wang et al. 2023 (self-consistency), Manakul et al. 2023
(SelfCheckGPT, section 3), here word by word.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

NOTHING = "(no word)"
MOST = 4
"""Alternatives that are kept of a word."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it stands in the text, the share of the other texts that have it there, and what they have instead."""

    text: str
    share: float
    instead: tuple[str, ...] = ()

    @property
    def firm(self) -> bool:
        """Whether every other text has it."""
        return self.share == 1


def agreement(text: str, others: Sequence[str]) -> list[Word]:
    """Return the words of `text`, each with its agreement in `others`; without others every word is firm.

    Words are compared without case and marks at their ends. Where words stand for others, as many on both sides, each
    is an alternative to its own; else all of them together to each.
    """
    words = text.split()
    agreed, instead = [0] * len(words), [Counter[str]() for _ in words]
    for other in others:
        theirs = other.split()
        matcher = difflib.SequenceMatcher(None, list(map(_plain, words)), list(map(_plain, theirs)), autojunk=False)
        for kind, i, j, k, m in matcher.get_opcodes():
            for place in range(i, j):
                if kind == "equal":
                    agreed[place] += 1
                elif j - i == m - k:
                    instead[place][theirs[k + place - i]] += 1
                else:
                    instead[place][" ".join(theirs[k:m]) or NOTHING] += 1
    n = max(len(others), 1)
    return [
        Word(word, count / n if others else 1.0, tuple(other for other, _ in found.most_common(MOST)))
        for word, count, found in zip(words, agreed, instead, strict=True)
    ]


def _plain(word: str) -> str:
    return word.strip(".,;:!?()\"'“”‘’").casefold() or word
