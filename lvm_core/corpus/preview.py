"""What a source would become: its first articles with their chunks, nothing stored."""

from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from lvm_core.config import check
from lvm_core.corpus.chunks import EncodeTexts, NewChunk
from lvm_core.corpus.ingest import IngestSettings
from lvm_core.corpus.parallel import chunk_articles
from lvm_core.corpus.sources import open_source
from lvm_core.corpus.sources.base import Skipped, mended


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a source: what it is, its first articles, and what was passed over on the way to them."""

    description: str
    licence: str
    articles: list[tuple[str, list[NewChunk]]]
    """Title and chunks, in order."""
    skipped: Skipped


def preview(
    source: str, n: int = 3, settings: IngestSettings | None = None, encode: EncodeTexts | None = None
) -> Preview:
    """Return the first `n` articles of `source` as `ingest` would store them, without storing anything.

    A random subset is not drawn: that takes a pass over the whole source.

    Args:
        source: a path, "hf:NAME", or a corpus that comes with the studio.
        n: how many articles.
        settings: how they are read and cut; articles of fewer chunks than they ask for are passed over.
        encode: texts to vectors, for the semantic chunker.

    Raises:
        SourceError: if the source cannot be read.
    """
    settings = check(settings or IngestSettings())
    opened, skipped = open_source(source, settings), Skipped()
    with closing(opened.articles(skipped)) as raw:
        chunked = chunk_articles(mended(raw, skipped), settings, encode=encode)
        articles = list(islice((pair for pair in chunked if len(pair[1]) >= settings.min_chunks), n))
    return Preview(opened.description, settings.licence or opened.licence, articles, skipped)
