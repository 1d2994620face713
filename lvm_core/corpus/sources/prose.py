"""Plain text and Markdown to clean paragraphs, and the tidying that every source shares."""

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

_MD_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.M)
_MD_FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.M | re.S)
_MD_FRONT = re.compile(r"\A---\n.*?\n---\n", re.S)
_MD_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
_MD_LINK = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])")
_MD_LINE = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$|^[ \t]*\|.*$|^[ \t]*\[[^\]]+\]:.*$|^[ \t]*(?:=+|-+)[ \t]*$", re.M)
_MD_MARKER = re.compile(r"^[ \t]*(?:>[ \t]*)+|^[ \t]*(?:[-*+]|\d+[.)])[ \t]+", re.M)
_MD_STYLE = re.compile(r"(\*{1,3}|(?<!\w)_{1,3}|`+|~~)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_HTML = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.S)


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


def markdown_title(text: str) -> str:
    """Return the first heading of a Markdown text, or "" if it has none."""
    match = _MD_HEADING.search(_MD_FRONT.sub("", text.replace("\r\n", "\n")))
    return _unstyled(match[2]).strip() if match else ""


def markdown_sections(text: str) -> tuple[Section, ...]:
    """Return the prose of a Markdown text under its headings; code, tables and images go."""
    text = _MD_FENCE.sub("", _MD_FRONT.sub("", text.replace("\r\n", "\n")))
    found: list[Section] = []
    title, start, top = "", 0, markdown_title(text)
    for match in [*_MD_HEADING.finditer(text), None]:
        body = _markdown_prose(text[start : match.start() if match else len(text)])
        if body:
            found.append(Section("" if title == top else title, body))
        if match:
            title, start = _unstyled(match[2]).strip(), match.end()
    return tuple(found)


def _markdown_prose(text: str) -> str:
    text = _HTML.sub(" ", _MD_LINE.sub("", text))
    # Every item of a list is a paragraph of its own, or the items would run into one sentence.
    text = re.sub(r"^(?=[ \t]*(?:[-*+]|\d+[.)])[ \t]+)", "\n", text, flags=re.M)
    text = _unstyled(_MD_MARKER.sub("", text))
    return "\n\n".join(filter(None, (clean(part) for part in re.split(r"\n\s*\n", text))))


def _unstyled(text: str) -> str:
    text = _MD_LINK.sub(r"\1", _MD_IMAGE.sub("", text))
    return _MD_STYLE.sub(r"\2", _MD_STYLE.sub(r"\2", text))
