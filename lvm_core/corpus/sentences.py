"""Where sentences begin and end in a stretch of text."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

from lvm_core.boundary.values import whole_characters
from lvm_core.corpus.scripts import CLOSERS

Span = tuple[int, int]

WINDOW_CHARS = 100_000
"""Longest stretch given to the splitter at once; its memory grows with it."""
MOST_QUOTES, QUOTED_CHARS = 4_000, 2_000
"""Quotes and brackets in a window above which it is cut shorter: the splitter's time grows with their square."""

_QUOTES = "\"'`“”„‘’«»‹›「」『』《》()[]（）"
_OPENING = re.compile(r"\s([\"'“‘`(\[]+)\s*\Z")
_NEXT_SIGN = re.compile(r"[\s\"'“‘«‹([]*(\S)")
_ENDS_WITH_STOP = re.compile(rf"[.][{re.escape(CLOSERS)}]*\s*\Z")
_LAST_WORD = re.compile(r"([^\s(\[\"'“‘«/–—-]+)\.\s*\Z")
_WORD = re.compile(r"\w")
_NEVER_FIRST = "=<>+*/,;:)]}%&|~^"
_TAIL_CHARS = 40
_RARE_END = re.compile(r"(?<=[។៕༎།])\s*(?=\S)")
"""Ends of sentences in Khmer and Tibetan, which the splitter does not know."""

_QUOTED, _GOES_ON = "」』", "とでなにのはがをもへや"
"""A Japanese sentence goes on behind a quoted one with one of these."""
_TITLE_ENDS = "》〉"
_SURE_ENDS = re.compile(rf"[।॥。！？؟۔։።][{re.escape(CLOSERS)}]*\s*\Z")
"""Ends of sentences of scripts without capitals, which nothing else is written with: a small letter may follow."""
_WIDE_END = re.compile(r"(?<=[\u3040-\u30ff\u4e00-\u9fff][!?])(?=[\u3040-\u30ff\u4e00-\u9fff])")

_ORDINAL_LANGUAGES = frozenset(
    {"de", "cs", "da", "no", "nb", "nn", "fi", "hu", "sk", "sl", "hr", "sr", "et", "lv", "tr"}
)
_ORDINAL = re.compile(r"(?:\A|[^\w.,])\d{1,3}\.\s*\Z")
_KING = re.compile(r"(?:\A|\W)[IVX]+\.\s*\Z")
_INITIAL = re.compile(r"(?:[^\W\d_a-z]\.)*[^\W\d_a-z]")


def sentences(text: str, start: int, end: int, language: str) -> Iterator[Span]:
    """Yield the sentences of `text[start:end]`, white space off both ends.

    Nothing but a capital, a digit, a sign, or a letter of a script without capitals begins a sentence, and none ends
    with an abbreviation of its language.
    """
    first = start
    waiting: Span | None = None
    for boundary in [*_boundaries(text, start, end, language), end]:
        if boundary < end and not _is_boundary(text, first, boundary, end, language):
            continue
        opening = _OPENING.search(text, first, boundary) if boundary < end else None
        boundary = opening.start(1) if opening else boundary
        for span in stripped(text, first, boundary):
            if waiting and not _WORD.search(text, *span):
                waiting = waiting[0], span[1]
            else:
                yield from [waiting] if waiting else []
                waiting = span
        first = boundary
    yield from [waiting] if waiting else []


def stripped(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the span without the white space at its ends, if anything remains."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _boundaries(text: str, start: int, end: int, language: str) -> Iterator[int]:
    import sentencex

    for window_start, window_end in _windows(text, start, end):
        place = window_start
        for sentence in sentencex.segment(whole_characters(language), text[window_start:window_end]):
            for match in (_WIDE_END if language in ("ja", "zh") else _RARE_END).finditer(sentence):
                yield place + match.end()
            place += len(sentence)
            if place < end:
                yield place


def _windows(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > (size := _window_chars(text[start : min(end, start + WINDOW_CHARS)])):
        cut = text.rfind(" ", start + 1, start + size) + 1 or start + size
        yield start, cut
        start = cut
    yield start, end


def _window_chars(text: str) -> int:
    return WINDOW_CHARS if sum(map(text.count, _QUOTES)) <= MOST_QUOTES else QUOTED_CHARS


def _is_boundary(text: str, first: int, place: int, end: int, language: str) -> bool:
    before, after = text[place - 1], text[place]
    # ".NET", "Yahoo!'s" and "J.-C." are words, not ends.
    if before in ".!?" and not after.isspace() and after not in '"“‘«([' and not _WIDE_END.match(text, place):
        return False
    if before in _TITLE_ENDS or (language == "ja" and before in _QUOTED and after in _GOES_ON):
        return False
    following = _NEXT_SIGN.match(text, place, end)
    if not following:
        return True
    tail = text[max(first, place - _TAIL_CHARS) : place]
    if (following[1].islower() and not _SURE_ENDS.search(tail)) or following[1] in _NEVER_FIRST:
        return False
    if not _ENDS_WITH_STOP.search(tail):
        return True
    if language in _ORDINAL_LANGUAGES and (_ORDINAL.search(tail) or (language != "de" and _KING.search(tail))):
        return False
    word = _LAST_WORD.search(tail)
    return not (word and _is_abbreviation(word[1], following[1], language))


def _is_abbreviation(word: str, following: str, language: str) -> bool:
    """Tell a word that ends no sentence, because a number or, though a capital, more of it follows.

    Listed in small letters it stands for a capital first letter too, unless it is a single letter.
    """
    language = language.partition("-")[0]
    if following.isdigit():
        small = word.lower()
        if small in _abbreviations("before numbers") or small in _abbreviations("before numbers in", language):
            return True
    listed = _abbreviations("before capitals", language)
    if word in listed or (len(word) > 1 and word[0].lower() + word[1:] in listed):
        return True
    if language == "en":  # the splitter itself knows its initials
        return False
    return (following.isupper() and bool(_INITIAL.fullmatch(word))) or (len(word) > 1 and word.lower() in listed)


@cache
def _abbreviations(kind: str, language: str = "") -> frozenset[str]:
    """Return the abbreviations that the splitter misses; it knows many others."""
    lists = json.loads(resources.files("lvm_core.corpus").joinpath("abbreviations.json").read_text("utf-8"))[kind]
    return frozenset(lists.get(language, ()) if isinstance(lists, dict) else lists)
