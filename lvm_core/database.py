"""studio.db: one SQLite file in WAL mode, its schema brought up by numbered migrations."""

import contextlib
import functools
import sqlite3
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Self

from lvm_core.boundary.files import regular_file
from lvm_core.errors import WorkspaceError
from lvm_core.workspace import Workspace, full_disk, is_full, need_space

BUSY_TIMEOUT_S = 30.0
_lock = threading.Lock()


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
"""What SQLite says on a full disk; the latter two have other causes as well."""


class _Cursor(sqlite3.Cursor):
    """A cursor that says what is wrong with the file in words that help."""

    def execute(self, *arguments: Any) -> Self:
        with _explained(self.connection):
            return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> Self:
        with _explained(self.connection):
            return super().executemany(*arguments)

    def fetchone(self) -> Any:
        with _explained(self.connection):
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        with _explained(self.connection):
            return super().fetchall()

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except sqlite3.DatabaseError as error:
            raise _explanation(self.connection, error) or error from error


class _Connection(sqlite3.Connection):
    """A connection that knows its file; `execute` and its like go through `_Cursor`."""

    path = Path(":memory:")

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Cursor)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor().execute(*arguments)
        return cursor

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor().executemany(*arguments)
        return cursor


@contextlib.contextmanager
def _explained(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _explanation(connection, error) or error from error
    except UnicodeDecodeError as error:  # SQLite names what it cannot read, in the file's damaged characters
        damaged = sqlite3.DatabaseError("what it holds is no text")
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise _explanation(connection, damaged) or error from error


def _explanation(connection: sqlite3.Connection, error: sqlite3.DatabaseError) -> WorkspaceError | None:
    """Return what a user can do about a damaged, foreign or full file; None where the caller knows better."""
    path = connection.path if isinstance(connection, _Connection) else Path(":memory:")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return WorkspaceError(
            f"{path} is damaged: {error}",
            "a whole database of SQLite",
            "Restore it from a copy, or move it away and read the corpora in again; runs, vectors and inverters"
            " lie in folders of their own and stay.",
        )
    if code == sqlite3.SQLITE_FULL or (code in _NO_ROOM and is_full(path)):
        return full_disk(path)
    if code == sqlite3.SQLITE_ERROR and str(error).startswith("no such"):
        return WorkspaceError(
            f"{path} has not the tables of this studio: {error}",
            "those of this version",
            "Restore it from a copy, or choose another workspace with --workspace.",
        )
    return None


def connect(workspace: Workspace, readonly: bool = False) -> sqlite3.Connection:
    """Return a connection to the workspace's database, created and migrated if need be.

    Rows come as `sqlite3.Row`. One connection a thread; close it, or use `contextlib.closing`.

    Raises:
        WorkspaceError: if the folder cannot be written, or the file is damaged, of a newer studio or no database.
    """
    path = workspace.database
    if not readonly:
        workspace.make(path.parent)
    if path.exists():
        regular_file(path, "The database", error=WorkspaceError)
    elif readonly:
        return _empty()
    try:
        connection = _opened(path)
        with_version = _brought_up(connection)
    except sqlite3.DatabaseError as error:
        raise WorkspaceError(
            f"{path} cannot be used as the studio's database: {error}",
            "a file of SQLite in a folder that can be written to",
            "If the folder is read-only, make it writable, or choose another workspace with --workspace.",
        ) from error
    if with_version > _newest():
        connection.close()
        raise WorkspaceError(
            f"{path} was written by a newer studio (its schema is {with_version})",
            f"at most {_newest()}",
            "Update the studio, or choose another workspace with --workspace.",
        )
    return connection


def _opened(path: Path) -> _Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, factory=_Connection)
    connection.path = path
    connection.row_factory = sqlite3.Row
    return connection


def _brought_up(connection: _Connection) -> int:
    """Set the connection up, migrate its file where it is older than the studio, and return its version."""
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version < _newest():
        connection.execute("PRAGMA journal_mode = WAL")
        _migrate(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    return version


def _empty() -> sqlite3.Connection:
    connection = _opened(Path(":memory:"))
    connection.deserialize(_empty_image())
    return connection


@functools.cache
def _empty_image() -> bytes:
    """Return a database without rows: a service in a new workspace asks for one with every request."""
    with contextlib.closing(_opened(Path(":memory:"))) as connection:
        _migrate(connection)
        return connection.serialize()


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
            f"Cannot write {workspace.database}: {error}",
            "a disk with room, in a folder that can be written to",
            "Free some space or make the folder writable, or choose another workspace with --workspace or"
            " LVM_WORKSPACE. What was stored before is unharmed.",
        ) from error


def copy_database(workspace: Workspace, path: Path) -> None:
    """Write the database as it stands into the new file `path`, to be read by other machines.

    SQLite's log of changes is shared memory, which a network's file system has not: several machines must not open
    the file itself.

    Raises:
        WorkspaceError: if the disk refuses.
    """
    need_space(path.parent, workspace.database.stat().st_size)
    with contextlib.closing(connect(workspace)) as db, database_errors(workspace):
        db.execute("VACUUM INTO ?", (str(path),))
