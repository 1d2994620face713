"""Search in PostgreSQL: the vectors of a corpus in a table of its own, with pgvector's HNSW graph over cosines.

HNSW: Malkov and Yashunin 2018. A search with exclusions goes on along the graph until it has k rows (pgvector's
iterative scan, strict order), and falls back to looking at every row where the graph gives fewer than there are.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypedDict, cast

import numpy as np

from lvm_core.errors import CorpusError, SourceError
from lvm_core.exchange.postgres.binary_copy import PACK, CopyStream, pack_rows
from lvm_core.exchange.postgres.connection import connected, database_url, table_name
from lvm_core.exchange.postgres.write import vector_type_for
from lvm_core.types import Hit, Progress, Rows, Vectors, no_progress
from lvm_core.vectors.checks import check_search
from lvm_core.vectors.matrix import VectorMatrix

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

KINDS = {"halfvec": 4_000, "vector": 2_000}
"""Column types, and the dimensions up to which pgvector builds HNSW over them."""

GRAPH = "m = 24, ef_construction = 200"
"""Of clustered vectors, pgvector's own 16 and 64 give .84 of the true ten nearest at ef 100; these give all."""

EF_SEARCH = 100
EF_MOST = 1_000
BLOCK = 2_000
Read = Callable[[int, int], Vectors]


class PgVectorIndex:
    """Approximate search over the vectors in one table; scores are cosines, excluded rows never come."""

    kind = "pgvector"

    def __init__(self, url: str, table: str, encoder_id: str, dim: int, n_rows: int, vector_type: str) -> None:
        """Say where the table is; a connection is opened for each search, so that any thread may search."""
        self.encoder_id, self.dim, self.n_rows = encoder_id, dim, n_rows
        self._url, self._table, self._type = url, table, vector_type

    def search(self, queries: Vectors, k: int, exclude: Rows | None = None) -> list[list[Hit]]:
        """Return for each of the (Q, D) queries at most k hits, best first, none of them in `exclude`.

        Raises:
            EncoderError: if the queries are not of the index's dimension.
            CorpusError: if k is below 1.
            SourceError: if the server does not answer.
        """
        search = check_search(queries, k, exclude, self)
        if search.k < 1 or not len(search.queries):
            return [[] for _ in search.queries]
        left_out = search.exclude.tolist()
        with connected(self._url, readonly=True) as connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            cursor.execute("SET LOCAL hnsw.ef_search = %s", (min(max(EF_SEARCH, 2 * search.k), EF_MOST),))
            return [self._nearest(cursor, query, search.k, left_out) for query in search.queries]

    def _nearest(self, cursor: "Cursor", query: Vectors, k: int, left_out: list[int]) -> list[Hit]:
        hits = self._ask(cursor, query, k, left_out)
        if len(hits) < k:  # the graph was searched as far as the server's settings let it
            cursor.execute("SAVEPOINT everything; SET LOCAL enable_indexscan = off")
            hits = self._ask(cursor, query, k, left_out)
            cursor.execute("ROLLBACK TO SAVEPOINT everything")
        return sorted(hits, key=lambda hit: -hit.cosine)

    def _ask(self, cursor: "Cursor", query: Vectors, k: int, left_out: list[int]) -> list[Hit]:
        from psycopg2.sql import SQL

        typed = f"{self._type}({int(self.dim)})"
        statement = SQL(
            "SELECT row, 1 - (vec::vector <=> %s::vector) FROM {} WHERE NOT (row = ANY(%s))"
            f" ORDER BY vec <=> %s::{typed} LIMIT %s"
        ).format(table_name(self._table))
        text = "[" + ",".join(f"{value:.7g}" for value in query) + "]"
        cursor.execute(statement, (text, left_out, text, k))
        hits = [Hit(int(row), float(cosine)) for row, cosine in cursor.fetchall()]
        return [hit for hit in hits if np.isfinite(hit.cosine)]


def index_table(digest: str, encoder_id: str) -> str:
    """Return the name of the table that holds the vectors of one state of a corpus in one space."""
    return "lvm_index_" + hashlib.sha256(f"{digest}:{encoder_id}".encode()).hexdigest()[:16]


class TableNote(TypedDict, total=False):
    """The comment of an index's table: what its vectors are of, and their column type."""

    corpus: str
    digest: str
    encoder_id: str
    n_rows: int
    dim: int
    vectors: str


def fill_table(
    url: str, table: str, read: Read, about: TableNote, vector_type: str = "halfvec",
    progress: Progress = no_progress,
) -> PgVectorIndex:  # fmt: skip
    """Write vectors and their graph into a new `table` in one transaction, in the place of an older one of ours.

    Args:
        url: address of the database.
        table: its name.
        read: gives the vectors of rows start to before stop.
        about: `encoder_id`, `n_rows`, `dim` and whatever else is to be known; kept as the table's comment.
        vector_type: "halfvec" or "vector".
        progress: told the rows done.

    Raises:
        SourceError: if the server refuses, pgvector is not there, or the vectors are too long for it.
    """
    from psycopg2.sql import SQL, Literal

    n_rows, dim = int(about["n_rows"]), int(about["dim"])
    if vector_type not in KINDS or dim > KINDS[vector_type]:
        limits = " and ".join(f"{name} up to {most:,} dimensions" for name, most in KINDS.items())
        raise SourceError(
            f"An index of {dim} dimensions as {vector_type} cannot be built",
            f"{limits}, as pgvector builds them",
            "Choose another type with --vectors.",
        )
    target = table_name(table)

    def blocks() -> Iterator[bytes]:
        for start in range(0, n_rows, BLOCK):
            stop = min(start + BLOCK, n_rows)
            numbers = [struct.pack(">i", row) for row in range(start, stop)]
            yield pack_rows([numbers, PACK[vector_type](read(start, stop))])
            progress(0.6 * stop / n_rows, f"{stop:,} of {n_rows:,} vectors written")

    with connected(url) as connection, connection.cursor() as cursor:
        vector_type_for(connection, vector_type)
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (table,))
        if _about(cursor, table) is not None:
            cursor.execute(SQL("DROP TABLE {}").format(target))
        cursor.execute(SQL("CREATE TABLE {} (row integer PRIMARY KEY, vec " + f"{vector_type}({dim}))").format(target))
        cursor.copy_expert(SQL("COPY {} (row, vec) FROM STDIN (FORMAT binary)").format(target), CopyStream(blocks()))
        progress(0.6, f"building the graph over {n_rows:,} vectors")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute(
            SQL(f"CREATE INDEX ON {{}} USING hnsw (vec {vector_type}_cosine_ops) WITH ({GRAPH})").format(target)
        )
        comment = Literal(json.dumps({**about, "vectors": vector_type}))
        cursor.execute(SQL("COMMENT ON TABLE {} IS {}").format(target, comment))
        cursor.execute(SQL("ANALYZE {}").format(target))
    progress(1.0, f"{n_rows:,} vectors indexed in PostgreSQL")
    return PgVectorIndex(url, table, str(about["encoder_id"]), dim, n_rows, vector_type)


def _about(cursor: "Cursor", table: str) -> TableNote | None:
    """Return what our table says of itself, None where there is none.

    Raises:
        SourceError: if a table of that name is there and is not ours; it is left alone.
    """
    cursor.execute("SELECT to_regclass(%s)::oid, obj_description(to_regclass(%s), 'pg_class')", (table, table))
    oid, comment = cursor.fetchone() or (None, None)
    if oid is None:
        return None
    try:
        found = json.loads(comment or "")
    except ValueError:
        found = None
    if not isinstance(found, dict) or "encoder_id" not in found:
        raise SourceError(
            f"There is a table '{table}' that no index of the studio made",
            "a name of its own for the index",
            "Rename that table; it is left as it is.",
        )
    return cast(TableNote, found)


def build_pgvector(
    matrix: VectorMatrix, url: str | None = None, vector_type: str = "halfvec", progress: Progress = no_progress
) -> PgVectorIndex:
    """Write the vectors of a corpus into PostgreSQL, index them, and return the index.

    Raises:
        SourceError: if the server refuses or has no pgvector.
    """
    about: TableNote = {"corpus": matrix.corpus, "digest": matrix.digest, "encoder_id": matrix.encoder_id,
             "n_rows": matrix.n_rows, "dim": matrix.dim}  # fmt: skip
    table = index_table(matrix.digest, matrix.encoder_id)
    return fill_table(database_url(url), table, matrix.slice, about, vector_type, progress)


def open_pgvector(matrix: VectorMatrix, url: str | None = None) -> PgVectorIndex:
    """Return the index of a corpus in PostgreSQL.

    Raises:
        CorpusError: if this state of the corpus has no index there.
        SourceError: if the server does not answer.
    """
    address, table = database_url(url), index_table(matrix.digest, matrix.encoder_id)
    with connected(address, readonly=True) as connection, connection.cursor() as cursor:
        about = _about(cursor, table)
    if about is None:
        name = matrix.encoder_id.rpartition("@")[0]
        raise CorpusError(
            f"Corpus '{matrix.corpus}' as it is now has no index in PostgreSQL",
            "one of these chunks",
            f"Make it with: python -m lvm_core index-postgres --corpus {matrix.corpus} --encoder {name}, or unset"
            " LVM_INDEX to search with FAISS.",
        )
    return PgVectorIndex(address, table, matrix.encoder_id, matrix.dim, matrix.n_rows, str(about["vectors"]))


def drop_pgvector(matrix: VectorMatrix, url: str | None = None) -> bool:
    """Remove the index of a corpus from PostgreSQL and return whether it was there."""
    from psycopg2.sql import SQL

    table = index_table(matrix.digest, matrix.encoder_id)
    with connected(database_url(url)) as connection, connection.cursor() as cursor:
        there = _about(cursor, table) is not None
        if there:
            cursor.execute(SQL("DROP TABLE {}").format(table_name(table)))
    return there
