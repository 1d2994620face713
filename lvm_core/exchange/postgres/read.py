"""Tables of concepts in PostgreSQL (`cpe_entry`): what is in them, and reading them by binary COPY, read-only."""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvm_core.errors import SourceError
from lvm_core.exchange.postgres.binary_copy import UNPACK, CopyReader
from lvm_core.exchange.postgres.connection import table_name

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

ARTICLE_COLUMNS = ("article", "article_id", "doc_id", "document_id", "article_title")
POSITION_COLUMNS = ("position", "chunk_index", "seq", "ordinal")
STABLE = ("r", "m", "p")
"""Kinds of relation whose rows have a place (ctid): tables, materialised views, partitioned tables."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What a table of concepts holds.

    `ordered`: it has an article and a position, so that order is known. `stable`: its rows have places of their own,
    so that they come in the same order each time they are read, until somebody changes them.
    """

    columns: dict[str, str]
    article: str | None
    position: str | None
    n_rows: int
    stable: bool = False

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


def inspect_table(connection: "Connection", table: str, dataset_source: str | None = None) -> TableInfo:
    """Return what a table holds.

    Raises:
        SourceError: if it does not exist, or has no concept_text or concept_vec of a known type.
    """
    from psycopg2.sql import SQL

    with connection.cursor() as cursor:
        name = table_name(table).as_string(connection)
        cursor.execute("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", (name,))
        kind = cursor.fetchone()
        if not kind:
            raise SourceError(f"There is no table '{table}' in this database. Check --table, or the schema before it.")
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (name,),
        )
        columns = dict(cursor.fetchall())
        _check_columns(table, columns)
        query = SQL("SELECT count(*) FROM {} AS t").format(table_name(table)) + _where(dataset_source)
        cursor.execute(query)
        n_rows = cursor.fetchone()[0]
    article = next((c for c in ARTICLE_COLUMNS if c in columns), None)
    position = next((c for c in POSITION_COLUMNS if c in columns), None)
    return TableInfo(columns, article, position, n_rows, kind[0] in STABLE)


def _check_columns(table: str, columns: dict[str, str]) -> None:
    missing = [c for c in ("concept_text", "concept_vec") if c not in columns]
    if missing:
        raise SourceError(
            f"Table '{table}' has no column {' and no column '.join(missing)}; it has {', '.join(columns)}."
        )
    if columns["concept_vec"] not in UNPACK:
        raise SourceError(
            f"Column concept_vec of '{table}' is {columns['concept_vec']}; expected one of {', '.join(UNPACK)}."
        )


def _where(dataset_source: str | None) -> "Composable":
    from psycopg2.sql import SQL, Literal

    return SQL(" WHERE t.dataset_source = {}").format(Literal(dataset_source)) if dataset_source else SQL("")


def state_of_table(connection: "Connection", table: str, info: TableInfo, dataset_source: str | None) -> str:
    """Return a digest of the state that the rows asked for are in; it changes with any row added, changed or removed.

    It is made of the place (ctid) and the last transaction (xmin) of each row, so that no vector need be read:
    about a second for 500,000 rows. "" for what has no such thing, such as a view.
    """
    from psycopg2.sql import SQL, Literal

    if not info.stable:
        return ""
    query = SQL(
        "SELECT current_database(), to_regclass({})::oid::bigint,"
        " sum(hashtextextended(t.tableoid::text || ' ' || t.ctid::text || ' ' || t.xmin::text, 0)::numeric)::text"
        " FROM {} AS t"
    ).format(Literal(table_name(table).as_string(connection)), table_name(table))
    with connection.cursor() as cursor:
        cursor.execute(query + _where(dataset_source))
        state = [*cursor.fetchone(), info.columns, dataset_source, info.n_rows]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def read_rows(
    connection: "Connection",
    table: str,
    info: TableInfo,
    dataset_source: str | None,
    take: Callable[[Row], None],
    skip: int = 0,
) -> None:
    """Hand every row of `table` but the first `skip` to `take`, article by article where the order is known.

    Rows of one place, and those of a table that knows no order, come as they lie in the table.

    Raises:
        SourceError: if the server stops halfway.
    """
    from psycopg2.sql import SQL, Identifier, Literal

    query = SQL("SELECT {} FROM {} AS t").format(SQL(", ").join(_fields(info)), table_name(table))
    query += _where(dataset_source)
    keys = [Identifier("t", name or "") for name in (info.article, info.position)] if info.ordered else []
    if info.stable:
        keys += [SQL("t.tableoid"), SQL("t.ctid")]
    if keys:
        query += SQL(" ORDER BY {}").format(SQL(", ").join(keys))
    if skip:
        query += SQL(" OFFSET {}").format(Literal(skip))

    unpack = UNPACK[info.columns["concept_vec"]]

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
        raise SourceError("PostgreSQL stopped sending before the end. Run the command again.")


def _fields(info: TableInfo) -> list["Composable"]:
    from psycopg2.sql import SQL, Identifier

    def column(name: str, cast: str) -> "Composable":
        return SQL("{}::" + cast).format(Identifier("t", name)) if name in info.columns else SQL("NULL::" + cast)

    return [
        column("cpe_id", "text"), column("concept_text", "text"), Identifier("t", "concept_vec"),
        column("tmd_code", "text"), column(info.article or "", "text"), column(info.position or "", "bigint"),
    ]  # fmt: skip


def _code(value: bytes | None) -> int | None:
    """Existing tables keep codes as numbers or as text; what is neither is left out."""
    text = value.decode("utf-8", "replace").strip() if value else ""
    return int(text) if text.isdigit() and int(text) < 1 << 16 else None
