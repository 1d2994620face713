"""An article to chunks: sentences, paragraphs, or episodes of sentences that belong together.

A chunk is a stretch `start:end` of `Document.text`, its whitespace made single spaces. Chunks follow one another
in reading order and together hold every word of the article.
"""

import re
from collections.abc import Iterator

from lvm_core.corpus.chunks import MAX_CHARS, ChunkSettings, EncodeTexts, NewChunk
from lvm_core.corpus.coherence import episodes
from lvm_core.corpus.scripts import likely_language
from lvm_core.corpus.sentences import Span, sentences, stripped
from lvm_core.corpus.sources.base import well_formed
from lvm_core.types import Document, Section

_BREAKS = (re.compile(r"[;:][\"'”’)]?\s"), re.compile(r"\s[—–-]\s"), re.compile(r",[\"'”’)]?\s"), re.compile(r"\s"))
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def chunk_document(document: Document, settings: ChunkSettings, encode: EncodeTexts | None = None) -> list[NewChunk]:
    """Return the chunks of an article, in order.

    Args:
        document: the article.
        settings: which chunker, and its limits.
        encode: texts to vectors (N, D); only the semantic chunker asks it.
    """
    if settings.chunker == "semantic":
        sentences = _chunks(document, settings, MAX_CHARS["sentence"])
        return episodes(document, sentences, settings, encode)
    return _chunks(document, settings, settings.longest)


def split_text(text: str, chunker: str = "sentence", encode: EncodeTexts | None = None, **limits: int) -> list[str]:
    """Return a pasted text as the texts of its chunks."""
    settings = ChunkSettings(chunker=chunker, **limits)  # type: ignore[arg-type]
    document = Document("", (Section("", well_formed(text).replace("\r\n", "\n")),))
    return [chunk.text for chunk in chunk_document(document, settings, encode)]


def _chunks(document: Document, settings: ChunkSettings, longest: int) -> list[NewChunk]:
    text, chunks, offset = document.text, list[NewChunk](), 0
    language = settings.language or document.language or likely_language(text)
    for section in document.sections:
        if not section.text:
            continue
        spans: list[Span] = []
        for start, end in _paragraphs(text, offset, offset + len(section.text)):
            by_sentence = settings.chunker != "paragraph"
            pieces = sentences(text, start, end, language) if by_sentence else stripped(text, start, end)
            spans.extend(_joined(list(pieces), settings.min_chars, longest))
        for start, end in _joined(spans, settings.min_chars, longest):
            for a, b in _pieces(text, start, end, longest):
                chunks.append(NewChunk(" ".join(text[a:b].split()), section.title, a, b))
        offset += len(section.text) + 2
    return chunks


def _paragraphs(text: str, start: int, end: int) -> Iterator[Span]:
    for blank in _BLANK_LINE.finditer(text, start, end):
        yield start, blank.start()
        start = blank.end()
    yield start, end


def _joined(spans: list[Span], shortest: int, longest: int) -> list[Span]:
    """Join spans shorter than `shortest` to the next one, the last to the one before, where `longest` allows."""
    joined: list[Span] = []
    for start, end in spans:
        if joined:
            before = joined[-1]
            short = min(before[1] - before[0], end - start) < shortest
            if short and end - before[0] <= longest and (before[1] - before[0] < shortest or end == spans[-1][1]):
                joined[-1] = before[0], end
                continue
        joined.append((start, end))
    return joined


def _pieces(text: str, start: int, end: int, longest: int) -> Iterator[Span]:
    """Cut a span that is longer than `longest` into parts of like length, at a clause where there is one."""
    while end - start > longest:
        n_parts = -(-(end - start) // longest)
        cut = start + _best_cut(text[start : start + longest], (end - start) / n_parts)
        yield from stripped(text, start, cut)
        start = next((place for place in range(cut, end) if not text[place].isspace()), end)
    yield from stripped(text, start, end)


def _best_cut(text: str, target: float) -> int:
    """Return the place of a break near `target`: the strongest kind between half of it and the end of `text`."""
    for kind in _BREAKS:
        places = [match.end() for match in kind.finditer(text) if match.end() >= target / 2]
        if places:
            return min(places, key=lambda place: abs(place - target))
    return len(text)
