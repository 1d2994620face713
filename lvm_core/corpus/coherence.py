"""Episodes: sentences joined for as long as each follows closely on the one before it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lvm_core.corpus.chunks import ChunkSettings, EncodeTexts, NewChunk
from lvm_core.errors import CorpusError
from lvm_core.types import Document
from lvm_core.vectors.geometry import follow_similarity


def episodes(
    document: Document, sentences: list[NewChunk], settings: ChunkSettings, encode: EncodeTexts | None
) -> list[NewChunk]:
    """Return sentences grouped into episodes, each with its similarity to the sentence before it.

    A boundary is where neighbouring sentences are less alike than the article's mean similarity by
    `settings.threshold` standard deviations, where a section ends, or where the episode would grow too long.

    Raises:
        CorpusError: without an encoder.
    """
    if encode is None:
        raise CorpusError(
            "The semantic chunker needs an encoder to compare sentences by their vectors, and none was given",
            "the name of one",
            "Choose one with --encoder, or another chunker with --chunker sentence.",
        )
    if not sentences:
        return []
    similarity = follow_similarity(encode([sentence.text for sentence in sentences]))
    followers = similarity[1:]
    limit = float(followers.mean() - settings.threshold * followers.std()) if len(followers) else 0.0
    return [
        _episode(document.text, sentences[run[0]], sentences[run[-1]], float(similarity[run[0]]))
        for run in _runs(sentences, similarity, limit, settings)
    ]


def _runs(
    sentences: list[NewChunk], similarity: NDArray[np.float32], limit: float, settings: ChunkSettings
) -> Iterator[range]:
    first = 0
    for i in range(1, len(sentences) + 1):
        if i == len(sentences) or _ends_before(i, first, sentences, float(similarity[i]) < limit, settings):
            yield range(first, i)
            first = i


def _ends_before(i: int, first: int, sentences: list[NewChunk], drops: bool, settings: ChunkSettings) -> bool:
    long_enough = sentences[i - 1].end - sentences[first].start >= settings.min_chars
    too_long = sentences[i].end - sentences[first].start > settings.longest
    return too_long or sentences[i].section != sentences[first].section or (drops and long_enough)


def _episode(text: str, first: NewChunk, last: NewChunk, similarity: float) -> NewChunk:
    joined = " ".join(text[first.start : last.end].split())
    coherence = None if np.isnan(similarity) else similarity
    return NewChunk(joined, first.section, first.start, last.end, coherence)
