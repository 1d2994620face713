"""The SQL that the store and the writer share, and how a user's words become a query."""

import re
import sqlite3

from lvm_core.types import CorpusInfo

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


def corpus_info(row: sqlite3.Row) -> CorpusInfo:
    """Return a row of CORPUS as what it describes."""
    return CorpusInfo(**{**dict(row), "ordered": bool(row["ordered"])})
