"""Write a corpus so that it appears whole or not at all, beside readers and through a kill -9."""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from lvm_core.corpus.chunks import NewChunk
from lvm_core.corpus.locks import corpus_lock
from lvm_core.corpus.queries import hide, purge
from lvm_core.corpus.sources.base import well_formed
from lvm_core.corpus.store import CorpusStore
from lvm_core.database import connect, database_errors
from lvm_core.errors import CorpusError, WorkspaceError
from lvm_core.json_shapes import Json
from lvm_core.types import CorpusInfo
from lvm_core.workspace import Workspace, slug

BATCH_CHUNKS = 4_000
"""Chunks written in one transaction; other processes wait no longer than one takes, about 0.1 s."""

CACHE_KIB, CHECKPOINT_PAGES = 64 * 1024, 10_000


class CorpusWriter:
    """Collects articles under a hidden name; `finish` makes the corpus visible in one transaction.

    Use it as a context manager: leaving without `finish` removes everything, and what a killed process left
    is removed by the next writer.
    """

    def __init__(
        self, workspace: Workspace, name: str, source: str, chunker: str, licence: str = "",
        ordered: bool = True, replace: bool = False,
    ) -> None:  # fmt: skip
        """Say what is to be written.

        Args:
            workspace: where.
            name: name of the corpus.
            source: where the text comes from, for people.
            chunker: how it was cut.
            licence: of the text; shown wherever the corpus is.
            ordered: whether chunks follow one another as in a text.
            replace: whether a corpus of that name may be replaced.

        Raises:
            CorpusError: if the name cannot be used or is taken.
        """
        check_name(name)
        self.workspace, self.name, self.source, self.replace = workspace, name, source, replace
        self._about = (well_formed(source), well_formed(licence), chunker, int(ordered))
        self.n_documents = self.n_chunks = self.n_chars = 0
        self._digest = hashlib.sha256()
        self._waiting: list[tuple[Any, ...]] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        refuse_existing(self.workspace, self.name, self.replace)
        with contextlib.ExitStack() as stack:
            stack.enter_context(database_errors(self.workspace))
            stack.enter_context(corpus_lock(self.workspace, self.name))
            self._connection = stack.enter_context(contextlib.closing(connect(self.workspace)))
            # Pages of the text index come back again and again; each checkpoint waits for the disk.
            self._connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            _remove_leftovers(self._connection, self.workspace, self.name)
            cursor = self._connection.execute(
                "INSERT INTO corpora (name, state, source, licence, chunker, ordered, created)"
                " VALUES (?, 'ingesting', ?, ?, ?, ?, ?)",
                (_hidden(self.name), *self._about, time.time()),
            )
            self._corpus_id = cursor.lastrowid or 0
            self._stack = stack.pop_all()
        return self

    def add(self, title: str, chunks: Sequence[NewChunk]) -> None:
        """Append an article with its chunks, in order."""
        title = well_formed(title)
        chunks = [chunk if well_formed(chunk.text) is chunk.text else _mended(chunk) for chunk in chunks]
        first_row, n_chars = self.n_chunks, chunks[-1].end if chunks else 0
        record = "\x1e".join([title, *(chunk.text for chunk in chunks)]).encode()
        self._digest.update(record + b"\x1d")
        digest = hashlib.sha256(record).hexdigest()
        self._waiting.append((self.n_documents, title, first_row, chunks, n_chars, digest))
        self.n_documents += 1
        self.n_chunks += len(chunks)
        self.n_chars += sum(len(chunk.text) for chunk in chunks)
        if first_row + len(chunks) - self._waiting[0][2] >= BATCH_CHUNKS:
            self._flush()

    def finish(self, details: Json | None = None, licence: str | None = None) -> CorpusInfo:
        """Make the corpus visible, an older one of its name gone, and return it.

        Args:
            details: what else is worth keeping about how it was made, as JSON values.
            licence: of the text, where the source told it only while it was read.

        Raises:
            CorpusError: if no article was added.
        """
        if not self.n_chunks:
            raise CorpusError(
                f"Corpus '{self.name}' would be empty, since the source gave no article with text",
                "at least one",
                "Give another source, or lower --min-chunks.",
            )
        self._flush()
        connection = self._connection
        digest = self._digest.hexdigest()
        about = well_formed(json.dumps(details or {}, ensure_ascii=False))
        licence = None if licence is None else well_formed(licence)
        connection.execute("BEGIN IMMEDIATE")
        old = connection.execute("SELECT id FROM corpora WHERE name = ?", (self.name,)).fetchone()
        if old:
            hide(connection, old["id"])
        connection.execute(
            "UPDATE corpora SET name = ?, state = 'ready', n_documents = ?, n_chunks = ?, digest = ?, details = ?,"
            " created = ?, licence = coalesce(?, licence) WHERE id = ?",
            (self.name, self.n_documents, self.n_chunks, digest, about, time.time(), licence, self._corpus_id),
        )  # fmt: skip
        connection.execute("COMMIT")
        if old:
            shutil.rmtree(self.workspace.corpus_dir(self.name), ignore_errors=True)
            purge(connection, old["id"])
        return CorpusStore(self.workspace).corpus(self.name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            self._waiting.clear()
            with contextlib.suppress(sqlite3.Error, WorkspaceError):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                state = self._connection.execute(
                    "SELECT state FROM corpora WHERE id = ?", (self._corpus_id,)
                ).fetchone()
                if state and state["state"] == "ingesting":
                    purge(self._connection, self._corpus_id)
            if isinstance(error, sqlite3.OperationalError):
                with database_errors(self.workspace):
                    raise error

    def _flush(self) -> None:
        connection, waiting = self._connection, self._waiting
        if not waiting:
            return
        connection.execute("BEGIN IMMEDIATE")
        for ordinal, title, first_row, chunks, n_chars, digest in waiting:
            document_id = connection.execute(
                "INSERT INTO documents (corpus_id, ordinal, title, first_row, n_chunks, n_chars, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._corpus_id, ordinal, title, first_row, len(chunks), n_chars, digest),
            ).lastrowid
            connection.executemany(
                'INSERT INTO chunks (corpus_id, document_id, row, position, section, start, "end", text, coherence,'
                " tmd, external_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (self._corpus_id, document_id, first_row + position, position, chunk.section, chunk.start,
                     chunk.end, chunk.text, chunk.coherence, chunk.tmd, chunk.external_id)
                    for position, chunk in enumerate(chunks)
                ),
            )  # fmt: skip
        connection.execute("COMMIT")
        waiting.clear()


def _mended(chunk: NewChunk) -> NewChunk:
    return replace(chunk, text=well_formed(chunk.text), section=well_formed(chunk.section))


def check_name(name: str) -> None:
    """Raise CorpusError unless `name` can be a corpus's name, which is also its folder's."""
    if not name or slug(name) != name or len(name) > 80:
        raise CorpusError(
            f"'{name}' cannot be the name of a corpus",
            "up to 80 letters, digits, '.', '_' and '-'",
            f"For example: --corpus {slug(name)[:80]}",
        )


def refuse_existing(workspace: Workspace, name: str, replace: bool) -> None:
    """Raise CorpusError if the corpus is there and may not be replaced."""
    if not replace and any(info.name == name for info in CorpusStore(workspace).corpora()):
        raise CorpusError(
            f"Corpus '{name}' exists already in {workspace.root}",
            "a name that no corpus has",
            "Add --replace to read it in anew (its vectors go with it), or choose another name with --corpus.",
        )


def _hidden(name: str) -> str:
    return f".ingesting-{name}"


def _remove_leftovers(connection: sqlite3.Connection, workspace: Workspace, own: str) -> None:
    """Remove what killed processes left: hidden corpora that nobody holds the lock of."""
    for row in connection.execute("SELECT id, name FROM corpora WHERE state = 'ingesting'").fetchall():
        name = row["name"].removeprefix(".ingesting-")
        if name == own or name.startswith(".deleted-"):
            purge(connection, row["id"])
            continue
        with contextlib.suppress(CorpusError), corpus_lock(workspace, name):
            purge(connection, row["id"])
