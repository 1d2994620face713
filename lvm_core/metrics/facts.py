"""Whether a decoded text names what the true one names: numbers and names, as precision and recall.

Word overlap forgives a wrong year or a wrong king; a reader does not. The two shares are those of entity-level factual
consistency (Nan et al. 2021, section 3), with names told by their capital letters, which needs no model.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np
import regex
from numpy.typing import NDArray

NUMBER = regex.compile(r"\p{Nd}+(?:[.,:]\p{Nd}+)*")
WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}'’\-]+|[.!?,;:]+")
ENDS = frozenset(".!?")
OPENERS = frozenset(
    [
        "a",
        "after",
        "although",
        "an",
        "and",
        "as",
        "at",
        "before",
        "between",
        "both",
        "but",
        "by",
        "during",
        "for",
        "from",
        "he",
        "her",
        "his",
        "however",
        "if",
        "in",
        "it",
        "its",
        "like",
        "many",
        "most",
        "of",
        "on",
        "she",
        "since",
        "some",
        "that",
        "the",
        "their",
        "there",
        "these",
        "they",
        "this",
        "to",
        "under",
        "unlike",
        "until",
        "when",
        "while",
        "with",
    ]
)
"""English words that often begin a sentence before a name, and are none."""

Found = Counter[str]


def numbers(text: str) -> Found:
    """Return the numbers of a text as they are written, thousands without their marks: 3,645 is 3645."""
    return Counter(found.replace(",", "") for found in NUMBER.findall(text))


def names(text: str) -> Found:
    """Return the capitalised words of a text, folded; the first of a sentence only where the next one is one too."""
    words, found = WORD.findall(text), Counter[str]()
    for i, word in enumerate(words):
        if not _capital(word):
            continue
        first = i == 0 or words[i - 1][0] in ENDS
        led = i + 1 < len(words) and _capital(words[i + 1]) and word.casefold() not in OPENERS
        if first and not led and not _inner_capital(word):
            continue
        found[word.casefold().removesuffix("'s").removesuffix("’s")] += 1
    return found


def _capital(word: str) -> bool:
    return word[0].isupper()


def _inner_capital(word: str) -> bool:
    return any(letter.isupper() for letter in word[1:])


def precision(ours: Found, theirs: Found) -> float:
    """Return the share of what we name that they name too; NaN where we name nothing."""
    return (ours & theirs).total() / ours.total() if ours else float("nan")


def fact_scores(texts: list[str], truths: list[str]) -> dict[str, NDArray[np.float64]]:
    """Return name and number precision and recall (n,) of texts against true ones; NaN where there are none."""
    kinds: dict[str, Callable[[str], Found]] = {"name": names, "number": numbers}
    scores: dict[str, NDArray[np.float64]] = {}
    for kind, find in kinds.items():
        pairs = [(find(text), find(truth)) for text, truth in zip(texts, truths, strict=True)]
        scores[f"{kind}_precision"] = np.array([precision(ours, theirs) for ours, theirs in pairs])
        scores[f"{kind}_recall"] = np.array([precision(theirs, ours) for ours, theirs in pairs])
    return scores


FACT_KEYS = ("name_precision", "name_recall", "number_precision", "number_recall")
