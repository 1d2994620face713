"""Rows of a table of concepts, read by binary COPY in the order that it tells, read-only."""

import hashlib
import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.values import bits16
from lvm_core.errors import SourceError
from lvm_core.exchange.postgres.binary_copy import UNPACK, CopyReader, NullElement
from lvm_core.exchange.postgres.connection import table_name
from lvm_core.exchange.postgres.table import CAST_ELEMENTS, TableInfo, joined, where

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

FORMAT = 2
"""Of the rows as they are read here; rows that an earlier one staged are read again."""

N_PROBES = 64
"""Rows looked at to learn what the vectors are."""

CODE = re.compile(rb"\s*-?[0-9]{1,6}\s*\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """One concept as it is stored. `flaw`: why it has no vector; `title`: of its article."""

    cpe_id: str | None
    text: str
    vector: NDArray[np.float32] | None
    tmd: int | None
    article: str
    position: int
    title: str = ""
    flaw: str = ""


def state_of_table(connection: "Connection", info: TableInfo) -> str:
    """Return a digest of the state that the rows asked for are in; it changes with any row added, changed or removed.

    It is made of the place (ctid) and the last transaction (xmin) of each row, so that no vector need be read:
    about a second for 500,000 rows. "" for what has no such thing, such as a view.
    """
    from psycopg2.sql import SQL, Literal

    if not info.stable:
        return ""
    aliases = ["t"] if info.vectors == info.table else ["t", "v"]
    marks = SQL(" || ' ' || ").join(
        SQL("coalesce({0}.tableoid::text || ' ' || {0}.ctid::text || ' ' || {0}.xmin::text, '')").format(SQL(alias))
        for alias in aliases
    )
    query = SQL(
        "SELECT current_database(), to_regclass({})::oid::bigint, sum(hashtextextended({}, 0)::numeric)::text"
    ).format(Literal(table_name(info.table).as_string(connection)), marks)
    with connection.cursor() as cursor:
        cursor.execute(query + joined(info.table, info.vectors) + where(info.dataset_source))
        state = [*cursor.fetchone(), {name: column.type for name, column in info.columns.items()}, info.dataset_source,
                 info.n_rows, FORMAT]  # fmt: skip
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def read_rows(connection: "Connection", info: TableInfo, take: Callable[[Row], None], skip: int = 0) -> None:
    """Hand every row but the first `skip` to `take`, article by article where the order is known.

    Rows of one place, and those of a table that knows no order, come as they lie in the table.

    Raises:
        SourceError: if the server stops halfway.
    """
    from psycopg2.sql import SQL, Literal

    query = _select(info) + where(info.dataset_source)
    keys = info.order.keys() if info.ordered else []
    if info.stable:
        keys += [SQL("t.tableoid"), SQL("t.ctid")]
    if keys:
        query += SQL(" ORDER BY {}").format(SQL(", ").join(keys))
    if skip:
        query += SQL(" OFFSET {}").format(Literal(skip))
    _copy(connection, info, query, take)


def probe_rows(connection: "Connection", info: TableInfo) -> list[Row]:
    """Return the first few rows with vectors; the same ones each time, as long as the table is the same."""
    from psycopg2.sql import SQL

    rows: list[Row] = []
    condition = where(info.dataset_source) + SQL(" AND " if info.dataset_source else " WHERE ")
    query = _select(info) + condition + _vector(info) + SQL(f" IS NOT NULL LIMIT {N_PROBES}")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0")
    _copy(connection, info, query, rows.append)
    return rows


def _copy(connection: "Connection", info: TableInfo, query: "Composable", take: Callable[[Row], None]) -> None:
    from psycopg2.sql import SQL

    unpack = UNPACK[info.vector_kind]

    def on_row(values: list[bytes | None]) -> None:
        cpe_id, text, data, code, article, title, position = values
        vector, flaw = None, ""
        if data is not None:
            try:
                vector = unpack(data)
            except NullElement:
                flaw = "vectors with NULL elements"
        take(Row(
            cpe_id.decode() if cpe_id else None, _text(text), vector,
            bits16(int(code)) if code and CODE.match(code) else None, _text(article),
            struct.unpack(">q", position)[0] if position else 0, _text(title), flaw,
        ))  # fmt: skip

    reader = CopyReader(on_row)
    with connection.cursor() as cursor:
        cursor.copy_expert(SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query), reader)
    if not reader.finished:
        raise SourceError("PostgreSQL stopped sending before the end", "all rows", "Run the command again.")


def _text(data: bytes | None) -> str:
    return data.decode("utf-8", "replace").replace("\0", "") if data else ""


def _vector(info: TableInfo) -> "Composable":
    from psycopg2.sql import SQL

    return SQL("t.concept_vec" if info.vectors == info.table else "v.concept_vec")


def _select(info: TableInfo) -> "Composable":
    from psycopg2.sql import SQL, Identifier

    def column(*names: str) -> "Composable":
        name = next((name for name in names if name in info.columns), "")
        return SQL("t.{}::text").format(Identifier(name)) if name else SQL("NULL::text")

    vector = _vector(info) + SQL("::real[]" if info.vector.element in CAST_ELEMENTS else "")
    text = SQL("t.concept_text") if info.columns["concept_text"].base == "bytea" else column("concept_text")
    order = info.order
    whole = SQL("CASE WHEN abs({0}) < 9e18 THEN round({0})::bigint END").format(order.position)
    fields = [column("cpe_id"), text, vector, column("tmd_code", "tmd_bits"), order.article, order.title, whole]
    return SQL("SELECT ") + SQL(", ").join(fields) + joined(info.table, info.vectors)
