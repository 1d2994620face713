"""Source to corpus: read, clean, chunk and store, in order and in constant memory."""

import contextlib
import hashlib
import heapq
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

from lvm_core.config import check
from lvm_core.corpus.chunks import EncodeTexts, NewChunk
from lvm_core.corpus.elsewhere import parts_elsewhere
from lvm_core.corpus.parallel import chunk_articles
from lvm_core.corpus.settings import IngestSettings as IngestSettings
from lvm_core.corpus.sources import open_source
from lvm_core.corpus.sources.base import RawArticle, Skipped, Source, mended
from lvm_core.corpus.sources.parts import Parts
from lvm_core.corpus.timings import Cost, Stopwatch, export
from lvm_core.corpus.writing import CorpusWriter, check_name, refuse_existing
from lvm_core.errors import CorpusError, SettingsError, SourceError, WorkspaceError
from lvm_core.executors import Executor
from lvm_core.json_shapes import Json
from lvm_core.types import Progress, no_progress
from lvm_core.wording import counted
from lvm_core.workspace import Workspace, need_space

SPACE_BYTES = 10_000_000


@dataclass(slots=True)
class IngestReport:
    """What became of a source. `skipped` counts by reason what was not taken; `examples` names some of it."""

    corpus: str
    n_documents: int
    n_chunks: int
    n_chars: int
    digest: str
    licence: str
    seconds: float
    skipped: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    warning: str = ""

    def to_json(self) -> Json:
        """Return the report as plain values."""
        return asdict(self)


def ingest(
    workspace: Workspace,
    source: str | Sequence[str],
    corpus: str,
    settings: IngestSettings | None = None,
    progress: Progress = no_progress,
    encode: EncodeTexts | None = None,
    elsewhere: Executor | None = None,
) -> IngestReport:
    """Read `source` into the new corpus `corpus` and return what became of it.

    Args:
        workspace: where it is stored.
        source: a path, "hf:NAME", or a corpus that comes with the studio ("enwiki-sample", "vital-leads"); several
            are read one behind the other.
        corpus: its name.
        settings: what to take and how to cut it.
        progress: told the share read, with rate and time left.
        encode: texts to vectors, for the semantic chunker.
        elsewhere: who reads, cleans and cuts, a source a task; the corpus is the same.

    Raises:
        SettingsError: for a random subset, or the semantic chunker, elsewhere.
        SourceError: if the source cannot be read.
        CorpusError: if the name is taken, another process writes it, or no article remains.
        WorkspaceError: if the disk is full or read-only.
    """
    settings = check(settings or IngestSettings())
    check_name(corpus)
    refuse_existing(workspace, corpus, settings.replace)
    sources = [source] if isinstance(source, str) else list(source)
    parts = [open_source(one, settings) for one in sources]
    opened: Source = parts[0] if len(parts) == 1 else Parts(parts)
    if elsewhere is not None:
        _check_elsewhere(settings)
    need_space(workspace.root, SPACE_BYTES)
    skipped, start, stopwatch = Skipped(), time.monotonic(), Stopwatch()
    cost, before = Cost(), workspace.database_bytes()
    selected = _selected(opened, settings, skipped, progress)
    with (
        contextlib.closing(selected),
        CorpusWriter(workspace, corpus, opened.description, settings.chunker, replace=settings.replace) as writer,
    ):
        meter = _Meter(opened, writer, settings, progress)
        articles = _Guarded(selected, settings.keep_partial)
        if elsewhere is None:
            cut = _chunked(stopwatch.each("reading", mended(articles, skipped)), settings, skipped, encode)
        else:
            cut = parts_elsewhere(workspace, sources, settings, skipped, elsewhere, progress)
        for title, chunks in stopwatch.each("chunking", cut):
            with stopwatch.spent("storing"):
                writer.add(title, chunks)
            if elsewhere is None:
                meter.tell()
            if settings.limit and writer.n_documents >= settings.limit:
                break
        if not writer.n_documents:
            raise _nothing(", ".join(sources), skipped, settings, articles.warning)
        licence = settings.licence or opened.licence
        report = IngestReport(
            corpus, writer.n_documents, writer.n_chunks, writer.n_chars, "", licence,
            round(time.monotonic() - start, 2), dict(skipped.counts), skipped.examples, articles.warning,
        )  # fmt: skip
        facts = cost.facts(n_bytes=max(workspace.database_bytes() - before, 0))
        stages = stopwatch.details(settings.chunker, facts)
        details = {"source": ", ".join(sources), "settings": asdict(settings), **stages}
        info = writer.finish({**details, **report.to_json()}, licence)
    with contextlib.suppress(WorkspaceError):
        export(workspace, corpus)
    report.digest = info.digest
    progress(1.0, f"{report.n_documents:,} articles, {report.n_chunks:,} chunks in {report.seconds:.1f} s")
    return report


def _check_elsewhere(settings: IngestSettings) -> None:
    if settings.sample is not None or settings.chunker == "semantic" or settings.keep_partial:
        raise SettingsError(
            [
                "A random subset, episodes (--chunker semantic) or what comes before a damage (--keep-partial) was"
                " asked of several machines; expected one process for that: leave it out, or say --on local."
            ]
        )


class _Guarded:
    """Articles up to the first damage, which ends them quietly where a part may be kept."""

    def __init__(self, articles: Iterable[RawArticle], keep_partial: bool) -> None:
        self._articles, self._keep_partial = articles, keep_partial
        self.warning = ""

    def __iter__(self) -> Iterator[RawArticle]:
        try:
            yield from self._articles
        except SourceError as error:
            if not self._keep_partial:
                raise
            self.warning = f"Only the part before the damage was kept. {error}"


class _Meter:
    """Tells how far the reading is."""

    def __init__(self, source: Source, writer: CorpusWriter, settings: IngestSettings, progress: Progress) -> None:
        self._source, self._writer, self._progress = source, writer, progress
        self._wanted = min(settings.limit or settings.sample or 0, settings.sample or settings.limit or 0)
        self._start = time.monotonic()

    def tell(self) -> None:
        n, elapsed = self._writer.n_documents, max(time.monotonic() - self._start, 1e-6)
        share = max(min(self._source.share, 0.999), n / self._wanted if self._wanted else 0.0)
        left = f", {elapsed * (1 - share) / share:.0f} s left" if 0 < share < 1 and elapsed > 1 else ""
        self._progress(
            min(share, 0.999),
            f"{n:,} articles, {self._writer.n_chunks:,} chunks, {self._writer.n_chunks / elapsed:,.0f} chunks/s{left}",
        )


def _selected(source: Source, settings: IngestSettings, skipped: Skipped, progress: Progress) -> Generator[RawArticle]:
    """Yield all articles, or a random subset of them in their order, found in a first pass over the source."""
    if settings.sample is None:
        yield from source.articles(skipped)
        return
    places = _sampled_places(source, settings.sample, settings, progress)
    with contextlib.closing(source.articles(skipped)) as articles:
        for place, article in enumerate(articles):
            if place in places:
                yield article
            else:
                skipped.counts["articles outside the random subset"] += 1


def _sampled_places(source: Source, n: int, settings: IngestSettings, progress: Progress) -> set[int]:
    """Return the places of the n articles whose hashes of seed and title are smallest: memory for n alone."""
    heap: list[tuple[int, int]] = []
    with contextlib.closing(source.articles(Skipped())) as articles:
        for place, article in enumerate(_Guarded(articles, settings.keep_partial)):
            key = f"{settings.seed}\x1f{article.title}\x1f{place}".encode()
            rank = int.from_bytes(hashlib.sha256(key).digest()[:8])
            if len(heap) < n:
                heapq.heappush(heap, (-rank, place))
            elif -rank > heap[0][0]:
                heapq.heapreplace(heap, (-rank, place))
            progress(0.0, f"choosing {n:,} of {place + 1:,} articles, {source.share:.0%} of the source")
    return {place for _, place in heap}


def _chunked(
    articles: Iterable[RawArticle], settings: IngestSettings, skipped: Skipped, encode: EncodeTexts | None
) -> Iterator[tuple[str, list[NewChunk]]]:
    for title, chunks in chunk_articles(articles, settings, settings.workers, encode):
        if len(chunks) >= settings.min_chunks:
            yield title, chunks
        else:
            skipped.add(f"articles of fewer than {settings.min_chunks} chunks", title)


def _nothing(source: str, skipped: Skipped, settings: IngestSettings, warning: str) -> CorpusError:
    reasons = ", ".join(counted(n, reason) for reason, n in skipped.counts.items()) or "the source gave none"
    return CorpusError(
        f"No article of '{source}' could be taken: {reasons}",
        f"articles of at least {settings.min_chunks} chunks of text",
        f"Lower that with --min-chunks 1, or give another source. {warning}".strip(),
    )
