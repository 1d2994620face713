"""studio.db: damage, a newer studio and foreign files are said with a way out; what can be read is read."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.corpus.store import CorpusStore
from lvm_core.database import connect
from lvm_core.errors import WorkspaceError
from lvm_core.workspace import Workspace
from tests.vectors.worlds import small_corpus


@pytest.fixture
def filled(workspace: Workspace, tmp_path: Path) -> Workspace:
    small_corpus(workspace, tmp_path)
    with contextlib.closing(connect(workspace)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return workspace


def test_damaged_pages_are_said_by_every_command(filled: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(filled.database.read_bytes())
    for place in range(4_096, len(data), 4_096):
        data[place : place + 64] = b"\xff" * 64
    filled.database.write_bytes(bytes(data))
    with pytest.raises(WorkspaceError, match=r"studio.db is damaged: .*Restore it from a copy, or move it away"):
        CorpusStore(filled).corpora()
    for command in (["corpora"], ["jobs"], ["leaderboard"]):
        assert main([*command, "--workspace", str(filled.root)]) == 2
        assert "is damaged" in capsys.readouterr().err
    assert main(["doctor", "--workspace", str(filled.root)]) == 0
    assert "error    " in (text := capsys.readouterr().out)
    assert "is damaged" in text


@pytest.mark.parametrize(("content", "message"), [(b"not a database at all" * 500, "is damaged"), (b"", "")])
def test_what_is_no_database_is_refused_and_an_empty_file_becomes_one(
    workspace: Workspace, content: bytes, message: str
) -> None:
    workspace.make(workspace.root)
    workspace.database.write_bytes(content)
    if message:
        with pytest.raises(WorkspaceError, match=message):
            CorpusStore(workspace).corpora()
    else:
        assert CorpusStore(workspace).corpora() == []


def test_damage_that_is_no_text_is_said(filled: Workspace) -> None:
    path = filled.database
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = CAST(x'4352fd8425' AS TEXT) WHERE name = 'documents'")
    with (
        pytest.raises(WorkspaceError, match=r"is damaged: .* Restore it from a copy"),
        contextlib.closing(connect(filled)),
    ):
        pass


def test_a_pipe_is_no_database(workspace: Workspace) -> None:
    workspace.make(workspace.root)
    os.mkfifo(workspace.database)
    with pytest.raises(WorkspaceError, match="is a pipe; expected a regular file"):
        CorpusStore(workspace).corpora()


def test_a_newer_studio_is_named_and_nothing_is_written(filled: Workspace) -> None:
    with contextlib.closing(sqlite3.connect(filled.database)) as db:
        db.execute("PRAGMA user_version = 99")
    for readonly in (True, False):
        with pytest.raises(WorkspaceError, match=r"written by a newer studio \(its schema is 99.*Update the studio"):
            connect(filled, readonly=readonly)


def test_missing_columns_are_said(filled: Workspace) -> None:
    with contextlib.closing(sqlite3.connect(filled.database)) as db:
        db.execute("ALTER TABLE corpora RENAME COLUMN licence TO licences")
        db.commit()
    with pytest.raises(WorkspaceError, match="has not the tables of this studio: no such column"):
        CorpusStore(filled).corpora()
