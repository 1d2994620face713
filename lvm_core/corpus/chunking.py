"""An article to chunks: sentences, paragraphs, or episodes of sentences that belong together.

A chunk is a stretch `start:end` of `Document.text`, its whitespace made single spaces. Chunks follow one another
in reading order and together hold every word of the article.
"""

import re
from collections.abc import Iterator

from lvm_core.corpus.chunks import MAX_CHARS, ChunkSettings, EncodeTexts, NewChunk
from lvm_core.corpus.coherence import episodes
from lvm_core.types import Document, Section

Span = tuple[int, int]

_BREAKS = (re.compile(r"[;:][\"'”’)]?\s"), re.compile(r"\s[—–-]\s"), re.compile(r",[\"'”’)]?\s"), re.compile(r"\s"))
_OPENING = re.compile(r"\s([\"'“‘`(\[]+)\s*\Z")
_PARAGRAPH = re.compile(r"(?:(?!\n[ \t]*\n).)+", re.S)


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
    document = Document("", (Section("", text.replace("\r\n", "\n")),))
    return [chunk.text for chunk in chunk_document(document, settings, encode)]


def _chunks(document: Document, settings: ChunkSettings, longest: int) -> list[NewChunk]:
    text, chunks, offset = document.text, list[NewChunk](), 0
    by_sentence = settings.chunker != "paragraph"
    for section in document.sections:
        if not section.text:
            continue
        spans: list[Span] = []
        for paragraph in _PARAGRAPH.finditer(section.text):
            start, end = offset + paragraph.start(), offset + paragraph.end()
            pieces = _sentences(text, start, end, settings.language) if by_sentence else _stripped(text, start, end)
            spans.extend(_joined(list(pieces), settings.min_chars, longest))
        for start, end in _joined(spans, settings.min_chars, longest):
            for a, b in _pieces(text, start, end, longest):
                chunks.append(NewChunk(" ".join(text[a:b].split()), section.title, a, b))
        offset += len(section.text) + 2
    return chunks


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _sentences(text: str, start: int, end: int, language: str) -> Iterator[Span]:
    import sentencex

    first = place = start
    for sentence in sentencex.segment(language, text[start:end]):
        place += len(sentence)
        # ".NET" and "Yahoo!'s" are words, not ends.
        if place < end and text[place - 1] in ".!?" and (text[place].isalnum() or text[place] in "'’"):
            continue
        opening = _OPENING.search(text, first, place)
        boundary = opening.start(1) if opening else place
        yield from _stripped(text, first, boundary)
        first = boundary
    yield from _stripped(text, first, end)


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
        yield from _stripped(text, start, cut)
        start = next((place for place in range(cut, end) if not text[place].isspace()), end)
    yield from _stripped(text, start, end)


def _best_cut(text: str, target: float) -> int:
    """Return the place of a break near `target`: the strongest kind between half of it and the end of `text`."""
    for kind in _BREAKS:
        places = [match.end() for match in kind.finditer(text) if match.end() >= target / 2]
        if places:
            return min(places, key=lambda place: abs(place - target))
    return len(text)
