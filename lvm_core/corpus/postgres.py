"""Tables of concepts in PostgreSQL (`cpe_entry`): what is in them, reading and writing by binary COPY.

Reading is read-only; an existing table is appended to only when told so, and never altered.
"""

import contextlib
import os
import re
import struct
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.corpus.pgcopy import PACK, UNPACK, CopyReader, CopyStream, pack_rows
from lvm_core.errors import SourceError
from lvm_core.types import Vectors

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

URL_VARIABLE = "LVM_DATABASE_URL"
CONNECT_TIMEOUT_S = 10
COLUMNS = {
    "cpe_id": "uuid",
    "concept_text": "text",
    "concept_vec": "",
    "tmd_code": "integer",
    "dataset_source": "text",
    "article": "text",
    "position": "integer",
}
"""Columns of an exported table, with their types; `concept_vec` is of the type asked for."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What a table of concepts holds. `ordered`: it has an article and a position, so that order is known."""

    columns: dict[str, str]
    article: str | None
    position: str | None
    n_rows: int

    @property
    def ordered(self) -> bool:
        return self.article is not None and self.position is not None


@dataclass(frozen=True, slots=True)
class Row:
    """One concept as it is stored."""

    cpe_id: str | None
    text: str
    vector: NDArray[np.float32] | None
    tmd: int | None
    article: str
    position: int


def database_url(given: str | None = None) -> str:
    """Return the address of the database: `given`, else LVM_DATABASE_URL.

    Raises:
        SourceError: if there is neither.
    """
    url = given or os.environ.get(URL_VARIABLE)
    if not url:
        raise SourceError(
            f"No database was named. Set {URL_VARIABLE}, for example to"
            " postgresql://user:password@localhost:5432/lnsp, or give --url."
        )
    return url


def hide_password(text: str, url: str) -> str:
    """Return `text` with the password of `url` blotted out, whichever way it is written there."""
    found = re.search(r"://[^:/@\s]+:([^@]+)@", url) or re.search(r"password=('[^']*'|\S+)", url)
    return text.replace(found.group(1), "***") if found else text


@contextlib.contextmanager
def connected(url: str, readonly: bool = False) -> Iterator["Connection"]:
    """Give a connection; commit on success, roll back on failure.

    Raises:
        SourceError: if the server does not answer, refuses, or dies on the way; no password is ever in the message.
    """
    import psycopg2

    try:
        connection = psycopg2.connect(url, connect_timeout=CONNECT_TIMEOUT_S, application_name="lvm-studio")
    except psycopg2.Error as error:
        raise SourceError(
            f"PostgreSQL did not let us in: {hide_password(str(error).strip(), url)}."
            f" Check that the server runs and that {URL_VARIABLE} names the right host, user, password and database."
        ) from None
    try:
        connection.set_session(readonly=readonly)
        with connection:
            yield connection
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise SourceError(
            f"PostgreSQL went away: {hide_password(str(error).strip(), url)}. Nothing half-done was kept;"
            " run the command again when the server is back."
        ) from None
    except psycopg2.Error as error:
        raise SourceError(f"PostgreSQL refused: {hide_password(str(error).strip(), url)}") from None
    finally:
        connection.close()


def table_name(table: str) -> "Composable":
    """Return `table` or `schema.table`, safely quoted."""
    from psycopg2.sql import SQL, Identifier

    return SQL(".").join(Identifier(part) for part in table.split("."))


def inspect_table(connection: "Connection", table: str, dataset_source: str | None = None) -> TableInfo:
    """Return what a table holds.

    Raises:
        SourceError: if it does not exist, or has no concept_text or concept_vec of a known type.
    """
    from psycopg2.sql import SQL

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (table_name(table).as_string(connection),),
        )
        columns = dict(cursor.fetchall())
        if not columns:
            raise SourceError(f"There is no table '{table}' in this database. Check --table, or the schema before it.")
        missing = [c for c in ("concept_text", "concept_vec") if c not in columns]
        if missing:
            raise SourceError(
                f"Table '{table}' has no column {' and no column '.join(missing)}; it has {', '.join(columns)}."
            )
        if columns["concept_vec"] not in UNPACK:
            raise SourceError(
                f"Column concept_vec of '{table}' is {columns['concept_vec']}; expected one of {', '.join(UNPACK)}."
            )
        where, values = _where(dataset_source)
        cursor.execute(SQL("SELECT count(*) FROM {}").format(table_name(table)) + where, values)
        n_rows = cursor.fetchone()[0]
    article = next(
        (c for c in ("article", "article_id", "doc_id", "document_id", "article_title") if c in columns), None
    )
    position = next((c for c in ("position", "chunk_index", "seq", "ordinal") if c in columns), None)
    return TableInfo(columns, article, position, n_rows)


def _where(dataset_source: str | None) -> tuple["Composable", tuple[str, ...]]:
    from psycopg2.sql import SQL

    return (SQL(" WHERE dataset_source = %s"), (dataset_source,)) if dataset_source else (SQL(""), ())


def read_rows(
    connection: "Connection", table: str, info: TableInfo, dataset_source: str | None, take: Callable[[Row], None]
) -> None:
    """Hand every row of `table` to `take`, article by article and in order where the order is known.

    Raises:
        SourceError: if the server stops halfway.
    """
    from psycopg2.sql import SQL, Identifier, Literal

    vector_type = info.columns["concept_vec"]

    def column(name: str, cast: str, there: bool) -> "Composable":
        return SQL("{}::" + cast).format(Identifier(name)) if there else SQL("NULL::" + cast)

    fields = [
        column("cpe_id", "text", "cpe_id" in info.columns),
        column("concept_text", "text", True),
        Identifier("concept_vec"),
        column("tmd_code", "text", "tmd_code" in info.columns),
        column(info.article or "", "text", info.article is not None),
        column(info.position or "", "bigint", info.position is not None),
    ]
    query = SQL("SELECT {} FROM {}").format(SQL(", ").join(fields), table_name(table))
    if dataset_source:
        query += SQL(" WHERE dataset_source = {}").format(Literal(dataset_source))
    if info.ordered:
        query += SQL(" ORDER BY {}, {}").format(Identifier(info.article or ""), Identifier(info.position or ""))

    unpack = UNPACK[vector_type]

    def on_row(values: list[bytes | None]) -> None:
        cpe_id, text, vector, tmd, article, position = values
        take(Row(
            cpe_id.decode() if cpe_id else None,
            (text or b"").decode("utf-8", "replace"),
            unpack(vector) if vector is not None else None,
            _code(tmd),
            article.decode("utf-8", "replace") if article else "",
            struct.unpack(">q", position)[0] if position else 0,
        ))  # fmt: skip

    reader = CopyReader(on_row)
    with connection.cursor() as cursor:
        cursor.copy_expert(SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query), reader)
    if not reader.finished:
        raise SourceError("PostgreSQL stopped sending before the end. Nothing was kept; run the command again.")


def _code(value: bytes | None) -> int | None:
    """Existing tables keep codes as numbers or as text; what is neither is left out."""
    text = value.decode("utf-8", "replace").strip() if value else ""
    return int(text) if text.isdigit() and int(text) < 1 << 16 else None


def vector_type_for(connection: "Connection", wanted: str) -> str:
    """Return the column type to write: `wanted`, once the extension it needs is there.

    Raises:
        SourceError: if pgvector is asked for and is not in this database.
    """
    if wanted not in PACK:
        raise SourceError(f"--vectors is {wanted!r}; expected one of {', '.join(PACK)}.")
    if wanted == "real[]":
        return wanted
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
        if cursor.fetchone() is None:
            raise SourceError(
                f"The type {wanted} needs pgvector in this database: run CREATE EXTENSION vector; there"
                " first, or export with --vectors 'real[]'."
            )
    return wanted


def create_table(connection: "Connection", table: str, vector_type: str, dim: int, append: bool) -> None:
    """Create the table, or see that an existing one may be appended to.

    Raises:
        SourceError: if it exists and `append` is False, or lacks a column we write, or holds another vector type.
    """
    from psycopg2.sql import SQL

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"lvm-studio {table}",))
        cursor.execute("SELECT to_regclass(%s)", (table_name(table).as_string(connection),))
        if cursor.fetchone()[0] is None:
            typed = vector_type if vector_type == "real[]" else f"{vector_type}({int(dim)})"
            columns = ", ".join(f"{name} {kind or typed}" for name, kind in COLUMNS.items())
            cursor.execute(SQL("CREATE TABLE {} (" + columns + ", PRIMARY KEY (cpe_id))").format(table_name(table)))
            return
    if not append:
        raise SourceError(
            f"Table '{table}' exists. Add --append to write into it (it is never altered), or choose"
            " another with --table."
        )
    info = inspect_table(connection, table)
    missing = [name for name in COLUMNS if name not in info.columns]
    if missing or info.columns["concept_vec"] != vector_type:
        raise SourceError(
            f"Table '{table}' cannot take the rows: "
            + (f"it lacks {', '.join(missing)}" if missing else f"its concept_vec is {info.columns['concept_vec']}")
            + ". It is not altered; choose another table with --table, or another type with --vectors."
        )


def write_rows(
    connection: "Connection", table: str, vector_type: str, blocks: Iterator[tuple[list[Sequence[Any]], Vectors]]
) -> None:
    """Append blocks of (rows of (cpe_id, text, tmd, dataset_source, article, position), vectors (n, D)) by COPY.

    Rows whose cpe_id is there already are left as they are, so that a second run makes no doubles.
    """
    from psycopg2.sql import SQL

    pack = PACK[vector_type]

    def encoded() -> Iterator[bytes]:
        for rows, vectors in blocks:
            ids, texts, codes, sources, articles, positions = zip(*rows, strict=True)
            yield pack_rows([
                [uuid.UUID(i).bytes for i in ids],
                [t.replace("\x00", "").encode("utf-8", "replace") for t in texts],
                pack(vectors),
                [None if c is None else struct.pack(">i", c) for c in codes],
                [s.encode() for s in sources],
                [a.replace("\x00", "").encode("utf-8", "replace") for a in articles],
                [struct.pack(">i", p) for p in positions],
            ])  # fmt: skip

    names = ", ".join(COLUMNS)
    target = table_name(table)
    with connection.cursor() as cursor:
        cursor.execute(SQL("SELECT EXISTS (SELECT 1 FROM {})").format(target))
        if not cursor.fetchone()[0]:
            cursor.copy_expert(SQL("COPY {} (" + names + ") FROM STDIN (FORMAT binary)").format(target),
                               CopyStream(encoded()))  # fmt: skip
            return
        cursor.execute(SQL("CREATE TEMP TABLE lvm_incoming (LIKE {}) ON COMMIT DROP").format(target))
        cursor.copy_expert(SQL("COPY lvm_incoming (" + names + ") FROM STDIN (FORMAT binary)"), CopyStream(encoded()))
        cursor.execute(SQL("INSERT INTO {} (" + names + ") SELECT " + names
                           + " FROM lvm_incoming ON CONFLICT DO NOTHING").format(target))  # fmt: skip
