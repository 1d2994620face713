"""Corpora written to concept tables in PostgreSQL."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

from lvm_core.corpus.store import CorpusStore
from lvm_core.exchange.postgres.connection import connected
from lvm_core.exchange.postgres.table import count_rows
from lvm_core.exchange.postgres.write import create_table, vector_type_for, write_rows
from lvm_core.types import Chunk, Progress, no_progress
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace

BLOCK = 2_000

NAMESPACE = uuid.UUID("6c766d2d-7374-5564-696f-636f72707573")
"""Chunks without an id of their own get a UUID made of the corpus digest and their row: the same at each export."""


class TableExported(TypedDict):
    """What was written, as which type of vectors, and how many rows of the label the table has now."""

    corpus: str
    table: str
    n_chunks: int
    rows_in_table: int
    vectors: str
    dim: int
    encoder: str
    dataset_source: str


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
) -> TableExported:
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
        n_rows = count_rows(connection, table, dataset_source)
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
