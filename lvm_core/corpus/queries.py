"""The SQL that the store and the writer share, and how a user's words become a query."""

import functools
import re
import sqlite3
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from lvm_core.boundary.files import cut
from lvm_core.errors import CorpusError
from lvm_core.types import Chunk, CorpusInfo

T = TypeVar("T")
MOST_ROWS = 2**40
_NAMES: dict[type, str] = {CorpusInfo: "a corpus", Chunk: "a chunk"}

PURGE_BATCH = 5_000
"""Chunks deleted in one transaction, so that nobody else waits long."""

CORPUS = (
    "SELECT id AS corpus_id, name, state, source, licence, chunker, ordered, n_documents, n_chunks, digest, created"
    " FROM corpora WHERE state = 'ready'"
)
DOCUMENT_COLUMNS = "d.id AS document_id, title, ordinal, first_row, n_chunks, digest, coherence"
DOCUMENT = f"SELECT {DOCUMENT_COLUMNS} FROM documents AS d"
HITS = (
    "SELECT c.document_id, count(*) AS n FROM chunks_fts CROSS JOIN chunks AS c ON c.id = chunks_fts.rowid"
    " WHERE chunks_fts MATCH ? AND c.corpus_id = ? GROUP BY c.document_id"
)
CHUNK = (
    'SELECT c.id AS chunk_id, row, document_id, d.title AS article, position, c.text AS text, section, start, "end",'
    " c.coherence AS coherence, tmd, external_id FROM chunks AS c JOIN documents AS d ON d.id = c.document_id"
)


def hide(connection: sqlite3.Connection, corpus_id: int) -> None:
    """Take a corpus out of sight at once; `purge` then frees its space in small transactions."""
    connection.execute("UPDATE corpora SET state = 'ingesting', name = '.deleted-' || id WHERE id = ?", (corpus_id,))


def purge(connection: sqlite3.Connection, corpus_id: int) -> None:
    """Delete every row of a hidden corpus."""
    first = "SELECT id FROM chunks WHERE corpus_id = ? ORDER BY row LIMIT ?"
    while connection.execute(f"DELETE FROM chunks WHERE id IN ({first})", (corpus_id, PURGE_BATCH)).rowcount:
        pass
    connection.execute("DELETE FROM documents WHERE corpus_id = ?", (corpus_id,))
    connection.execute("DELETE FROM corpora WHERE id = ?", (corpus_id,))


def fts_query(words: str) -> str:
    """Return an FTS5 query for chunks that hold all `words`, each quoted; "" if there is no word."""
    return " ".join(f'"{token}"' for token in tokens(words))


def tokens(words: str) -> list[str]:
    """Return the words in what a user typed."""
    return re.findall(r"\w+", words)


def like_pattern(token: str) -> str:
    """Return a LIKE pattern, escaped by a backslash, for texts that hold `token`."""
    return f"%{token.replace('_', chr(92) + '_')}%"


def rows_of(cls: type[T], rows: Iterable[sqlite3.Row | Mapping[str, Any]]) -> list[T]:
    """Return rows of the database as what they describe; SQLite itself holds anything in any column.

    Raises:
        CorpusError: if a value is of another type than its field, or a number of rows is below 0.
    """
    made = []
    for row in rows:
        values = dict(row)
        kinds = (cls, *map(type, values.values()))
        if kinds not in _RIGHT:
            _check(cls, values)
            _RIGHT.add(kinds)
        made.append(cls(**values))
    return made


def corpus_info(row: sqlite3.Row) -> CorpusInfo:
    """Return a row of CORPUS as what it describes."""
    [info] = rows_of(CorpusInfo, [{**dict(row), "ordered": bool(row["ordered"])}])
    check_range("Corpus", info.name, 0, info.n_chunks)
    return info


def check_range(what: str, name: str, first: int, n: int, most: int = MOST_ROWS) -> None:
    """See that `n` rows from `first` on are some that can be.

    Raises:
        CorpusError: if they are not.
    """
    if not 0 <= first <= first + n <= most:
        raise damaged(f"{what} '{name}' stands at rows {first} to {first + n - 1}", f"rows from 0 to below {most}")


def damaged(given: str, expected: str) -> CorpusError:
    """Return what to say of rows that no ingest wrote."""
    return CorpusError(
        f"The database is damaged: {given}",
        expected,
        "Restore studio.db from a copy, or read the corpus in again: python -m lvm_core ingest SOURCE --replace",
    )


_RIGHT: set[tuple[type, ...]] = set()
"""Classes, each with the types of values that its fields take: a million chunks have two or three of them."""


def _check(cls: type, values: Mapping[str, Any]) -> None:
    hints = _hints(cls)
    for name, value in values.items():
        kinds = (*(typing.get_args(hints[name]) or (hints[name],)),)
        if not isinstance(value, (*kinds, int) if float in kinds else kinds):
            wanted = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
            raise damaged(f"{name} of {_NAMES.get(cls, 'an article')} is {cut(repr(value))}", wanted)


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)
