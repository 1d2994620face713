"""Decoded texts kept on disk, so that the same vector is never decoded twice.

One small SQLite file beside the workspace's database, not inside it: it may be deleted at any moment. A cache
that cannot be read or written is no reason to fail: decoding goes on without it, and `trouble` says why.
"""

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lvm_core.types import Decoded, Vectors
from lvm_core.workspace import Workspace

MAX_ENTRIES = 100_000
"""About 40 MB."""

WAIT_S = 2.0
READ_WAIT_S = 0.002
TOUCHES_KEPT = 64

SCHEMA = """
CREATE TABLE IF NOT EXISTS decoded (
    key BLOB PRIMARY KEY,
    texts TEXT NOT NULL,
    used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decoded_used ON decoded (used);
"""


def cache_key(decoder_id: str, steps: int, vector: Vectors) -> bytes:
    """Return the key of a vector (D,): decoder id, steps, and the vector rounded to 3 decimals."""
    rounded = np.rint(np.asarray(vector, dtype=np.float64) * 1000).astype(np.int64)
    return hashlib.sha256(f"{decoder_id}\n{steps}\n".encode() + rounded.tobytes()).digest()


class DecodeCache:
    """The least recently used texts go when there are more than `max_entries`."""

    def __init__(self, workspace: Workspace, max_entries: int = MAX_ENTRIES) -> None:
        """Remember where the cache lies; the file is made with the first text that is put."""
        self.path: Path = workspace.decode_cache
        self.max_entries = max_entries
        self.trouble = ""
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._touched: dict[bytes, float] = {}

    def get(self, decoder_id: str, steps: int, vector: Vectors) -> list[Decoded] | None:
        """Return what was put for this decoder, these steps and this vector (D,), or None.

        The list holds the text after each step that was kept, the answer last.
        """
        key = cache_key(decoder_id, steps, vector)
        texts: list[Decoded] | None = None
        with self._lock, self._guarded():
            texts = self._read(key)
        return texts  # noqa: RET504 - the guard swallows errors, and then this is None

    def _read(self, key: bytes) -> list[Decoded] | None:
        connection = self._open(create=False)
        if connection is None:
            return None
        row = connection.execute("SELECT texts FROM decoded WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        texts = [Decoded(*fields) for fields in json.loads(row[0])]
        self._touch(connection, key)
        return texts

    def put(self, decoder_id: str, steps: int, vector: Vectors, texts: Sequence[Decoded]) -> None:
        """Keep `texts`, the answer last, for this decoder, these steps and this vector (D,)."""
        key = cache_key(decoder_id, steps, vector)
        value = json.dumps([[t.text, t.method, t.steps, t.round_trip_cosine] for t in texts], ensure_ascii=False)
        with self._lock, self._guarded():
            connection = self._open(create=True)
            if connection is None:
                return
            connection.execute(f"PRAGMA busy_timeout = {int(WAIT_S * 1000)}")
            with _transaction(connection):
                self._write_touches(connection)
                connection.execute("INSERT OR REPLACE INTO decoded VALUES (?, ?, ?)", (key, value, time.time()))
                self._drop_oldest(connection)

    def __len__(self) -> int:
        """Return how many texts are kept."""
        count = 0
        with self._lock, self._guarded():
            connection = self._open(create=False)
            if connection is not None:
                count = int(connection.execute("SELECT count(*) FROM decoded").fetchone()[0])
        return count

    def clear(self) -> None:
        """Forget every text."""
        with self._lock, self._guarded():
            connection = self._open(create=False)
            if connection is not None:
                connection.execute("DELETE FROM decoded")

    def close(self) -> None:
        """Write what is still to be written and let go of the file."""
        with self._lock, self._guarded():
            if self._connection is not None:
                with _transaction(self._connection):
                    self._write_touches(self._connection)
                self._connection.close()
                self._connection = None

    def _open(self, create: bool) -> sqlite3.Connection | None:
        if self._connection is not None or not (create or self.path.exists()):
            return self._connection
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._throw_away(error)
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # a text lost in a power cut is decoded again
            connection.executescript(SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _throw_away(self, error: Exception) -> None:
        """A damaged cache is worth nothing: a new one takes its place."""
        self.trouble = f"The decode cache {self.path} was damaged ({error}) and has been started afresh."
        self._connection = None
        for ending in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            self.trouble = f"The decode cache {self.path} cannot be used ({error}); texts are decoded again each time."
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if self._connection is not None:
                self._connection.close()
            with contextlib.suppress(OSError):
                self._throw_away(error)

    def _touch(self, connection: sqlite3.Connection, key: bytes) -> None:
        """Note the use; written with the next text that is put, because a hit should wait for no other process."""
        self._touched[key] = time.time()
        if len(self._touched) >= TOUCHES_KEPT:
            connection.execute(f"PRAGMA busy_timeout = {int(READ_WAIT_S * 1000)}")
            with contextlib.suppress(sqlite3.OperationalError), _transaction(connection):
                self._write_touches(connection)

    def _write_touches(self, connection: sqlite3.Connection) -> None:
        uses = [(used, key) for key, used in self._touched.items()]
        connection.executemany("UPDATE decoded SET used = max(used, ?) WHERE key = ?", uses)
        self._touched.clear()

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        count = connection.execute("SELECT count(*) FROM decoded").fetchone()[0]
        if count > self.max_entries:
            surplus = count - self.max_entries + self.max_entries // 50  # in batches: counting is not free
            connection.execute(
                "DELETE FROM decoded WHERE key IN (SELECT key FROM decoded ORDER BY used LIMIT ?)", (surplus,)
            )


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
