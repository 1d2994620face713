"""Concept tables in PostgreSQL, in and out."""

import re
import uuid
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from lvm_core.corpus.chunking import NewChunk
from lvm_core.corpus.postgres import (
    Row,
    connected,
    create_table,
    inspect_table,
    read_rows,
    vector_type_for,
    write_rows,
)
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.writing import CorpusWriter, refuse_existing
from lvm_core.errors import SourceError
from lvm_core.exchange.incoming import Incoming, Skipped, claim_encoder, usable, write_incoming
from lvm_core.types import Chunk, Progress, no_progress
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace

BLOCK = 2_000
UNORDERED_ARTICLE = 1_000
"""Chunks to an article where a table knows no articles; such a corpus is marked as unordered."""

NAMESPACE = uuid.UUID("6c766d2d-7374-5564-696f-636f72707573")
"""Chunks without an id of their own get a UUID made of the corpus digest and their row: the same at each export."""


def import_postgres(
    workspace: Workspace,
    url: str,
    corpus: str,
    table: str = "cpe_entry",
    dataset_source: str | None = None,
    encoder: str = "",
    replace: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Read a table of concepts into a corpus with its vectors and return a report.

    The order of chunks is taken from an article and a position column, never guessed: without them the corpus is
    marked as unordered. The table is read in a read-only transaction. The corpus appears whole or not at all, so
    an import that was killed is simply run again and makes no doubles.

    Args:
        workspace: where the corpus goes.
        url: address of the database.
        corpus: its name.
        table: `table` or `schema.table`.
        dataset_source: only rows of this source.
        encoder: name of the encoder that made the vectors, checked where it is here; "" if unknown.
        replace: whether a corpus of that name may be replaced.
        progress: told the chunks done.

    Raises:
        SourceError: if the server, the table or its rows cannot be read.
        SpaceMismatch: if the vectors are not of the encoder named.
        CorpusError: if the corpus exists.
    """
    refuse_existing(workspace, corpus, replace)
    skipped = Skipped()
    with connected(url, readonly=True) as connection:
        info = inspect_table(connection, table, dataset_source)
        if not info.n_rows:
            where = f" with dataset_source '{dataset_source}'" if dataset_source else ""
            raise SourceError(f"Table '{table}' has no rows{where}. Check --dataset-source.")
        probe = _probe(connection, table, dataset_source)
        dim = len(probe[0].vector) if probe and probe[0].vector is not None else 0
        if not dim:
            raise SourceError(f"Table '{table}' holds no vectors: every concept_vec looked at is NULL.")
        known = np.stack([row.vector for row in probe if row.vector is not None and len(row.vector) == dim])
        space, verified, about = claim_encoder(encoder, [row.text for row in probe], known, f"{_digest(known)}")
        with _Spool(workspace) as spool:
            progress(0.0, f"reading {info.n_rows:,} rows")
            read_rows(connection, table, info, dataset_source, spool.put)
            writer = CorpusWriter(
                workspace, corpus, source=f"PostgreSQL table {table}", chunker="as imported",
                ordered=info.ordered, replace=replace,
            )  # fmt: skip
            articles = _articles(spool.rows(), info.ordered, dim, skipped)
            stored = write_incoming(workspace, writer, articles, space, info.n_rows, skipped, progress)
    warning = "" if info.ordered else (
        "The table has no article and position columns, so the order of its chunks is not known. The corpus is marked"
        " as unordered: search and snap work on it, but training on it learns from an order that nobody vouched for."
    )  # fmt: skip
    return {
        "corpus": corpus, "n_rows": info.n_rows, "n_chunks": stored.n_chunks, "n_articles": stored.n_documents,
        "dim": dim, "encoder": space, "verified": verified, "about_encoder": about, "ordered": info.ordered,
        "skipped": skipped.counts, "warning": warning,
    }  # fmt: skip


def _probe(connection: Any, table: str, dataset_source: str | None) -> list[Row]:
    """Return a few rows with vectors, to learn the dimension and check the encoder."""
    from psycopg2.sql import SQL

    from lvm_core.corpus.postgres import table_name

    where = SQL("concept_vec IS NOT NULL AND dataset_source = %s" if dataset_source else "concept_vec IS NOT NULL")
    query = (
        SQL("SELECT concept_text, concept_vec::text FROM {} WHERE ").format(table_name(table))
        + where
        + SQL(" LIMIT 16")
    )
    with connection.cursor() as cursor:
        cursor.execute(query, (dataset_source,) if dataset_source else ())
        return [
            Row(None, text or "", np.array(re.findall(r"[-\w.+]+", vector), dtype=np.float32), None, "", 0)
            for text, vector in cursor.fetchall()
        ]


def _digest(vectors: Any) -> str:
    import hashlib

    return hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).hexdigest()


class _Spool:
    """Rows on disk between the server and the corpus, so that memory stays small whatever the table's size."""

    def __init__(self, workspace: Workspace) -> None:
        self._path: Path = workspace.incoming("rows")

    def __enter__(self) -> "_Spool":
        import pickle
        import tempfile

        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=self._path.parent)
        self._pickler = pickle.Pickler(self._file, protocol=pickle.HIGHEST_PROTOCOL)
        return self

    def put(self, row: Row) -> None:
        self._pickler.dump(row)
        self._pickler.clear_memo()

    def rows(self) -> Iterator[Row]:
        import pickle

        self._file.seek(0)
        reader = pickle.Unpickler(self._file)
        while True:
            try:
                yield reader.load()
            except EOFError:
                return

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _articles(rows: Iterator[Row], ordered: bool, dim: int, skipped: Skipped) -> Iterator[Incoming]:
    kept = (row for row in rows if usable(row.vector, dim, skipped) and _has_text(row, skipped))
    if ordered:
        for title, group in groupby(kept, key=lambda row: row.article):
            yield _incoming(title or "untitled", list(group))
        return
    for number, block in enumerate(_blocks(kept, UNORDERED_ARTICLE), start=1):
        yield _incoming(f"concepts, part {number}", block)


def _has_text(row: Row, skipped: Skipped) -> bool:
    if not row.text.strip():
        skipped.add("chunk without text")
    return bool(row.text.strip())


def _blocks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    block: list[Row] = []
    for row in rows:
        block.append(row)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _incoming(title: str, rows: list[Row]) -> Incoming:
    chunks, at = [], 0
    for row in rows:
        chunks.append(NewChunk(row.text, "", at, at + len(row.text), None, row.tmd, row.cpe_id))
        at += len(row.text) + 1
    return Incoming(title, chunks, np.stack([row.vector for row in rows]))  # type: ignore[misc]


def export_postgres(
    workspace: Workspace,
    url: str,
    corpus: str,
    encoder_id: str,
    table: str = "cpe_entry",
    vectors: str = "real[]",
    dataset_source: str = "user_input",
    append: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Write a corpus with its vectors into a table of concepts, in one transaction, and return a report.

    Args:
        workspace: where the corpus is.
        url: address of the database.
        corpus: its name.
        encoder_id: which of its vectors.
        table: created if it is not there.
        vectors: "real[]", "vector" or "halfvec" (the last two need pgvector in the database).
        dataset_source: label of the rows; existing queries look for "user_input".
        append: whether an existing table may be written to; rows that are there already stay as they are.
        progress: told the rows done.

    Raises:
        CorpusError: if the corpus is not there or not encoded.
        SourceError: if the server refuses, or the table exists and `append` is False.
    """
    store = CorpusStore(workspace)
    info = store.corpus(corpus)
    matrix = open_matrix(workspace, corpus, encoder_id)

    def blocks() -> Iterator[tuple[list[Sequence[Any]], Any]]:
        for start in range(0, info.n_chunks, BLOCK):
            stop = min(start + BLOCK, info.n_chunks)
            chunks = store.chunks(corpus, range(start, stop))
            yield [_columns(chunk, info.digest, dataset_source) for chunk in chunks], matrix.slice(start, stop)
            progress(stop / info.n_chunks * 0.98, f"{stop:,} of {info.n_chunks:,} rows")

    with connected(url) as connection:
        kind = vector_type_for(connection, vectors)
        create_table(connection, table, kind, matrix.dim, append)
        write_rows(connection, table, kind, blocks())
        n_rows = inspect_table(connection, table, dataset_source).n_rows
    progress(1.0, f"{info.n_chunks:,} rows")
    return {"corpus": corpus, "table": table, "n_chunks": info.n_chunks, "rows_in_table": n_rows, "vectors": kind,
            "dim": matrix.dim, "encoder": encoder_id, "dataset_source": dataset_source}  # fmt: skip


def chunk_uuid(chunk: Chunk, digest: str) -> str:
    """Return the chunk's own UUID if it came with one, else one made of the corpus digest and its row."""
    try:
        return str(uuid.UUID(chunk.external_id or ""))
    except ValueError:
        return str(uuid.uuid5(NAMESPACE, f"{digest}:{chunk.row}"))


def _columns(chunk: Chunk, digest: str, dataset_source: str) -> Sequence[Any]:
    return (chunk_uuid(chunk, digest), chunk.text, chunk.tmd, dataset_source, chunk.article, chunk.position)
