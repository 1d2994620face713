"""Rows of a table on disk, between the server and the corpus: what was read once is never read again.

Memory stays small whatever the table's size. The rows become part of an SQLite file a batch at a time, so that an
import that was killed, or whose server died, goes on after the last batch that is whole.
"""

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from typing import Self

import numpy as np

from lvm_core.corpus.locks import corpus_lock
from lvm_core.errors import WorkspaceError
from lvm_core.exchange.postgres.read import Row
from lvm_core.workspace import Workspace

BATCH = 2_000
"""Rows written in one transaction; a kill loses no more than these."""

SCHEMA = """
    PRAGMA page_size = 65536;
    PRAGMA cache_size = -65536;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, cpe_id, text, vector, tmd, article, position, title,
                                     flaw);
    CREATE TABLE IF NOT EXISTS batches (seconds REAL);
"""
"""Pages that hold several vectors, and one wait for the disk a batch, which `flush` asks for: three times as quick."""


class Staging:
    """Rows read so far for one corpus; use it as a context manager, which holds the corpus's lock for reading in.

    Attributes:
        key: digest of the state of the source that the rows are of, "" where it cannot be known.
        n_rows: rows here.
        n_before: how many of them an earlier attempt left.
        changed: whether rows of another state were here, and were dropped.
        seconds: what the reading of the rows took, over all attempts.
    """

    def __init__(self, workspace: Workspace, corpus: str, key: str) -> None:
        """Say which rows are wanted: of `key`'s state of the source; "" begins anew each time."""
        self.key = key
        self.n_rows = self.n_before = 0
        self.changed = False
        self.seconds = 0.0
        self._workspace, self._corpus = workspace, corpus
        self._folder = workspace.incoming(corpus)
        self._path = self._folder / f"rows-{key[:16]}.db"
        self._batch: list[Row] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(corpus_lock(self._workspace, self._corpus, "reading"))
            if not self.key or not self._path.exists():
                self.changed = bool(self.key) and any(self._folder.glob("rows-*.db"))
                self.drop()
            self._workspace.make(self._folder)
            with self._disk():
                self._rows = stack.enter_context(contextlib.closing(sqlite3.connect(self._path)))
                self._rows.executescript(SCHEMA)
                self._file = stack.enter_context(self._path.open("rb"))
                (self.n_rows,) = self._rows.execute("SELECT coalesce(max(number), 0) FROM rows").fetchone()
                (self.seconds,) = self._rows.execute("SELECT total(seconds) FROM batches").fetchone()
            self.n_before = self.n_rows
            self._since = time.perf_counter()
            self._stack = stack.pop_all()
        return self

    def put(self, row: Row) -> bool:
        """Add a row; return whether its batch was full with it, and is on disk for good."""
        self._batch.append(row)
        full = len(self._batch) >= BATCH
        if full:
            self.flush()
        return full

    def flush(self) -> None:
        """Write what waits, so that no kill can lose it.

        Raises:
            WorkspaceError: if the disk refuses.
        """
        batch, self._batch = self._batch, []
        now = time.perf_counter()
        spent, self._since = now - self._since, now
        with self._disk():
            self._rows.executemany(
                "INSERT INTO rows VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((r.cpe_id, r.text, r.vector if r.vector is None else r.vector.tobytes(), r.tmd, r.article, r.position,
                  r.title, r.flaw)
                 for r in batch),
            )  # fmt: skip
            self._rows.execute("INSERT INTO batches VALUES (?)", (spent,))
            self._rows.commit()
            os.fsync(self._file.fileno())
        self.n_rows += len(batch)
        self.seconds += spent

    def rows(self) -> Iterator[Row]:
        """Yield all rows in the order in which they came."""
        columns = "cpe_id, text, vector, tmd, article, position, title, flaw"
        with self._disk():
            for cpe_id, text, data, *rest in self._rows.execute(f"SELECT {columns} FROM rows ORDER BY number"):
                yield Row(cpe_id, text, None if data is None else np.frombuffer(data, dtype=np.float32), *rest)

    def drop(self) -> None:
        """Remove the rows, and what else waits for the corpus."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self.n_rows = 0

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise WorkspaceError(
                f"{self._path} cannot be used: {error}",
                "a whole file on a disk with room",
                f"Free some space or make the folder writable; if the file is damaged, delete {self._folder} and"
                " run the import again.",
            ) from error

    def __exit__(self, *_: object) -> None:
        with self._stack:
            if not self.key:
                self.drop()
