"""Stored corpora: read slices of articles and chunks, search their words, delete them."""

import contextlib
import json
import math
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lvm_core.corpus.locks import corpus_lock
from lvm_core.corpus.queries import (
    CHUNK,
    CORPUS,
    DOCUMENT,
    DOCUMENT_COLUMNS,
    HITS,
    PURGE_BATCH,
    check_range,
    corpus_info,
    damaged,
    fts_query,
    hide,
    like_pattern,
    purge,
    rows_of,
    tokens,
)
from lvm_core.corpus.sources.bundled import BUNDLED
from lvm_core.database import connect, database_errors
from lvm_core.errors import CorpusError
from lvm_core.json_shapes import Json
from lvm_core.types import Chunk, CorpusInfo, DocumentInfo
from lvm_core.workspace import Workspace

BATCH = 500
"""Rows a query names at once; SQLite's limit is far above."""


MOST_RANKED = 100_000
"""Chunks that a search for words compares, the first in reading order: a tenth of a second."""


class CorpusStore:
    """The corpora of one workspace. Opens a short connection a call: safe across threads and processes."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def corpora(self) -> list[CorpusInfo]:
        """Return the corpora that are ready, oldest first."""
        return [corpus_info(row) for row in self._all(f"{CORPUS} ORDER BY id")]

    def corpus(self, name: str) -> CorpusInfo:
        """Return one corpus.

        Raises:
            CorpusError: if there is none of that name; the message lists those that exist.
        """
        rows = self._all(f"{CORPUS} AND name = ?", name)
        if rows:
            return corpus_info(rows[0])
        names = ", ".join(f"'{info.name}'" for info in self.corpora()) or "none yet"
        source = name if name in BUNDLED else "SOURCE"
        raise CorpusError(
            f"There is no corpus '{name}' in {self.workspace.root}",
            f"one of those there: {names}",
            f"Name one of these, or read it in with: python -m lvm_core ingest {source} --corpus {name}",
        )

    def details(self, name: str) -> Json:
        """Return what was noted when the corpus was read in: settings, what was skipped and why, duration."""
        corpus = self.corpus(name)
        (row,) = self._all("SELECT details FROM corpora WHERE id = ?", corpus.corpus_id)
        try:
            details = json.loads(row["details"])
        except (ValueError, TypeError, RecursionError):  # a damaged note must not hide the corpus
            return {}
        return details if isinstance(details, dict) else {}

    def documents(self, name: str) -> list[DocumentInfo]:
        """Return all articles of a corpus, in order.

        Raises:
            CorpusError: if there is no such corpus, or the database is damaged.
        """
        corpus = self.corpus(name)
        rows = self._all(f"{DOCUMENT} WHERE corpus_id = ? ORDER BY ordinal", corpus.corpus_id)
        documents = rows_of(DocumentInfo, rows)
        if len(documents) != corpus.n_documents:
            raise damaged(
                f"corpus '{name}' has {len(documents):,} articles, unless it was replaced just now",
                f"{corpus.n_documents:,}, as it says itself",
            )
        for document in documents:
            check_range("Article", document.title, document.first_row, document.n_chunks, corpus.n_chunks)
        return documents

    def document(self, document_id: int) -> DocumentInfo:
        """Return one article.

        Raises:
            CorpusError: if it is gone.
        """
        rows = self._all(f"{DOCUMENT} WHERE d.id = ?", document_id)
        if not rows:
            raise CorpusError(
                f"There is no article {document_id} any more, since its corpus was deleted or replaced",
                "an article of a corpus that is there",
                "Choose it again on the Corpus page.",
            )
        return rows_of(DocumentInfo, rows)[0]

    def find_documents(
        self, name: str, words: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[list[DocumentInfo], int]:
        """Return a page of the articles whose title or text holds all `words`, and how many there are.

        Articles with the words in their title come first, then those with most chunks that hold them.
        """
        corpus_id, query_tokens = self.corpus(name).corpus_id, tokens(words)
        source, condition, order = "documents AS d", "d.corpus_id = ?", "ordinal"
        values: list[Any] = [corpus_id]
        likes: list[str] = []
        if query_tokens:
            in_title = " AND ".join(["title LIKE ? ESCAPE '\\'"] * len(query_tokens))
            likes = [like_pattern(token) for token in query_tokens]
            source = f"documents AS d LEFT JOIN ({HITS}) AS h ON h.document_id = d.id"
            condition = f"d.corpus_id = ? AND (h.n IS NOT NULL OR ({in_title}))"
            order = f"({in_title}) DESC, h.n DESC, ordinal"
            values = [fts_query(words), corpus_id, corpus_id, *likes]
        sql = (
            f"SELECT {DOCUMENT_COLUMNS}, count(*) OVER () AS total FROM {source} WHERE {condition}"
            f" ORDER BY {order} LIMIT ? OFFSET ?"
        )
        rows = self._all(sql, *values, *likes, limit, offset)
        if not rows and offset:
            return [], self.find_documents(name, words, 0, 1)[1]
        counted = [dict(row) for row in rows]
        totals = [row.pop("total") for row in counted]
        return rows_of(DocumentInfo, counted), totals[0] if totals else 0

    def chunks(self, name: str, rows: ArrayLike | Sequence[int]) -> list[Chunk]:
        """Return the chunks at `rows` (N,), in that order, repeats included.

        Raises:
            CorpusError: if a row lies outside the corpus.
        """
        corpus = self.corpus(name)
        wanted = [int(row) for row in np.asarray(rows, dtype=np.int64).reshape(-1)]
        chunks: dict[int, Chunk] = {}
        unique = sorted(set(wanted))
        with self._connection() as connection:
            for i in range(0, len(unique), BATCH):
                part = unique[i : i + BATCH]
                marks = ", ".join("?" * len(part))
                sql = f"{CHUNK} WHERE c.corpus_id = ? AND row IN ({marks})"
                found = rows_of(Chunk, connection.execute(sql, (corpus.corpus_id, *part)))
                chunks.update((chunk.row, chunk) for chunk in found)
        missing = [row for row in unique if row not in chunks]
        if missing:
            raise CorpusError(
                f"Row {missing[0]} of corpus '{name}' was asked for",
                f"rows 0 to {corpus.n_chunks - 1}",
                "The vectors or the index belong to another state of the corpus: encode it again.",
            )
        return [chunks[row] for row in wanted]

    def document_chunks(self, document_id: int, start: int = 0, stop: int | None = None) -> list[Chunk]:
        """Return the chunks of one article from position `start` to before `stop`, in order."""
        sql = f"{CHUNK} WHERE document_id = ? AND position >= ? AND position < ? ORDER BY position"
        last = stop if stop is not None else np.iinfo(np.int32).max
        return rows_of(Chunk, self._all(sql, document_id, start, int(last)))

    def texts(self, name: str, start: int = 0, stop: int | None = None) -> list[str]:
        """Return the texts of rows `start` to before `stop`, in order."""
        corpus = self.corpus(name)
        last = corpus.n_chunks if stop is None else stop
        sql = "SELECT text FROM chunks WHERE corpus_id = ? AND row >= ? AND row < ? ORDER BY row"
        return [row["text"] for row in self._all(sql, corpus.corpus_id, start, last)]

    def search(self, name: str, words: str, limit: int = 50, offset: int = 0) -> list[Chunk]:
        """Return the chunks that hold all `words`, best first; `words` is never read as query syntax.

        Of words that stand nearly everywhere the first `MOST_RANKED` chunks are ranked.
        """
        corpus = self.corpus(name)
        query = fts_query(words)
        if not query:
            return []
        ends = self._all(
            "SELECT id FROM chunks WHERE corpus_id = ? AND row IN (0, ?) ORDER BY row",
            corpus.corpus_id, corpus.n_chunks - 1,
        )  # fmt: skip
        if not ends:
            return []
        ranked = "SELECT rowid AS id, rank FROM chunks_fts WHERE chunks_fts MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"
        sql = f"{CHUNK} JOIN ({ranked}) AS f ON f.id = c.id WHERE c.corpus_id = ? ORDER BY f.rank, row LIMIT ? OFFSET ?"
        values = (query, ends[0]["id"], ends[-1]["id"], MOST_RANKED, corpus.corpus_id, limit, offset)
        return rows_of(Chunk, self._all(sql, *values))

    def find_in_document(self, document_id: int, words: str) -> list[int]:
        """Return the positions of an article's chunks that hold all `words`, in order."""
        query = fts_query(words)
        if not query:
            return []
        # Without the bounds and the order of the join, SQLite asks the index of words once a chunk.
        sql = (
            "SELECT c.position FROM chunks_fts CROSS JOIN chunks AS c ON c.id = chunks_fts.rowid"
            " WHERE chunks_fts MATCH ? AND chunks_fts.rowid BETWEEN ? AND ? AND c.document_id = ? ORDER BY c.position"
        )
        bounds = self._all("SELECT min(id) AS low, max(id) AS high FROM chunks WHERE document_id = ?", document_id)[0]
        return [row["position"] for row in self._all(sql, query, bounds["low"], bounds["high"], document_id)]

    def outline(self, document_id: int) -> list[tuple[int, str]]:
        """Return where the sections of an article begin: (position of the first chunk, title), in order."""
        sql = (
            "SELECT position, section FROM (SELECT position, section, lag(section) OVER (ORDER BY position) AS before"
            " FROM chunks WHERE document_id = ?) WHERE before IS NOT section ORDER BY position"
        )
        return [(row["position"], row["section"]) for row in self._all(sql, document_id)]

    def coherence(self, document_id: int) -> NDArray[np.float32]:
        """Return each chunk's cosine to the one before it (N,) for one article; NaN where none is known."""
        rows = self._all("SELECT coherence FROM chunks WHERE document_id = ? ORDER BY position", document_id)
        return np.array([np.nan if row["coherence"] is None else row["coherence"] for row in rows], dtype=np.float32)

    def n_chars(self, name: str) -> int:
        """Return how many characters the articles of a corpus have."""
        sql = "SELECT coalesce(sum(n_chars), 0) AS n FROM documents WHERE corpus_id = ?"
        return int(self._all(sql, self.corpus(name).corpus_id)[0]["n"])

    def set_coherence(self, name: str, values: ArrayLike, start: int = 0) -> None:
        """Store each chunk's cosine to the chunk before it in its article, and the mean of each article.

        Args:
            name: the corpus.
            values: (N,) for rows `start` onwards; the first chunk of an article may hold anything.
            start: the first row.
        """
        corpus_id = self.corpus(name).corpus_id
        numbers = np.asarray(values, dtype=np.float64).reshape(-1).tolist()
        with database_errors(self.workspace), self._connection() as connection:
            for i in range(0, len(numbers), PURGE_BATCH):
                part = [
                    (None if math.isnan(v) else v, corpus_id, start + i + k)
                    for k, v in enumerate(numbers[i : i + PURGE_BATCH])
                ]
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "UPDATE chunks SET coherence = CASE WHEN position = 0 THEN NULL ELSE ? END"
                    " WHERE corpus_id = ? AND row = ?", part,
                )  # fmt: skip
                connection.execute("COMMIT")
            connection.execute(
                "UPDATE documents SET coherence = (SELECT avg(coherence) FROM chunks WHERE document_id = documents.id)"
                " WHERE corpus_id = ? AND first_row + n_chunks > ? AND first_row < ?",
                (corpus_id, start, start + len(numbers)),
            )

    def lacks_coherence(self, name: str) -> bool:
        """Return whether a chunk that follows another in its article has no coherence stored."""
        sql = "SELECT 1 FROM chunks WHERE corpus_id = ? AND position > 0 AND coherence IS NULL LIMIT 1"
        return bool(self._all(sql, self.corpus(name).corpus_id))

    def delete(self, name: str) -> None:
        """Delete a corpus with its articles, chunks, vectors and index.

        Raises:
            CorpusError: if there is none of that name, or it is being read in.
        """
        corpus = self.corpus(name)
        with corpus_lock(self.workspace, name), database_errors(self.workspace), self._connection() as connection:
            hide(connection, corpus.corpus_id)
            purge(connection, corpus.corpus_id)
            shutil.rmtree(self.workspace.corpus_dir(name), ignore_errors=True)

    def _all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._connection(readonly=True) as connection:
            return connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def _connection(self, readonly: bool = False) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(connect(self.workspace, readonly=readonly)) as connection:
            yield connection


def iter_texts(store: CorpusStore, name: str, batch: int = 4_096) -> Iterable[str]:
    """Yield the texts of a corpus in order, a slice in memory at a time."""
    total = store.corpus(name).n_chunks
    for start in range(0, total, batch):
        yield from store.texts(name, start, min(start + batch, total))
