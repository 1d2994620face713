"""What a table of concepts holds, by its own catalogue: its vectors, its texts, and whether it tells their order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lvm_core.errors import SourceError
from lvm_core.exchange.postgres.connection import table_name
from lvm_core.exchange.postgres.order import Order, find_order

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

STABLE = ("r", "m", "p")
"""Kinds of relation whose rows have a place (ctid): tables, materialised views, partitioned tables."""

VECTOR_TABLE = "cpe_vectors"
"""Beside a table without vectors, where projects keep them under the same cpe_id."""

EXACT_KINDS = {"float4": "real[]", "float8": "double precision[]"}
CAST_ELEMENTS = ("int2", "int4", "int8", "numeric")
"""Elements of arrays that are read as real[]."""

EXPECTED = "real[], double precision[], vector, halfvec"


class Column(NamedTuple):
    """A column: its type as people write it, that type below its domains, and the type of its elements."""

    type: str
    base: str
    element: str

    @property
    def vector_kind(self) -> str:
        """How its vectors are packed, "" where it holds none."""
        if self.base in ("vector", "halfvec"):
            return self.base
        return EXACT_KINDS.get(self.element, "real[]" if self.element in CAST_ELEMENTS else "")


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What a table of concepts holds.

    Attributes:
        columns: of the table itself.
        vectors: the table whose concept_vec is read: this one, or the one beside it.
        vector: its concept_vec.
        order: what its rows are sorted by.
        dataset_source: only rows of this source.
        n_rows: of that source.
        stable: its rows have places of their own, so that they come in the same order each time they are read, until
            somebody changes them.
    """

    table: str
    columns: dict[str, Column]
    vectors: str
    vector: Column
    order: Order
    dataset_source: str | None
    n_rows: int
    stable: bool

    @property
    def ordered(self) -> bool:
        return not self.order.problem

    @property
    def vector_kind(self) -> str:
        """How vectors are packed, a key of `binary_copy.UNPACK`."""
        return self.vector.vector_kind


def inspect_table(connection: "Connection", table: str, dataset_source: str | None = None) -> TableInfo:
    """Return what a table holds.

    Raises:
        SourceError: if it does not exist, has no concept_text or no concept_vec of a known type, or lacks a
            dataset_source that is asked for.
    """
    kind, columns = _columns(connection, table)
    if not columns:
        raise SourceError(
            f"There is no table '{table}' in this database",
            "the name of a table that is",
            "Check --table, or the schema before it.",
        )
    if dataset_source and "dataset_source" not in columns:
        raise SourceError(
            f"Table '{table}' has no column dataset_source",
            f"one of {', '.join(columns)}",
            "Leave --dataset-source out.",
        )
    vectors, kinds = table, [kind]
    vector = columns.get("concept_vec")
    if vector is None and "cpe_id" in columns:
        beside = ".".join([*table.split(".")[:-1], VECTOR_TABLE])
        other_kind, other = _columns(connection, beside)
        if "concept_vec" in other and "cpe_id" in other:
            vectors, vector, kinds = beside, other["concept_vec"], [kind, other_kind]
    _check_columns(table, columns, vector)
    assert vector is not None
    order = find_order(connection, {name: column.base for name, column in columns.items()}, joined(table, vectors),
                       where(dataset_source))  # fmt: skip
    return TableInfo(table, columns, vectors, vector, order, dataset_source, order.n_rows,
                     all(kind in STABLE for kind in kinds))  # fmt: skip


def count_rows(connection: "Connection", table: str, dataset_source: str) -> int:
    """Return how many rows of one source a table has."""
    from psycopg2.sql import SQL

    with connection.cursor() as cursor:
        cursor.execute(SQL("SELECT count(*) FROM {} AS t").format(table_name(table)) + where(dataset_source))
        return int(cursor.fetchone()[0])


def joined(table: str, vectors: str) -> "Composable":
    """Return the rows of the table `t`, with the vectors `v` of the table that has them."""
    from psycopg2.sql import SQL

    if table == vectors:
        return SQL(" FROM {} AS t").format(table_name(table))
    join = " FROM {} AS t LEFT JOIN {} AS v ON v.cpe_id::text = t.cpe_id::text"
    return SQL(join).format(table_name(table), table_name(vectors))


def where(dataset_source: str | None) -> "Composable":
    """Return the condition for rows of one source."""
    from psycopg2.sql import SQL, Literal

    return SQL(" WHERE t.dataset_source = {}").format(Literal(dataset_source)) if dataset_source else SQL("")


def _columns(connection: "Connection", table: str) -> tuple[str, dict[str, Column]]:
    """Return the kind of a relation and its columns, below their domains; none where there is no such table."""
    name = table_name(table).as_string(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", (name,))
        kind = cursor.fetchone()
        if not kind:
            return "", {}
        cursor.execute("SELECT oid::bigint, typname, typtype::text, typbasetype::bigint, typelem::bigint,"
                       " typcategory::text FROM pg_type")  # fmt: skip
        types = {oid: row for oid, *row in cursor.fetchall()}

        def base(oid: int) -> int:
            return base(types[oid][2]) if types[oid][1] == "d" else oid

        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL), atttypid::bigint FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (name,),
        )
        columns = {}
        for column, written, oid in cursor.fetchall():
            typname, _, _, element, category = types[base(oid)]
            columns[column] = Column(written, typname, types[base(element)][0] if category == "A" else "")
        return kind[0], columns


def _check_columns(table: str, columns: dict[str, Column], vector: Column | None) -> None:
    missing = [c for c in ("concept_text", "concept_vec") if c not in columns and not (c == "concept_vec" and vector)]
    if missing:
        raise SourceError(
            f"Table '{table}' has no column {' and no column '.join(missing)}; it has {', '.join(columns)}",
            "concept_text and concept_vec",
            "Give --table a view that has both: CREATE VIEW concepts AS SELECT ... AS concept_text, ... AS"
            f" concept_vec FROM {table}; with article, position and cpe_id where there are such.",
        )
    if vector is not None and not vector.vector_kind:
        raise SourceError(
f"Column concept_vec of '{table}' is {vector.type}",
f"one of {EXPECTED}",
"Cast it in a view, and give that as --table."
)  # fmt: skip
