"""Wikitext to clean prose: what remains reads like the article, in its order and under its headings."""

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

from lvm_core.corpus.sources.prose import tidy
from lvm_core.corpus.sources.templates import render
from lvm_core.types import Section

DROPPED_SECTIONS = frozenset({
    "bibliography", "bibliography and further reading", "citations", "citations and notes", "cited sources",
    "cited works", "discography", "endnotes", "explanatory notes", "external links", "external sources",
    "filmography", "footnotes", "further reading", "further sources", "gallery", "general and cited references",
    "general references", "general sources", "image gallery", "informational notes",
    "notes", "notes and citations", "notes and references", "notes and sources", "online sources",
    "other sources", "primary sources", "reference notes", "references",
    "references and further reading", "references and notes", "references and sources", "references cited",
    "secondary sources", "see also", "see also and references", "selected bibliography", "selected discography",
    "selected filmography", "selected publications", "selected works", "sources", "sources and further reading",
    "sources and references", "web sources", "weblinks", "works cited",
})  # fmt: skip
"""Titles, in lower case, of sections that are lists of other texts; they go with all their subsections."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_REFERENCE = re.compile(r"<ref(?:\s[^<>]*)?/>|<ref(?:\s[^<>]*)?>.*?</ref\s*>", re.S | re.I)
_BLOCKS = (
    "gallery|timeline|score|imagemap|syntaxhighlight|source|pre|references|hiero|mapframe|graph|templatedata|table"
)
_BLOCK = re.compile(rf"<({_BLOCKS})(?:\s[^<>]*)?(?:/>|>.*?</\1\s*>)", re.S | re.I)
_MATH = re.compile(r"<(math|chem|ce)(?:\s[^<>]*)?>(.*?)</\1\s*>", re.S | re.I)
_SWITCH = re.compile(r"__[A-Z]{3,}__")
_HEADING = re.compile(r"^(={1,6})[ \t]*([^\n]*?)[ \t]*\1[ \t]*$", re.M)
_TABLE_START, _TABLE_END = re.compile(r"\s*:*\s*\{\|"), re.compile(r"\s*\|\}(?!\})")
_QUOTES = re.compile(r"'{2,5}")
_STRAY_LINK = re.compile(r"\[\[(?:[^\[\]|\n]*\|)?|\]\]|\{\{[^{}|\n]*\||\}\}\s*$", re.M)
_TAGS = (
    "div|span|onlyinclude|includeonly|noinclude|center|small|big|br|p|font|sub|sup|u|s|tt|code|var|i|b|em|poem|nowiki"
)
_STRAY_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.I)
_NO_AMOUNT = re.compile(
    r"\s?\((?:equivalent to|about|approximately|or|worth|equal to|roughly|around|\s)*(?:US|CA|AU|A)?[$£€]"
    r"(?![\s]*\d)[^()\d]*(?:\d{4})?[^()\d]*\)"
)
_NOT_TEXT = re.compile(r"\s*(?:file|image|media|category|datei|fichier)\s*:", re.I)
_INTERWIKI = re.compile(r":?[a-z]{2,3}(?:-[a-z-]+)?:")
_LIST_ITEM = re.compile(r"\s*:*[*#;|!]|-{4,}")
_SENTENCE_END = re.compile(r"[.!?…:][\"'”’»)\]]*\s*$")
_SUPERSCRIPT = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_DROPPED_TAGS = frozenset({
    "ref", "gallery", "references", "table", "timeline", "score", "imagemap", "syntaxhighlight", "source",
    "pre", "math",
})  # fmt: skip
_LATEX_WORDS = re.compile(
    r"\\(?:mathrm|text|mathbf|mathit|operatorname|displaystyle|textstyle|left|right|,|;|!|:|quad)"
)
_SYMBOLS = {
    r"\times": "×", r"\cdot": "·", r"\pi": "π", r"\alpha": "α", r"\beta": "β", r"\gamma": "γ", r"\delta": "δ",
    r"\theta": "θ", r"\lambda": "λ", r"\mu": "μ", r"\sigma": "σ", r"\omega": "ω", r"\phi": "φ", r"\epsilon": "ε",
    r"\leq": "≤", r"\geq": "≥", r"\le": "≤", r"\ge": "≥", r"\neq": "≠", r"\approx": "≈", r"\pm": "±", r"\in": "∈",
    r"\infty": "∞", r"\to": "→", r"\rightarrow": "→", r"\sum": "∑", r"\Delta": "Δ", r"\Omega": "Ω", r"\rho": "ρ",
    r"\varphi": "φ", r"\varepsilon": "ε", r"\psi": "ψ", r"\nu": "ν", r"\tau": "τ", r"\eta": "η", r"\ldots": "…",
    r"\dots": "…", r"\cup": "∪", r"\cap": "∩", r"\subset": "⊂", r"\subseteq": "⊆", r"\wedge": "∧", r"\vee": "∨",
}  # fmt: skip
MAX_FORMULA_CHARS = 60
MIN_INDENTED_CHARS = 40
MIN_PARAGRAPH_CHARS = 80


def sections(wikitext: str) -> tuple[Section, ...]:
    """Return the prose of an article, section by section; headings below the second level are joined by " / "."""
    titled = ((title, prose(body)) for title, body in _split(_without_blocks(wikitext)))
    return tuple(Section(title, text) for title, text in titled if text)


def prose(wikitext: str) -> str:
    """Return wikitext without headings as paragraphs separated by a blank line."""
    lines = (line.lstrip(": ") if _is_prose(line) else "" for line in _plain(wikitext).split("\n"))
    paragraphs = (tidy(paragraph) for paragraph in re.split(r"\n\s*\n", "\n".join(lines)))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph and not _is_label(paragraph))


def _plain(wikitext: str) -> str:
    import mwparserfromhell

    parsed = mwparserfromhell.parse(wikitext, skip_style_tags=True)
    text = _QUOTES.sub("", "".join(_texts(parsed.nodes)))
    # What the parser found no partner for, and entities that were escaped twice.
    return _NO_AMOUNT.sub("", _STRAY_TAG.sub("", _STRAY_LINK.sub("", html.unescape(text))))


def _is_prose(line: str) -> bool:
    """Tell prose from list items, table rows, and indented formulas."""
    if line.startswith(":") and not _LIST_ITEM.match(line):
        return bool(_SENTENCE_END.search(line)) and len(line) >= MIN_INDENTED_CHARS
    return not _LIST_ITEM.match(line)


def _is_label(paragraph: str) -> bool:
    """Tell a caption or a heading in bold from a paragraph."""
    return len(paragraph) < MIN_PARAGRAPH_CHARS and not _SENTENCE_END.search(paragraph)


def _without_blocks(text: str) -> str:
    text = _COMMENT.sub("", text)
    text = _REFERENCE.sub("", text)
    text = _BLOCK.sub("", text)
    text = _MATH.sub(lambda match: _formula(match[2]), text)
    return _SWITCH.sub("", _without_tables(text))


def _without_tables(text: str) -> str:
    if "{|" not in text:
        return text
    kept: list[str] = []
    inside: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += 1 if _TABLE_START.match(line) else 0
        (inside if depth else kept).append(line)
        if depth and _TABLE_END.match(line):
            depth -= 1
            inside = inside if depth else []
    # An unclosed table would swallow the rest of the article: the parser decides there.
    return "\n".join(kept + inside)


def _formula(latex: str) -> str:
    """Return a short formula as plain characters, a long one as an ellipsis."""
    text = _LATEX_WORDS.sub(" ", latex)
    text = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", text)
    text = re.sub(r"\((\w+)\)/\((\w+)\)", r"\1/\2", re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", text))
    for command, symbol in _SYMBOLS.items():
        text = re.sub(re.escape(command) + r"(?![A-Za-z])", symbol, text)
    text = re.sub(r"\^\{?([0-9n+-]+)\}?", lambda match: match[1].translate(_SUPERSCRIPT), text)
    text = re.sub(r"_\{?(\w+)\}?", r"\1", text).replace("{", "").replace("}", "")
    text = " ".join(text.split()).rstrip(",.;")
    return text if len(text) <= MAX_FORMULA_CHARS and "\\" not in text else "…"


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Yield (heading, body) of each section that is prose."""
    path: list[tuple[int, str]] = []
    dropped_at = 0
    title, start = "", 0
    for match in [*_HEADING.finditer(text), None]:
        if not dropped_at:
            yield title, text[start : match.start() if match else len(text)]
        if match is None:
            return
        level, start = len(match[1]), match.end()
        heading = tidy(_plain(match[2]))
        if dropped_at and level > dropped_at:
            continue
        dropped_at = level if heading.lower().strip(" :.") in DROPPED_SECTIONS else 0
        path = [(depth, name) for depth, name in path if depth < level] + [(level, heading)]
        title = " / ".join(name for _, name in path if name)


def _texts(nodes: list[Any]) -> Iterator[str]:
    for node in nodes:
        renderer = _RENDERERS.get(type(node).__name__)
        if renderer:
            yield renderer(node)


def _inner(code: Any) -> str:
    return "".join(_texts(code.nodes)) if code is not None else ""


def _wikilink(node: Any) -> str:
    target = str(node.title)
    if _NOT_TEXT.match(target):
        return ""
    if node.text is None:
        return "" if _INTERWIKI.match(target) else target.lstrip(": ").replace("_", " ").split("#")[0]
    return _inner(node.text)


def _template(node: Any) -> str:
    arguments = {str(p.name).strip(): _inner(p.value) for p in node.params}
    return render(_inner(node.name), arguments)


def _tag(node: Any) -> str:
    name = str(node.tag).lower().strip()
    if name in _DROPPED_TAGS:
        return ""
    if node.wiki_markup and not str(node.contents or ""):
        return str(node.wiki_markup)
    text = _inner(node.contents)
    if name in ("br", "p", "div", "blockquote", "center"):
        return f"\n\n{text}\n\n" if text else " "
    if name == "sup" and re.fullmatch(r"[0-9+\-−n]+", text.strip()):
        return text.strip().translate(_SUPERSCRIPT)
    return text


def _entity(node: Any) -> str:
    try:
        return str(node.normalize())
    except ValueError:
        return " "


_RENDERERS: dict[str, Callable[[Any], str]] = {
    "Text": lambda node: str(node.value),
    "Wikilink": _wikilink,
    "Template": _template,
    "Tag": _tag,
    "HTMLEntity": _entity,
    "ExternalLink": lambda node: _inner(node.title),
}
