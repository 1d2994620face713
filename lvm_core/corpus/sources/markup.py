"""Pieces of markup found in linear time, whatever is repeated, nested or left open."""

import re
from collections.abc import Iterator

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)((?:[\s/][^<>]*)?)>")
_FLAGS = "hidden|open|controls|checked|disabled|reversed|nowrap|noshade|loop|muted|autoplay|defer|async|inline"
_ATTRIBUTES = re.compile(rf"(?:\s+[\w:@.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+)|\s+(?:{_FLAGS}))*\s*/?")
_INLINE = (
    "a abbr acronym applet area audio b base bdi bdo big blink button canvas caption cite code col colgroup data"
    " datalist del dfn em embed font frame frameset head html i iframe img input ins kbd label legend link map mark"
    " marquee math menu meta meter nobr noframes noscript object optgroup output param picture progress q rb rp rt rtc"
    " ruby s samp script select slot small source span strike strong style sub summary sup svg path g tbody template"
    " textarea tfoot thead time title track tt u var video wbr"
)
_BLOCKS = (
    "address article aside blockquote body br center dd details dialog dir div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol option p pre section summary table td th tr ul"
)
_ELEMENTS = frozenset(f"{_INLINE} {_BLOCKS}".split())
BLOCK_ELEMENTS = frozenset(_BLOCKS.split())
"""HTML elements that end a paragraph."""

_UNSEEN = ("script", "style", "template", "head", "noscript")


def without(text: str, opening: str, closing: str, instead: str = "") -> str:
    """Return `text` without what stands between `opening` and the next `closing`, both included.

    An opening that is never closed stays as it is.
    """
    return "".join(_outside(text, opening, closing, instead))


def _outside(text: str, opening: str, closing: str, instead: str) -> Iterator[str]:
    place = 0
    while (start := text.find(opening, place)) >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            break
        yield text[place:start]
        yield instead
        place = end + len(closing)
    yield text[place:]


def is_html(tag: str) -> bool:
    """Tell a tag of HTML from text in angle brackets, such as `Vec<String>` or `a<b and c>d`."""
    match = _TAG.fullmatch(tag)
    return bool(match and match[1].lower() in _ELEMENTS and _ATTRIBUTES.fullmatch(match[2]))


def html_text(text: str) -> str:
    """Return the words of a stretch of HTML, a blank line where a block begins or ends."""
    text = without(text, "<!--", "-->")
    for element in _UNSEEN:
        if f"<{element}" in text.lower():
            text = re.sub(rf"<{element}\b[^<>]*>(?:[^<]|<(?!/{element}))*</{element}\s*>", " ", text, flags=re.I)
    return _TAG.sub(_tag_text, text)


def _tag_text(match: re.Match[str]) -> str:
    if not is_html(match[0]):
        return match[0]
    return "\n\n" if match[1].lower() in BLOCK_ELEMENTS else ""
