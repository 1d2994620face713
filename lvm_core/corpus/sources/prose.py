"""Plain text to clean paragraphs, and the tidying that every source shares."""

import re
import unicodedata

from lvm_core.types import Section

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe]")
_SPACE = re.compile(r"\s+")
_EMPTY_BRACKETS = re.compile(r"\s*[(\[](?:pronounced|pronunciation|IPA|or|and|also|from|in|[\s,;:.–—/-])*[)\]]")
_OPENING = re.compile(r"([(\[])[\s,;:.]+(?=\S)")
_CLOSING = re.compile(r"(?<![\s,;:])[\s,;:]+([)\]])")
_BEFORE_MARK = re.compile(r"\s+([,;:!?](?=\s|$)|\.(?=\s|$))")
_DOUBLED = re.compile(r"([,;:])(?:\s*[,;:])+")
_COMMA_STOP = re.compile(r"[,;:]\s*\.(?=\s|$)")
_LETTERS = re.compile(r"[^\W\d_]")
MIN_LETTERS = 2


def tidy(paragraph: str) -> str:
    """Return one paragraph on one line, without what removed markup left behind; "" if no words remain."""
    text = _CONTROL.sub("", unicodedata.normalize("NFC", paragraph))
    text = _SPACE.sub(" ", text)
    text = _EMPTY_BRACKETS.sub("", text)
    text = _CLOSING.sub(r"\1", _OPENING.sub(r"\1", text))
    text = _COMMA_STOP.sub(".", _DOUBLED.sub(r"\1", _BEFORE_MARK.sub(r"\1", text)))
    text = text.strip().lstrip(",;:.)]} ").strip()
    return text if len(_LETTERS.findall(text)) >= MIN_LETTERS else ""


def clean(paragraph: str) -> str:
    """Return one paragraph of a text that never was markup on one line: only spaces and control characters change."""
    return _SPACE.sub(" ", _CONTROL.sub("", unicodedata.normalize("NFC", paragraph))).strip()


def plain_sections(text: str) -> tuple[Section, ...]:
    """Return a plain text as one section; blank lines separate paragraphs, other line breaks are spaces."""
    paragraphs = filter(None, (clean(part) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))))
    joined = "\n\n".join(paragraphs)
    return (Section("", joined),) if joined else ()
