"""Raw articles to chunks, in order, by one process or by several."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import fields

from lvm_core.corpus.chunking import chunk_document
from lvm_core.corpus.chunks import ChunkSettings, EncodeTexts, NewChunk
from lvm_core.corpus.sources import to_document
from lvm_core.corpus.sources.base import RawArticle
from lvm_core.errors import CorpusError

Chunked = tuple[str, list[NewChunk]]

WAITING_EACH = 8
"""Articles under way for each process: enough to keep it busy, few enough to keep memory the same."""


def chunk_articles(
    articles: Iterable[RawArticle], settings: ChunkSettings, workers: int = 1, encode: EncodeTexts | None = None
) -> Iterator[Chunked]:
    """Yield the title and the chunks of each article, in order.

    Args:
        articles: what to clean and cut.
        settings: how.
        workers: processes that work side by side; the semantic chunker works in this one, beside its encoder.
        encode: texts to vectors, for the semantic chunker.

    Raises:
        CorpusError: if a worker is killed.
    """
    if workers == 1 or encode is not None:
        for article in articles:
            yield article.title, chunk_document(to_document(article), settings, encode)
        return
    yield from _side_by_side(articles, settings, workers)


def _side_by_side(articles: Iterable[RawArticle], settings: ChunkSettings, workers: int) -> Iterator[Chunked]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # A fork would copy the threads' locks of whoever calls; only what cutting needs travels to the workers.
    plain = ChunkSettings(**{field.name: getattr(settings, field.name) for field in fields(ChunkSettings)})
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    under_way: deque[Future[Chunked]] = deque()
    try:
        for article in articles:
            under_way.append(pool.submit(_chunk_one, article, plain))
            if len(under_way) >= workers * WAITING_EACH:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool as error:
        raise CorpusError(
            "A process that cut articles was killed, most likely because memory ran out",
            "enough memory for each",
            "Try again with fewer of them: --workers 1",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _chunk_one(article: RawArticle, settings: ChunkSettings) -> Chunked:
    return article.title, chunk_document(to_document(article), settings)
