"""Concept tables in PostgreSQL read into corpora; an import that was killed goes on where it was."""

import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from lvm_core.boundary.values import one_line
from lvm_core.corpus.sources.base import Skipped
from lvm_core.corpus.timings import Stopwatch
from lvm_core.corpus.writing import CorpusWriter, check_name, refuse_existing
from lvm_core.errors import SourceError
from lvm_core.exchange.incoming import (
    N_PROBES,
    Incoming,
    Space,
    claim_encoder,
    half_done,
    paired,
    usable,
    write_incoming,
)
from lvm_core.exchange.postgres.connection import ServerGone, connected
from lvm_core.exchange.postgres.read import Row, probe_rows, read_rows, state_of_table
from lvm_core.exchange.postgres.table import TableInfo, inspect_table
from lvm_core.exchange.staging import Staging
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace, need_space

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

UNORDERED_ARTICLE = 1_000
"""Chunks to an article where a table knows no articles; such a corpus is marked as unordered."""

READING_SHARE = 0.6
"""Of an import's progress; the rest is storing."""

TEXT_BYTES = 1_500
"""Of one row on disk beside its vectors: generous for a text, its search index and ids."""


class TableImported(TypedDict):
    """What became of a table: rows that an earlier import had read, and what each stage took in seconds, among it."""

    corpus: str
    n_rows: int
    n_chunks: int
    n_articles: int
    dim: int
    encoder: str
    verified: bool
    about_encoder: str
    ordered: bool
    skipped: dict[str, int]
    warning: str
    rows_from_before: int
    table_changed: bool
    seconds: dict[str, float]


def import_postgres(
    workspace: Workspace,
    url: str,
    corpus: str,
    table: str = "cpe_entry",
    dataset_source: str | None = None,
    encoder: str = "",
    replace: bool = False,
    progress: Progress = no_progress,
) -> TableImported:
    """Read a table of concepts into an indexed corpus with its vectors and return a report.

    The order of chunks is taken from an article and a position column, never guessed: without them the corpus is
    marked as unordered. The table is read in a read-only transaction, batch by batch onto this disk; the corpus
    appears whole or not at all. An import that was killed, or whose server died, goes on after the last batch when it
    is run again. Where the table was changed meanwhile, it begins anew and says so.

    Args:
        workspace: where the corpus goes.
        url: address of the database.
        corpus: its name.
        table: `table` or `schema.table`.
        dataset_source: only rows of this source.
        encoder: name of the encoder that made the vectors, checked where it is here; "" if unknown.
        replace: whether a corpus of that name may be replaced.
        progress: told the rows done.

    Raises:
        SourceError: if the server, the table or its rows cannot be read.
        SpaceMismatch: if the vectors are not of the encoder named.
        CorpusError: if the corpus exists, or another process reads one in under its name.
    """
    check_name(corpus)
    replace = replace or half_done(workspace, corpus)
    refuse_existing(workspace, corpus, replace)
    with contextlib.ExitStack() as stack:
        source, staging = _fetch(workspace, corpus, _Wanted(url, table, dataset_source, encoder), stack, progress)
        writer = CorpusWriter(workspace, corpus, f"PostgreSQL table {table}", "as imported",
                              ordered=source.info.ordered, replace=replace)  # fmt: skip
        report = _store(workspace, source, staging, writer, progress)
        staging.drop()
    return report


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which rows are to be read, and the encoder that is said to have made their vectors."""

    url: str
    table: str
    dataset_source: str | None
    encoder: str


@dataclass(frozen=True, slots=True)
class _Source:
    """A table, what its vectors are, and the state it is in."""

    info: TableInfo
    dim: int
    space: Space
    key: str


def _fetch(
    workspace: Workspace, corpus: str, wanted: _Wanted, stack: contextlib.ExitStack, progress: Progress
) -> tuple[_Source, Staging]:
    """Return what the table is, and all of its rows on this disk until `stack` is left.

    Raises:
        SourceError: if the server stops; what came before is kept where the table's state can be known again.
    """
    source = staging = None
    try:
        with connected(wanted.url, readonly=True) as connection:
            source = _look(connection, wanted)
            need_space(workspace.root, source.info.n_rows * (source.dim * 8 + TEXT_BYTES))
            staging = stack.enter_context(Staging(workspace, corpus, source.key))
            _read(connection, source.info, staging, progress)
    except ServerGone as error:
        if source is None or staging is None or not staging.key:
            raise
        given, expected, remedy = error.parts
        kept = f"{staging.n_rows:,} of {source.info.n_rows:,} rows are kept: the same command goes on after them."
        raise SourceError(given, expected, f"{remedy} {kept}") from None
    except SourceError:  # it would be refused again: nothing to go on with
        if staging is not None:
            staging.drop()
        raise
    return source, staging


def _store(
    workspace: Workspace, source: _Source, staging: Staging, writer: CorpusWriter, progress: Progress
) -> TableImported:
    """Make the corpus of the staged rows and return the report.

    Raises:
        SourceError: if no row can be used; they are dropped, since there is nothing to go on with.
    """
    skipped, unreadable, stopwatch = Skipped(), Skipped(), Stopwatch()
    stopwatch.seconds["reading"] = staging.seconds
    rows = _reported(staging, source.info.n_rows, progress)
    articles = _articles(_watched(rows, unreadable), source.info.ordered, source.dim, skipped)
    try:
        stored = write_incoming(workspace, writer, articles, source.space.encoder_id, skipped, stopwatch)
    except SourceError:
        staging.drop()
        raise
    progress(1.0, f"{stored.n_chunks:,} chunks")
    return {
        "corpus": stored.name, "n_rows": source.info.n_rows, "n_chunks": stored.n_chunks,
        "n_articles": stored.n_documents, "dim": source.dim,
        "encoder": source.space.encoder_id, "verified": source.space.verified, "about_encoder": source.space.about,
        "ordered": source.info.ordered, "skipped": dict(skipped.counts),
        "warning": " ".join(filter(None, [source.info.order.problem, source.info.order.note, *_sentences(unreadable)])),
        "rows_from_before": staging.n_before, "table_changed": staging.changed,
        "seconds": {stage: round(seconds, 2) for stage, seconds in stopwatch.seconds.items()},
    }  # fmt: skip


def _look(connection: "Connection", wanted: _Wanted) -> _Source:
    info = inspect_table(connection, wanted.table, wanted.dataset_source)
    if not info.n_rows:
        where = f" with dataset_source '{wanted.dataset_source}'" if wanted.dataset_source else ""
        raise SourceError(
            f"Table '{wanted.table}' has no rows{where}", "at least one", "Check --table and --dataset-source."
        )
    probe = [row for row in probe_rows(connection, info) if row.vector is not None and len(row.vector)]
    if not probe:
        others = [name for name, column in info.columns.items() if column.vector_kind and name != "concept_vec"]
        more = f" Other columns of vectors: {', '.join(others)}; a view can name one concept_vec." if others else ""
        raise SourceError(
            f"Table '{info.vectors}' holds no vectors: every concept_vec looked at is NULL or has NULLs",
            "at least one of numbers alone",
            f"Fill that column, or give another table with --table.{more}",
        )
    vectors = [row.vector for row in probe if row.vector is not None]
    dim = Counter(len(vector) for vector in vectors).most_common(1)[0][0]
    same = [(row.text, vector) for row, vector in zip(probe, vectors, strict=True) if len(vector) == dim][:N_PROBES]
    stacked = np.stack([vector for _, vector in same])
    digest = hashlib.sha256(np.ascontiguousarray(stacked).tobytes()).hexdigest()
    space = claim_encoder(wanted.encoder, [text for text, _ in same], stacked, digest)
    return _Source(info, dim, space, state_of_table(connection, info))


def _read(connection: "Connection", info: TableInfo, staging: Staging, progress: Progress) -> None:
    """Bring the rows that are not staged yet onto this disk."""
    start, before = time.monotonic(), staging.n_rows

    def take(row: Row) -> None:
        if staging.put(row):
            rate = (staging.n_rows - before) / max(time.monotonic() - start, 1e-6)
            left = (info.n_rows - staging.n_rows) / rate
            progress(
                READING_SHARE * staging.n_rows / info.n_rows,
                f"{staging.n_rows:,} of {info.n_rows:,} rows read, {rate:,.0f}/s, {left:.0f} s left",
            )

    if before >= info.n_rows:
        return
    progress(READING_SHARE * before / info.n_rows, f"going on after {before:,} rows" if before else "sorting the rows")
    try:
        read_rows(connection, info, take, skip=before)
    finally:
        staging.flush()


def _watched(rows: Iterator[Row], unreadable: Skipped) -> Iterator[Row]:
    """Yield the rows, counting texts of a server without an encoding (SQL_ASCII) that are not UTF-8."""
    for row in rows:
        if "\ufffd" in row.text:
            unreadable.add("texts hold U+FFFD, which stands for bytes that are not UTF-8")
        yield row


def _sentences(counted: Skipped) -> list[str]:
    return [f"{n:,} {what}." for what, n in counted.counts.items()]


def _reported(staging: Staging, total: int, progress: Progress) -> Iterator[Row]:
    """Yield the staged rows, telling how far they are stored."""
    start = time.monotonic()
    for done, row in enumerate(staging.rows()):
        if done % 1_000 == 0 and done:
            rate = done / max(time.monotonic() - start, 1e-6)
            progress(
                READING_SHARE + (0.99 - READING_SHARE) * min(done / total, 1.0),
                f"{done:,} of {total:,} rows stored, {rate:,.0f}/s, {max(total - done, 0) / rate:.0f} s left",
            )
        yield row


def _articles(rows: Iterator[Row], ordered: bool, dim: int, skipped: Skipped) -> Iterator[Incoming]:
    usable_rows = (row for row in rows if _is_usable(row, dim, skipped))
    if ordered:
        for _, group in groupby(usable_rows, key=lambda row: row.article):
            first = next(group)
            yield _incoming(one_line(first.title) or "untitled", chain([first], group))  # noqa: B031 - once
        return
    for number, row in enumerate(usable_rows, start=1):  # each article takes its further rows from the same iterator
        yield _incoming(f"concepts, part {number}", chain([row], islice(usable_rows, UNORDERED_ARTICLE - 1)))


def _is_usable(row: Row, dim: int, skipped: Skipped) -> bool:
    if row.flaw:
        skipped.add(row.flaw)
    elif usable(row.vector, dim, skipped):
        if row.text.strip():
            return True
        skipped.add("chunks without text")
    return False


def _incoming(title: str, rows: Iterator[Row]) -> Incoming:
    return Incoming(
        title, paired((row.text, row.tmd, row.cpe_id, row.vector) for row in rows if row.vector is not None)
    )
