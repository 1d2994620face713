"""Three measures of a decoded text: does it repeat itself, does it say enough, is it on the topic.

They know words of any script. Where a script writes no spaces (Chinese, Japanese, Thai ...) one character is
a word for repetition and entropy, and a run of neighbouring characters is a keyword, as search engines do.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise

import regex

UNSPACED_LETTER = regex.compile(r"[\p{Thai}\p{Lao}\p{Myanmar}\p{Khmer}]")
"""A run of four signs of these is about a word."""

IDEOGRAPH = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\u3006\u30FC\u3099\u309A]")
"""Han and kana: a pair of signs is about a word."""

HIRAGANA, HANGUL = regex.compile(r"\p{Hiragana}"), regex.compile(r"\p{Hangul}")
SHORT_WORD_LETTER = regex.compile(
    r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}\p{Samaritan}\p{Mandaic}\p{Devanagari}\p{Bengali}\p{Gurmukhi}"
    r"\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Tibetan}\u0640]"
)
"""Semitic, Indic and Tibetan scripts write few or no vowels as letters: words are shorter."""

CHINESE_FUNCTION_SIGNS = frozenset(
    "的了是在和有不我他她它這这那個个们們与與及為为之其於于以而也就都被把从從到对對一年月日"
)

JOINERS = "'’-‐·"


@cache
def stop_words() -> frozenset[str]:
    """Return English, German, French and Spanish function words of four letters or more; shorter words never count."""
    return frozenset(resources.files("lvm_core.decode").joinpath("stop_words.txt").read_text("utf-8").split())


@dataclass(frozen=True, slots=True)
class Quality:
    """The three measures of one text; `keyword` is a word it shares with its context, None where it shares none."""

    repeated_bigrams: float
    entropy: float
    keyword: str | None


SHORT_CHARS = 1_000


def measure(text: str, context: Iterable[str]) -> Quality:
    """Return the three measures of `text` against the chunks of its context."""
    return Quality(repeated_bigrams(text), entropy(text), keyword(text, context))


def words(text: str) -> list[str]:
    """Return the words of `text` in order, folded (NFKC, case); one character a word where no spaces are written."""
    return list(_words_of_short(text)) if len(text) <= SHORT_CHARS else _words(text)


@lru_cache(maxsize=256)
def _words_of_short(text: str) -> tuple[str, ...]:
    """Each measure of a text asks for its words."""
    return tuple(_words(text))


def _words(text: str) -> list[str]:
    row: list[str] = []
    current: list[str] = []
    for char in unicodedata.normalize("NFKC", text).casefold():
        kind = _kind(char)
        if kind == "letter" or (kind == "joiner" and current):
            current.append(char)
            continue
        if current:
            row.append("".join(current).rstrip(JOINERS))
            current = []
        if kind == "sign":
            row.append(char)
        elif kind == "mark" and row:
            row[-1] += char
    if current:
        row.append("".join(current).rstrip(JOINERS))
    return row


@lru_cache(maxsize=8192)
def _kind(char: str) -> str:
    """letter: part of a spaced word; sign: a word by itself; mark: belongs to the sign before it; gap: neither."""
    if char in JOINERS:
        return "joiner"
    category = unicodedata.category(char)
    if UNSPACED_LETTER.match(char) or IDEOGRAPH.match(char):
        return "mark" if category[0] == "M" else "sign" if category[0] in "LN" else "gap"
    return "letter" if category[0] in "LNM" else "gap"


def repeated_bigrams(text: str) -> float:
    """Return the share of word pairs that occurred before in the text, 0 to 1; 0 for fewer than two words."""
    row = words(text)
    pairs = list(pairwise(row))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0


def entropy(text: str) -> float:
    """Return the Shannon entropy of the text's words in bits; n different words have log2 n, no words have 0."""
    counts = Counter(words(text))
    total = sum(counts.values())
    return sum(-n / total * math.log2(n / total) for n in counts.values()) + 0.0


def keyword(text: str, context: Iterable[str]) -> str | None:
    """Return the longest keyword of `text` that its context has too, the first of equals; None if they share none.

    A keyword is a word of content: no function word, and of four letters or more in alphabets, of three in
    scripts that leave vowels out, two syllables of Hangul; where no spaces are, two neighbouring ideographs or
    katakana, or four letters.
    """
    context_stems = {stem for chunk in context for stem in _stems(chunk)}
    shared = [word for word in _keywords(text) if _stem(word) in context_stems]
    return max(shared, key=len) if shared else None


def _stems(text: str) -> frozenset[str]:
    """Return the stems of a text's keywords; those of short texts are remembered: a context moves on chunk by chunk."""
    return _stems_of_short(text) if len(text) <= SHORT_CHARS else frozenset(map(_stem, _keywords(text)))


@lru_cache(maxsize=4096)
def _stems_of_short(text: str) -> frozenset[str]:
    return frozenset(map(_stem, _keywords(text)))


def _keywords(text: str) -> list[str]:
    row = words(text)
    runs = _runs(row, 2, _is_ideograph) + _runs(row, 4, _is_unspaced_letter)
    return [word for word in row if not _is_sign(word) and _is_content(word)] + runs


def _runs(row: list[str], n: int, belongs: Callable[[str], bool]) -> list[str]:
    return ["".join(row[i : i + n]) for i in range(len(row) - n + 1) if all(map(belongs, row[i : i + n]))]


def _is_ideograph(word: str) -> bool:
    return bool(IDEOGRAPH.match(word) and not HIRAGANA.match(word)) and word[0] not in CHINESE_FUNCTION_SIGNS


def _is_unspaced_letter(word: str) -> bool:
    return bool(UNSPACED_LETTER.match(word))


def _is_sign(word: str) -> bool:
    return _kind(word[0]) == "sign"


def _is_content(word: str) -> bool:
    if HANGUL.match(word):
        return len(word) >= 2
    least = 3 if SHORT_WORD_LETTER.match(word) or word.isdecimal() else 4
    return len(word) >= least and word not in stop_words()


def _stem(word: str) -> str:
    """Drop the English possessive and plural, so that "nebulas" meets "nebula"."""
    for ending in ("'s", "’s"):
        word = word.removesuffix(ending)
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
