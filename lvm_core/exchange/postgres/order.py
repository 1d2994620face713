"""The order of a table's rows: an article and a position of each, in columns or in JSON, or the reason why not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

ARTICLE_COLUMNS = ("article_id", "document_id", "doc_id", "article_index", "article", "article_title")
TITLE_COLUMNS = ("article_title", "article", "title")
POSITION_COLUMNS = ("position", "chunk_index", "sequence_index", "seq_in_article", "chunk_position", "seq", "ordinal")
JSON_COLUMN = "chunk_position"
JSON_ARTICLES = ("article_id", "article_index", "document_id", "doc_id", "article_title")
JSON_POSITIONS = ("chunk_index", "position", "sequence_index")

WHOLE = ("int2", "int4", "int8", "numeric")
FLOATS = ("float4", "float8")
TEXTS = ("text", "varchar", "bpchar", "name", "citext")
NUMBER = r"^\s*[+-]?[0-9]{1,30}(\.[0-9]{1,30})?\s*$"

MOST_TIES = 0.01
"""Of the rows of an ordered table, the share that may have the position of another."""

UNTOLD = (
    "{reason}, so the order of its chunks is not known. The corpus is marked as unordered: search and snap work on it,"
    " but training on it learns from an order that nobody vouched for."
)


@dataclass(frozen=True, slots=True)
class Order:
    """SQL of what rows are sorted by; `problem` says why the order is not known, "" where it is.

    `position` is a numeric: text is cast, what is no number is NULL.
    """

    article: "Composable"
    title: "Composable"
    position: "Composable"
    n_rows: int
    problem: str = ""
    note: str = ""

    def keys(self) -> "list[Composable]":
        """Return what to sort by: articles by number where they have one, chunks by position."""
        from psycopg2.sql import SQL

        return [SQL("{} NULLS LAST").format(_number(self.article, "text")), self.article, self.position]


def find_order(connection: "Connection", columns: dict[str, str], source: "Composable", where: "Composable") -> Order:
    """Return the order that a table tells.

    Args:
        connection: to the server.
        columns: names to types, below their domains.
        source: FROM and its table `t`.
        where: which rows.
    """
    from psycopg2.sql import SQL

    articles = _articles(columns)
    positions = _positions(columns)
    counted = [SQL("count({})").format(part) for part in [*articles, *positions]]
    with connection.cursor() as cursor:
        cursor.execute(SQL("SELECT ") + SQL(", ").join([SQL("count(*)"), *counted]) + source + where)
        n_rows, *counts = cursor.fetchone()
    article = _fullest(articles, counts[: len(articles)]) or SQL("NULL::text")
    position = _fullest(positions, counts[len(articles) :]) or SQL("NULL::numeric")
    titles = [SQL("t.{}::text").format(_name(name)) for name in TITLE_COLUMNS if name in columns]
    titles += [_json("article_title")] if _is_json(columns) else []
    named = [SQL("nullif({}, '')").format(title) for title in titles]
    title = SQL("coalesce({})").format(SQL(", ").join([*named, article]))
    if not articles or not positions:
        missing = " and ".join(["article"] * (not articles) + ["position"] * (not positions))
        return Order(article, title, position, n_rows, UNTOLD.format(reason=f"The table has no {missing} columns"))
    problem, note = _doubts(connection, article, position, source + where, n_rows)
    return Order(article, title, position, n_rows, problem, note)


def _articles(columns: dict[str, str]) -> "list[Composable]":
    from psycopg2.sql import SQL

    plain = [SQL("t.{}::text").format(_name(name)) for name in ARTICLE_COLUMNS if name in columns]
    plain += [_json(key) for key in JSON_ARTICLES if _is_json(columns)]
    return [SQL("nullif(trim({}), '')").format(article) for article in plain]


def _positions(columns: dict[str, str]) -> "list[Composable]":
    from psycopg2.sql import SQL

    plain = [
        _number(SQL("t.{}").format(_name(name)), columns[name])
        for name in POSITION_COLUMNS
        if columns.get(name) in (*WHOLE, *FLOATS, *TEXTS)
    ]
    return plain + [_number(_json(key), "text") for key in JSON_POSITIONS if _is_json(columns)]


def _is_json(columns: dict[str, str]) -> bool:
    return columns.get(JSON_COLUMN) in ("json", "jsonb")


def _json(key: str) -> "Composable":
    from psycopg2.sql import SQL, Literal

    return SQL("(t.{}->>{})").format(_name(JSON_COLUMN), Literal(key))


def _name(column: str) -> "Composable":
    from psycopg2.sql import Identifier

    return Identifier(column)


def _number(value: "Composable", kind: str) -> "Composable":
    """Return `value` as a numeric; NULL where it is no finite number."""
    from psycopg2.sql import SQL, Literal

    if kind in TEXTS:
        return SQL("CASE WHEN {0}::text ~ {1} THEN trim({0}::text)::numeric END").format(value, Literal(NUMBER))
    if kind in FLOATS:
        return SQL("CASE WHEN abs({0}) < 1e30 THEN {0}::numeric END").format(value)
    return SQL("CASE WHEN {0}::numeric <> 'NaN' THEN {0}::numeric END").format(value)


def _fullest(candidates: "list[Composable]", counts: list[int]) -> "Composable | None":
    """Return the first of the candidates that no other has more values than, None where all are empty."""
    best = max(counts, default=0)
    return candidates[counts.index(best)] if best else (candidates[0] if candidates else None)


def _doubts(
    connection: "Connection", article: "Composable", position: "Composable", rows: "Composable", n_rows: int
) -> tuple[str, str]:
    """Return why the order is not known, and what else a reader must know of it."""
    from psycopg2.sql import SQL

    query = SQL(
        "SELECT count(*) FILTER (WHERE article IS NULL OR position IS NULL),"
        " count(*) - count(DISTINCT (article, position)) FROM (SELECT {} AS article, {} AS position"
    ).format(article, position)
    with connection.cursor() as cursor:
        cursor.execute(query + rows + SQL(") AS told"))
        n_missing, n_ties = cursor.fetchone()
    if n_missing:
        reason = f"{n_missing:,} of the table's {n_rows:,} rows have no article, or no number as their position"
        return UNTOLD.format(reason=reason), ""
    if n_ties > MOST_TIES * n_rows:
        reason = f"{n_ties:,} of the table's {n_rows:,} rows have the position of another row of their article"
        return UNTOLD.format(reason=reason), ""
    note = f"{n_ties:,} rows have the position of another row of their article; they come as they lie in the table."
    return "", note if n_ties else ""
