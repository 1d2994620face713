"""Bold and italics: MediaWiki pairs their apostrophes by line, so they are marks until a line is whole."""

import re

_MARKS = {n: chr(0xFDD0 + n) for n in (2, 3, 5)}
"""Characters that Unicode keeps for such uses, for italics, bold and both."""
_MARK = re.compile(f"[{''.join(_MARKS.values())}]")
_POSSESSIVE = re.compile(r"s\b")


def mark_of(quotes: str) -> str:
    """Return the mark of a run of apostrophes; of four and of more than five the first are text."""
    n = len(quotes)
    size = n if n in (2, 3) else 3 if n == 4 else 5
    return "'" * (n - size) + _MARKS[size]


def without_marks(text: str) -> str:
    """Return `text` without characters that would be read as marks."""
    return _MARK.sub("", text)


def paired_quotes(text: str) -> str:
    """Return `text` without the marks of bold and italics; one that has no partner on its line is an apostrophe.

    As MediaWiki does (Parser::doQuotes): with both unbalanced, one bold is an apostrophe and an italic.
    """
    if not _MARK.search(text):
        return text
    return "\n".join(_paired_line(line) for line in text.split("\n"))


def _paired_line(line: str) -> str:
    marks = _MARK.findall(line)
    n_bold = sum(mark != _MARKS[2] for mark in marks)
    n_italic = sum(mark != _MARKS[3] for mark in marks)
    if n_bold % 2 and n_italic % 2:
        place = _apostrophe_before_italic(line)
        if place >= 0:
            line = f"{line[:place]}'{line[place + 1 :]}"
    return _MARK.sub("", line)


def _apostrophe_before_italic(line: str) -> int:
    """Return where the bold stands that is an apostrophe: before an s, behind one letter, behind a word, or a space."""
    places: dict[str, int] = {}
    for match in re.finditer(_MARKS[3], line):
        before = line[max(0, match.start() - 2) : match.start()]
        if before[-1:].isalpha() and _POSSESSIVE.match(line, match.end()):
            places.setdefault("possessive", match.start())
        elif before[-1:] == " ":
            places.setdefault("space", match.start())
        elif before[:-1] == " ":
            places.setdefault("letter", match.start())
        else:
            places.setdefault("word", match.start())
    return next((places[kind] for kind in ("possessive", "letter", "word", "space") if kind in places), -1)
