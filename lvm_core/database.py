"""studio.db: one SQLite file in WAL mode, its schema brought up by numbered migrations."""

import contextlib
import functools
import sqlite3
import threading
from collections.abc import Iterator
from importlib import resources

from lvm_core.errors import WorkspaceError
from lvm_core.workspace import Workspace

BUSY_TIMEOUT_S = 30.0
_lock = threading.Lock()


def connect(workspace: Workspace, readonly: bool = False) -> sqlite3.Connection:
    """Return a connection to the workspace's database, created and migrated if need be.

    Rows come as `sqlite3.Row`. One connection a thread; close it, or use `contextlib.closing`.

    Raises:
        WorkspaceError: if the folder cannot be written or the file is not a database of the studio.
    """
    path = workspace.database
    if not readonly:
        workspace.make(path.parent)
    try:
        if readonly and not path.exists():
            return _empty()
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        connection.execute("PRAGMA foreign_keys = ON")
        if connection.execute("PRAGMA user_version").fetchone()[0] < _newest():
            connection.execute("PRAGMA journal_mode = WAL")
            _migrate(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
    except sqlite3.DatabaseError as error:
        raise WorkspaceError(
            f"{path} cannot be used as the studio's database: {error}."
            " If the folder is read-only, make it writable or choose another workspace with --workspace;"
            " if the file is damaged, restore it from a copy or move it away."
        ) from error


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    _migrate(connection)
    return connection


def _scripts() -> list[tuple[int, str]]:
    folder = resources.files("lvm_core").joinpath("migrations")
    scripts = [(int(f.name[:4]), f.read_text(encoding="utf-8")) for f in folder.iterdir() if f.name.endswith(".sql")]
    return sorted(scripts)


@functools.cache
def _newest() -> int:
    return _scripts()[-1][0]


def _migrate(connection: sqlite3.Connection) -> None:
    """Apply each script that is newer than the file, one transaction a script, safe with two processes at once."""
    with _lock:
        for number, script in _scripts():
            connection.execute("BEGIN IMMEDIATE")
            done = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute("ROLLBACK")
            if done < number:
                try:
                    connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
                except sqlite3.OperationalError:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    if connection.execute("PRAGMA user_version").fetchone()[0] < number:
                        raise


@contextlib.contextmanager
def database_errors(workspace: Workspace) -> Iterator[None]:
    """Turn a database that cannot be written (disk full, read-only, busy) into a WorkspaceError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise WorkspaceError(
            f"Cannot write {workspace.database}: {error}. Free some space or make the folder writable,"
            " or choose another workspace with --workspace or LVM_WORKSPACE. What was stored before is unharmed."
        ) from error
