"""Plain text to clean paragraphs, and the tidying that every source shares."""

import re
import unicodedata

from lvm_core.corpus.scripts import CLOSERS, DENSE_SHARE, SENTENCE_ENDS, is_dense
from lvm_core.types import Section

_CONTROL = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff"
    r"\ufff9-\ufffb\ufffe\uffff]"
)
_JOINER = re.compile(
    r"(?<![\u0590-\u1fff\u2600-\u27bf\ufb50-\ufdcf\ufe00-\ufe0f\ufe70-\ufefc\U0001f000-\U0001faff])[\u200c\u200d]"
)
"""Zero-width joiners are letters of Persian and Indic spelling, and part of emoji; elsewhere they are noise."""
_SPACE = re.compile(r"\s+")
_EMPTY_BRACKETS = re.compile(r"\s*[(\[](?:pronounced|pronunciation|IPA|or|and|also|from|in|[\s,;:.–—/-])*[)\]]")
_OPENING = re.compile(
    r"([(\[])(?:\s?(?:pronounced|pronunciation|IPA|or|and|also)\s?(?=[;:]))?(?:[\s,;:]|\.(?=\s))+(?=\S)"
)
_CLOSING = re.compile(r"(?<![\s,;:])[\s,;:]+([)\]])")
_BEFORE_MARK = re.compile(r"\s+([,;:!?](?=\s|$)|\.(?=\s|$))")
_DOUBLED = re.compile(r"([,;:])(?:\s*[,;:])+")
_COMMA_STOP = re.compile(r"[,;:]\s*\.(?=\s|$)")
_LETTERS = re.compile(r"[^\W\d_]")
_WORDS = re.compile(r"[^\W\d_].*?[^\W\d_]", re.S)
"""Two letters at least."""
MAX_HEADING_CHARS, MIN_HEADED_CHARS = 60, 40
_BREAK = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028]")
"""Breaks of lines and pages; with an end of a page the sentence may go on."""
_BLANK_LINE = re.compile(r"\n[ \t]*\n|\u2029")
_STOP = re.compile(rf"[{re.escape(SENTENCE_ENDS)}][{re.escape(CLOSERS)}]*\Z")
_NO_HEADING = re.compile(rf"[{re.escape(SENTENCE_ENDS)},;:，；：、-][{re.escape(CLOSERS)}]*\Z|[.!?。！？]\s?\S\S")


def printable(text: str) -> str:
    """Return `text` in Unicode's composed form, without characters that nobody sees."""
    if text.isascii() and text.isprintable():
        return text
    return _JOINER.sub("", _CONTROL.sub("", unicodedata.normalize("NFC", text)))


def tidy(paragraph: str) -> str:
    """Return one paragraph on one line, without what removed markup left behind; "" if no words remain."""
    text = printable(paragraph)
    text = _SPACE.sub(" ", text)
    if "(" in text or "[" in text:
        text = _OPENING.sub(r"\1", _EMPTY_BRACKETS.sub("", text))
    if ")" in text or "]" in text:
        text = _CLOSING.sub(r"\1", text)
    text = _COMMA_STOP.sub(".", _DOUBLED.sub(r"\1", _BEFORE_MARK.sub(r"\1", text)))
    text = text.strip().lstrip(",;:.)]} ").strip()
    return text if _WORDS.search(text) else ""


def clean(paragraph: str) -> str:
    """Return one paragraph of a text that never was markup on one line: only spaces and control characters change."""
    return " ".join(printable(paragraph).split())


def plain_sections(text: str) -> tuple[Section, ...]:
    """Return a plain text under its headings; blank lines separate paragraphs, other line breaks are spaces."""
    return headed_sections(text, strict=True)


def headed_sections(text: str, dropped: frozenset[str] = frozenset(), strict: bool = False) -> tuple[Section, ...]:
    """Return a text whose headings are short lines of their own, or above a paragraph, under these headings.

    Args:
        text: with blank lines between paragraphs, as data sets of Wikipedia have it.
        dropped: headings, in lower case, of sections that go.
        strict: whether a line is a heading only where prose follows it, as in a text that may have none.
    """
    sections: list[Section] = []
    title, paragraphs = "", list[str]()
    blocks = [lines for block in _BLANK_LINE.split(_BREAK.sub("\n", text)) if (lines := _lines(block))]
    for i, lines in enumerate([*blocks, []]):
        following = lines[1:] or (blocks[i + 1] if i + 1 < len(blocks) else [])
        is_heading = bool(lines) and _is_heading(lines[0], following, dropped, strict)
        if (is_heading or not lines) and paragraphs:
            if title.lower().strip(" :.：") not in dropped:
                sections.append(Section(title, "\n\n".join(paragraphs)))
            paragraphs = []
        title = lines[0] if is_heading else title
        if paragraph := clean(" ".join(lines[1:] if is_heading else lines)):
            paragraphs.append(paragraph)
    return tuple(sections)


def _lines(block: str) -> list[str]:
    return [line for line in map(clean, block.split("\n")) if line]


def _is_heading(line: str, following: list[str], dropped: frozenset[str], strict: bool) -> bool:
    if line.lower().strip(" :.：") in dropped:
        return True
    limit = MAX_HEADING_CHARS * (DENSE_SHARE if is_dense(line) else 1)
    if len(line) > limit or _NO_HEADING.search(line) or line[0].islower() or not _LETTERS.search(line):
        return False
    if not strict:
        return bool(following)
    return (
        bool(following)
        and all(_STOP.search(part) for part in following)
        and not following[0][0].islower()
        and sum(map(len, following)) >= max(MIN_HEADED_CHARS * limit / MAX_HEADING_CHARS, 2 * len(line))
    )
