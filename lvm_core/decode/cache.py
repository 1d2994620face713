"""Decoded texts kept on disk, so that the same vector is never decoded twice.

One small SQLite file beside the workspace's database, not inside it: it may be deleted at any moment. A cache
that cannot be read or written is no reason to fail: decoding goes on without it, and `trouble` says why.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from lvm_core.types import Decoded, Vectors
from lvm_core.workspace import Workspace

MAX_ENTRIES = 100_000
"""About 40 MB."""

WAIT_MS, READ_WAIT_MS = 2000, 2
"""Longest wait for another process: to keep a text, and to note that one was used."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS decoded (
    key BLOB PRIMARY KEY,
    texts TEXT NOT NULL,
    used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decoded_used ON decoded (used);
"""
TRIM = """
DELETE FROM decoded WHERE key IN (
    SELECT key FROM decoded ORDER BY used LIMIT max(0, (SELECT count(*) FROM decoded) - ?)
)
"""


def cache_key(decoder_id: str, steps: int, vector: Vectors) -> bytes:
    """Return the key of a vector (D,): decoder id, steps, and the vector rounded to 3 decimals."""
    rounded = np.rint(np.asarray(vector, dtype=np.float64) * 1000).astype(np.int64)
    return hashlib.sha256(f"{decoder_id}\n{steps}\n".encode() + rounded.tobytes()).digest()


def _decoded(
    text: str, method: str, steps: int, cosine: float, fluency: float | None, others: Sequence[str] = ()
) -> Decoded:
    return Decoded(text, method, steps, cosine, fluency, tuple(others))


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Log changes ahead, so that readers and a writer do not wait for one another.

    Of two processes that say so of one new file at the same moment SQLite refuses one at once, whatever its time limit.
    """
    until = time.monotonic() + WAIT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


class DecodeCache:
    """The least recently used texts go when there are more than `max_entries`."""

    def __init__(self, workspace: Workspace, max_entries: int = MAX_ENTRIES) -> None:
        """Remember where the cache lies; the file is made with the first text that is put."""
        self.path, self.max_entries = workspace.decode_cache, max_entries
        self.trouble = ""
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def get(self, decoder_id: str, steps: int, vector: Vectors) -> list[Decoded] | None:
        """Return what was put for this decoder, these steps and this vector (D,), or None.

        The list holds the text after each step that was kept, the answer last.
        """
        key = cache_key(decoder_id, steps, vector)
        rows = self._run("SELECT texts FROM decoded WHERE key = ?", (key,), READ_WAIT_MS) if self.path.exists() else []
        if not rows:
            return None
        self._run("UPDATE decoded SET used = ? WHERE key = ?", (time.time(), key), READ_WAIT_MS)
        try:
            return [_decoded(*fields) for fields in json.loads(rows[0][0])]
        except (ValueError, TypeError) as error:
            self._start_afresh(error)
            return None

    def put(self, decoder_id: str, steps: int, vector: Vectors, texts: Sequence[Decoded]) -> None:
        """Keep `texts`, the answer last, for this decoder, these steps and this vector (D,)."""
        fields = [[t.text, t.method, t.steps, t.round_trip_cosine, t.fluency, t.others] for t in texts]
        row = (cache_key(decoder_id, steps, vector), json.dumps(fields, ensure_ascii=False), time.time())
        self._run("INSERT OR REPLACE INTO decoded VALUES (?, ?, ?)", row, WAIT_MS)
        self._run(TRIM, (self.max_entries,), WAIT_MS)

    def __len__(self) -> int:
        """Return how many texts are kept."""
        rows = self._run("SELECT count(*) FROM decoded", (), WAIT_MS) if self.path.exists() else []
        return int(rows[0][0]) if rows else 0

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _run(self, statement: str, values: tuple[Any, ...], wait_ms: int) -> list[Any]:
        """Return the rows of a statement; none where the file cannot be used, and a damaged one is started afresh."""
        try:
            with self._lock:
                connection = self._connection = self._connection or self._connect()
                connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
                return connection.execute(statement, values).fetchall()
        except (sqlite3.OperationalError, OSError) as error:
            self.trouble = f"The decode cache {self.path} cannot be used ({error}); texts are decoded again each time."
        except sqlite3.DatabaseError as error:
            self._start_afresh(error)
        return []

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, WAIT_MS / 1000, isolation_level=None, check_same_thread=False)
        try:
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = OFF")  # a text lost in a power cut is decoded again
            connection.executescript(SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _start_afresh(self, error: Exception) -> None:
        """A damaged cache is worth nothing: a new one takes its place with the next text that is put."""
        self.close()
        self.trouble = f"The decode cache {self.path} was damaged ({error}) and has been started afresh."
        for ending in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
