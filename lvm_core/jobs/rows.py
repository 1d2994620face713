"""The jobs table: one row a job, and the few changes a row can make. Each change is one transaction."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lvm_core.boundary.json_values import from_json, parse_json
from lvm_core.boundary.secrets import shown_words
from lvm_core.database import connect
from lvm_core.errors import JobError, WorkspaceError
from lvm_core.jobs import machine
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

ENDED = ("done", "failed", "cancelled", "interrupted")
RESUMABLE = ("failed", "cancelled", "interrupted")
LONG, SHORT = "long", "short"
"""Lanes: a short job, which somebody waits for, never stands behind a long one."""

SILENT_AFTER_S = 60.0
MOST_PLACES = 10**15
DEFAULT_LIMIT = 1
SHORT_AT_ONCE = 1
NOT_STARTED = "not started: the job before it did not end well"
"""What a job says that waited for one which stopped; it comes back when that goes on."""


@dataclass(frozen=True, slots=True)
class Job:
    """One row. Times are seconds since 1970; `elapsed_s` counts the time it really ran, over all attempts."""

    id: str
    kind: str
    title: str
    argv: list[str]
    program: list[str] | None
    resume_argv: list[str] | None
    cwd: str
    state: str
    place: int
    attempt: int
    cancelling: bool
    progress: float
    message: str
    run: str | None
    created: float
    started: float | None
    ended: float | None
    earlier_s: float
    elapsed_s: float
    silent_s: float
    host: str | None
    claimed_mono: float | None
    supervisor_pid: int | None
    supervisor_born: str | None
    pid: int | None
    born: str | None
    heartbeat: float | None
    heartbeat_mono: float | None
    exit_code: int | None
    lane: str
    after: str | None

    @property
    def here(self) -> bool:
        """Return whether its processes are of this boot of this machine."""
        return self.host == machine.host()

    @property
    def beat_age_s(self) -> float:
        """Return the seconds since it last beat, never negative, whatever the wall clock did meanwhile."""
        if self.here and self.heartbeat_mono is not None:
            return max(0.0, machine.monotonic() - self.heartbeat_mono)
        return abs(time.time() - self.heartbeat) if self.heartbeat is not None else float("inf")

    @property
    def silent(self) -> float:
        """Return for how many seconds a running job has shown no progress, 0 below a minute."""
        if self.state != "running":
            return 0.0
        quiet = self.silent_s + self.beat_age_s
        return quiet if quiet >= SILENT_AFTER_S else 0.0

    def to_json(self) -> Json:
        """Return the fields that `jobs --json` shows."""
        shown = ("id", "kind", "state", "progress", "message", "created", "started", "ended", "run", "title", "argv")
        extra = ("place", "attempt", "exit_code", "pid", "cancelling", "lane", "after")
        fields = {name: getattr(self, name) for name in shown + extra}
        fields["argv"] = shown_words(self.argv)  # a job of an older studio may carry a password
        return {**fields, "elapsed_s": round(self.earlier_s + self.elapsed_s, 3), "silent_s": round(self.silent, 1)}


def _job(row: sqlite3.Row) -> Job:
    """Return the job in a row.

    Raises:
        JobError: if the row is damaged.
    """
    values = dict(row)
    what, remedy = f"Job {values['id']}", f"Delete it with: jobs delete {values['id']}"
    for name in ("argv", "program", "resume_argv"):
        text = values[name]
        values[name] = parse_json(str(text), f"{what}: {name}", remedy=remedy, error=JobError) if text else None
    values["cancelling"] = bool(values["cancelling"])
    return from_json(Job, values, what, remedy, error=JobError)


@contextlib.contextmanager
def opened(workspace: Workspace, wait_s: float | None = None) -> Iterator[sqlite3.Connection]:
    """Give a connection; `wait_s` is how long a write may wait for another writer (None: the studio's usual)."""
    with contextlib.closing(connect(workspace)) as db:
        if wait_s is not None:
            db.execute(f"PRAGMA busy_timeout = {int(wait_s * 1000)}")
        try:
            yield db
        except sqlite3.OperationalError as error:
            raise WorkspaceError(
                f"The jobs in {workspace.database} cannot be written: {error}",
                "a database that can be written to",
                "Free some space if the disk is full; if another program holds the file, close it and try again.",
            ) from error


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Hold the database's write lock: what is read inside is still so when it is written."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def select(db: sqlite3.Connection, states: tuple[str, ...] = (), limit: int | None = None) -> list[Job]:
    """Return jobs of `states` (all if empty): the running, the queue in order, then the newest first."""
    where = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
    order = (
        "ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 ELSE 2 END,"
        " CASE WHEN state IN ('running', 'queued') THEN place ELSE 0 END, created DESC, rowid DESC"
    )
    cut = f"LIMIT {int(limit)}" if limit is not None else ""
    jobs = []
    for row in db.execute(f"SELECT * FROM jobs {where} {order} {cut}", states):
        with contextlib.suppress(JobError):  # one damaged row must not hide the others; `doctor` counts them
            jobs.append(_job(row))
    return jobs


def n_damaged(db: sqlite3.Connection) -> int:
    """Return how many rows cannot be read."""
    return int(db.execute("SELECT count(*) FROM jobs").fetchone()[0]) - len(select(db))


def get(db: sqlite3.Connection, job: str) -> Job:
    """Return one job.

    Raises:
        JobError: if there is none of that id.
    """
    return _job(_row(db, job))


def state(db: sqlite3.Connection, job: str) -> str:
    """Return the state of a job, of a damaged one as well.

    Raises:
        JobError: if there is none of that id.
    """
    return str(_row(db, job)["state"])


def _row(db: sqlite3.Connection, job: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()
    if row is None:
        last = [r["id"] for r in db.execute("SELECT id FROM jobs ORDER BY created DESC LIMIT 5")]
        raise JobError(
            f"There is no job {job!r}",
            f"the number of one; the latest are {', '.join(last) or 'none yet'}",
            "See all with: python -m lvm_core jobs list",
        )
    return row


def limit(db: sqlite3.Connection) -> int:
    """Return how many long jobs may run at once."""
    row = db.execute("SELECT value FROM job_settings WHERE key = 'limit'").fetchone()
    try:
        return max(1, int(row["value"])) if row else DEFAULT_LIMIT
    except ValueError:
        return DEFAULT_LIMIT


def last_place(db: sqlite3.Connection) -> int:
    """Return the highest place in the queue; what is no place, in a damaged row, is passed over."""
    places = f"typeof(place) = 'integer' AND place < {MOST_PLACES}"
    return int(db.execute(f"SELECT coalesce(max(place), 0) FROM jobs WHERE {places}").fetchone()[0])


def claim(db: sqlite3.Connection) -> Job | None:
    """Take the first queued job of a lane that has room: it is `running` from now on, and nobody else gets it."""
    if db.execute("SELECT 1 FROM jobs WHERE state = 'queued' LIMIT 1").fetchone() is None:
        return None
    with transaction(db):
        row = _next(db, LONG, limit(db)) or _next(db, SHORT, SHORT_AT_ONCE)
        if row is None:
            return None
        db.execute(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, cancelling = 0, message = 'starting',"
            " started = coalesce(started, ?), ended = NULL, exit_code = NULL, elapsed_s = 0, silent_s = 0, host = ?,"
            " claimed_mono = ?, supervisor_pid = NULL, supervisor_born = NULL, pid = NULL, born = NULL,"
            " heartbeat = ?, heartbeat_mono = ? WHERE id = ?",
            (now := time.time(), machine.host(), mono := machine.monotonic(), now, mono, row["id"]),
        )
        return get(db, row["id"])


def _next(db: sqlite3.Connection, lane: str, at_once: int) -> sqlite3.Row | None:
    """Return the first queued job of `lane`, None where there is none or the lane is full."""
    count = "SELECT count(*) FROM jobs WHERE state = 'running' AND lane = ?"
    if db.execute(count, (lane,)).fetchone()[0] >= at_once:
        return None
    ready = "(after IS NULL OR after IN (SELECT id FROM jobs WHERE state = 'done'))"
    first = f"SELECT * FROM jobs WHERE state = 'queued' AND lane = ? AND {ready} ORDER BY place, created LIMIT 1"
    row: sqlite3.Row | None = db.execute(first, (lane,)).fetchone()
    return row


def cancel_hopeless(db: sqlite3.Connection) -> None:
    """Cancel what waits for a job that will not be done: it failed, was stopped, or is gone."""
    db.execute(
        "UPDATE jobs SET state = 'cancelled', ended = ?, message = ?"
        " WHERE state = 'queued' AND after IS NOT NULL AND after NOT IN"
        " (SELECT id FROM jobs WHERE state IN ('queued', 'running', 'done'))",
        (time.time(), NOT_STARTED),
    )


def queue_again(db: sqlite3.Connection, job: str) -> None:
    """Put a stopped job at the end of the queue, and behind it whatever was not started because it had stopped."""
    db.execute(
        "UPDATE jobs SET state = 'queued', place = ?, cancelling = 0, message = 'waiting to go on',"
        " earlier_s = earlier_s + elapsed_s, elapsed_s = 0, ended = NULL WHERE id = ?",
        (last_place(db) + 1, job),
    )
    for follower in followers(db, job):
        if follower.state == "cancelled" and follower.message == NOT_STARTED:
            queue_again(db, follower.id)


def followers(db: sqlite3.Connection, job: str) -> list[Job]:
    """Return the jobs that wait, or waited, for `job` to be done, in the order they were given."""
    waits = [one for one in select(db) if one.after == job]
    return sorted(waits, key=lambda one: one.created)


def update(db: sqlite3.Connection, job: str, attempt: int, **values: Any) -> bool:
    """Set columns of a job that still runs its `attempt`; return whether it does."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    cursor = db.execute(
        f"UPDATE jobs SET {columns} WHERE id = :id AND attempt = :attempt AND state = 'running'",
        {**values, "id": job, "attempt": attempt},
    )
    return cursor.rowcount == 1


def finish(db: sqlite3.Connection, job: Job, state: str, message: str, exit_code: int | None) -> bool:
    """End the job's attempt; return whether it was still running. Its end is its start plus the time it ran."""
    elapsed = job.elapsed_s
    if job.here and job.claimed_mono is not None:
        elapsed = max(elapsed, machine.monotonic() - job.claimed_mono)
    ended = max(time.time(), (job.started or 0.0) + job.earlier_s + elapsed)
    share = {"progress": 1.0} if state == "done" else {}
    with transaction(db):
        return update(
            db, job.id, job.attempt, state=state, message=message, exit_code=exit_code, ended=ended,
            elapsed_s=elapsed, cancelling=0, **share,
        )  # fmt: skip
