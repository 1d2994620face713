"""Lines of rendered wikitext to paragraphs: what is a sentence stays, labels, rows and keywords go."""

import html
import re
from collections.abc import Iterator

from lvm_core.corpus.scripts import CLOSERS, DENSE_SHARE, SENTENCE_ENDS, is_dense
from lvm_core.corpus.sources.prose import tidy

MIN_INDENTED_CHARS = 40
MIN_PARAGRAPH_CHARS = 80
MIN_ITEM_CHARS = 25
MIN_ITEM_WORDS = 5
MIN_LAST_WORD_CHARS = 5

_MARKERS = re.compile(r"[ \t]*([*#;:]+)[ \t]*")
_ROW = re.compile(r"\s*(?:[|!]|-{4,})")
_ENDS = re.compile(rf"[{re.escape(SENTENCE_ENDS)}:：][{re.escape(CLOSERS)}]*\s*\Z")
_STOPS = re.compile(rf"[{re.escape(SENTENCE_ENDS)}][{re.escape(CLOSERS)}]*\s*\Z")
_INNER_STOP = re.compile(rf"(\S+)[.!?][{re.escape(CLOSERS)}]*\s+\S|[。！？।۔]\s*\S")
_SHORTENED = re.compile(r"\b(?:vs|cf|ca|approx|etc|no|op|feat|ft|ed|eds)\.\s", re.I)
_NO_AMOUNT = re.compile(
    r"\s?\((?:(?:the|equivalent|to|of|in|as|about|approximately|or|worth|equal|roughly|around)(?:\s?,)?\s){0,5}"
    r"(?:US|CA|AU|A)?[$£€](?!\s?\d)[^()\d]{0,60}(?:\d{4}[^()\d]{0,60})?\)"
)
"""An amount that a template would have worked out, in brackets of its own."""
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_CITATION = re.compile(
    r"\b(?:ISBN|ISSN|OCLC|doi|pp?\.\s?\d|[Vv]ol\.|eds?\.\)|et al\.|\d{4} est\.)|^[\w'’-]+, [A-Z][\w.]*[ ,(]"
)


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of rendered wikitext in order, each tidy and on one line."""
    waiting: list[str] = []
    for line in [*html.unescape(html.unescape(text)).split("\n"), ""]:
        words, is_item = _words(line)
        if words and not is_item:
            waiting.append(words)
            continue
        if waiting:
            yield from _kept(tidy(_NO_AMOUNT.sub("", " ".join(waiting))))
            waiting = []
        if words:
            yield from _kept_item(tidy(_NO_AMOUNT.sub("", words)))


def _words(line: str) -> tuple[str, bool]:
    """Return what of a line may be prose, and whether it is an item of a list."""
    if _ROW.match(line):
        return "", False
    markers = _MARKERS.match(line)
    if not markers or line[:1].isspace():
        return line.strip(), False
    words = line[markers.end() :]
    if ";" in markers[1]:
        return "", False
    if markers[1].strip(":"):
        return words, True
    long = bool(_ENDS.search(words)) and len(words) >= MIN_INDENTED_CHARS * _share(words)
    return (words, False) if long or is_sentence(words) else ("", False)


def _kept(paragraph: str) -> Iterator[str]:
    if paragraph and not is_label(paragraph):
        yield paragraph


def _kept_item(item: str) -> Iterator[str]:
    if is_sentence(item):
        yield item


def is_label(paragraph: str) -> bool:
    """Tell a caption or a heading in bold from a paragraph: it is short, and no sentence ends in it."""
    if len(paragraph) >= MIN_PARAGRAPH_CHARS * _share(paragraph) or _ENDS.search(paragraph):
        return False
    return not any(_ends_sentence(match[1] or "") for match in _INNER_STOP.finditer(_SHORTENED.sub(" ", paragraph)))


def _ends_sentence(word: str) -> bool:
    """Tell the last word of a sentence from an initial or a title such as "St."; "" stands for a stop of its own."""
    return not word or word[0].islower() or not word[-1].isalpha() or len(word) >= MIN_LAST_WORD_CHARS


def is_sentence(item: str) -> bool:
    """Tell an item of a list that is a full sentence from a name, a title or a reference."""
    if not _STOPS.search(item) or len(item) < MIN_ITEM_CHARS * _share(item) or item[:1].islower():
        return False
    if is_dense(item):
        return True
    words = _WORD.findall(item)
    small = sum(word[0].islower() or word[0] == word[0].upper() == word[0].lower() for word in words)
    return len(words) >= MIN_ITEM_WORDS and small * 2 >= len(words) and not _CITATION.search(item)


def _share(text: str) -> float:
    return DENSE_SHARE if is_dense(text) else 1.0
