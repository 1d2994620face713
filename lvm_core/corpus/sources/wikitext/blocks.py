"""What is taken out of wikitext before its words are read: comments, notes, galleries, code, tables, switches."""

import re

from lvm_core.corpus.sources.wikitext.formulas import formula

_DROPPED = (
    "ref|gallery|timeline|score|imagemap|syntaxhighlight|source|pre|references|hiero|mapframe|maplink|graph"
    "|templatedata|includeonly|table|inputbox|indicator|categorytree"
)
_OPENING = re.compile(rf"<!--|<({_DROPPED}|math|chem|ce|nowiki)((?:[\s/][^<>]*)?)>", re.I)
_ENDS = {name: re.compile(rf"</{name}\s*>", re.I) for name in (*_DROPPED.split("|"), "math", "chem", "ce", "nowiki")}
_NOTE_OR_END = re.compile(r"<ref(?:\s[^<>]*)?>|</ref\s*>", re.I)
_STOPS = ".!?"
_NESTED_TABLE = re.compile(r"<(/?)table\b[^<>]*>", re.I)
_SWITCH = re.compile(
    r"__(?:(?:NO|FORCE)?TOC|(?:NO)?NEWSECTIONLINK|NOEDITSECTION|NOGALLERY|HIDDENCAT|(?:NO)?INDEX|NOGLOBAL|DISAMBIG"
    r"|STATICREDIRECT|NO(?:CONTENT|TITLE)CONVERT|NOCC|NOTC)__"
    r"|^[ \t]*__[^\W\d_a-z](?:[^\W\da-z]|_(?!_)){1,30}__[ \t]*$",
    re.M,
)
"""Other languages' switches fill their line; `__STDC__` in a sentence is a word."""
_TABLE_START, _TABLE_END = re.compile(r"\s*:*\s*\{\|"), re.compile(r"\s*\|\}(?!\})")
_MARKUP = {ord(sign): f"&#{ord(sign)};" for sign in "[]{}'|=*#:;<>-!"}


def without_blocks(text: str) -> str:
    """Return wikitext without comments, notes, tables and what else is no prose; formulas become plain characters."""
    return _SWITCH.sub("", _without_tables("".join(_without_elements(text))))


def _without_elements(text: str) -> list[str]:
    parts: list[str] = []
    unclosed: set[str] = set()
    place = 0
    while match := _OPENING.search(text, place):
        parts.append(text[place : match.start()])
        name = (match[1] or "").lower()
        if not name:
            end = text.find("-->", match.end())
            place = end + 3 if end >= 0 else len(text)
            if _alone(text, match.start(), place):
                place += 1
        elif match[2].endswith("/"):
            parts.append("<nowiki/>" if name == "nowiki" else "")
            place = match.end()
        else:
            start, end = match.end(), -1
            if name not in unclosed:
                start, end, place = _inside(text, name, match.end())
            if end < 0:
                unclosed.add(name)
                place = match.end()
            else:
                between = text[match.start() - 1 : match.start()] in _STOPS and text[place : place + 1].isupper()
                parts.append(" " if name == "ref" and between else _content(name, text[start:end]))
    parts.append(text[place:])
    return parts


def _alone(text: str, start: int, end: int) -> bool:
    """Tell a comment that fills its line: it goes with the line, or it would end the paragraph."""
    return text[start - 1 : start] == "\n" and text[end : end + 1] == "\n"


def _inside(text: str, name: str, start: int) -> tuple[int, int, int]:
    """Return where an element's content starts and ends, and where the element ends; an end of -1: it is not closed."""
    if name == "table":
        return _inside_table(text, start)
    if name == "ref":
        return _inside_note(text, start)
    closing = _ENDS[name].search(text, start)
    return (start, closing.start(), closing.end()) if closing else (start, -1, start)


def _inside_note(text: str, start: int) -> tuple[int, int, int]:
    """Notes do not nest: one that opens before this one closes shows that this one was never closed."""
    place = start
    while match := _NOTE_OR_END.search(text, place):
        if match[0][1] == "/":
            return start, match.start(), match.end()
        if not match[0].endswith("/>"):
            return start, start, start
        place = match.end()
    return start, -1, start


def _inside_table(text: str, start: int) -> tuple[int, int, int]:
    depth = 1
    for tag in _NESTED_TABLE.finditer(text, start):
        depth += -1 if tag[1] else 1
        if not depth:
            return start, tag.start(), tag.end()
    return start, -1, start


def _content(name: str, text: str) -> str:
    if name in ("math", "chem", "ce"):
        return formula(text)
    if name == "nowiki":
        return text.translate(_MARKUP)
    return "\n\n" if name in ("table", "gallery") else ""


def _without_tables(text: str) -> str:
    if "{|" not in text:
        return text
    outside: list[str] = []
    inside: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += 1 if _TABLE_START.match(line) else 0
        (inside if depth else outside).append(line)
        if depth and _TABLE_END.match(line):
            depth -= 1
            if not depth:
                # A table ends the paragraph that it stands in.
                inside = []
                outside.append("")
    # An unclosed table would swallow the rest of the article: its lines are told apart later.
    return "\n".join(outside + inside)
