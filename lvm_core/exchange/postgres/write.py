"""Writing tables of concepts (`cpe_entry`) by binary COPY; an existing one is appended to only when told so."""

import struct
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lvm_core.errors import SourceError
from lvm_core.exchange.postgres.binary_copy import PACK, CopyStream, pack_rows
from lvm_core.exchange.postgres.connection import table_name
from lvm_core.exchange.postgres.table import inspect_table
from lvm_core.types import Vectors

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

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


def vector_type_for(connection: "Connection", wanted: str) -> str:
    """Return the column type to write: `wanted`, once the extension it needs is there.

    Raises:
        SourceError: if pgvector is asked for and is not in this database.
    """
    if wanted not in PACK:
        raise SourceError(f"--vectors is {wanted!r}", f"one of {', '.join(PACK)}", "Give one of these.")
    if wanted == "real[]":
        return wanted
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
        if cursor.fetchone() is None:
            raise SourceError(
                f"The type {wanted} needs pgvector, which this database lacks",
                "the extension vector",
                "Run CREATE EXTENSION vector; there first, or export with --vectors 'real[]'.",
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
            f"Table '{table}' exists",
            "a new table, or your word to add to it",
            "Add --append to write into it (it is never altered), or choose another with --table.",
        )
    info = inspect_table(connection, table)
    missing = [name for name in COLUMNS if name not in info.columns]
    if missing or info.vector_kind != vector_type:
        lack = f"it lacks {', '.join(missing)}" if missing else f"its concept_vec is {info.columns['concept_vec'].type}"
        raise SourceError(
            f"Table '{table}' cannot take the rows: {lack}",
            f"{', '.join(COLUMNS)}, with a concept_vec of {vector_type}",
            "It is not altered; choose another table with --table, or another type with --vectors.",
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
