"""Jobs as everybody else sees them: submit, list, cancel, resume, retry, delete, move."""

import contextlib
import json
import secrets
import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lvm_core.boundary.secrets import words_with_secrets
from lvm_core.errors import JobError
from lvm_core.jobs import kinds, logs, rows, runner
from lvm_core.jobs.pulse import note_run
from lvm_core.jobs.rows import Job
from lvm_core.workspace import Workspace, disk_errors, write_json

__all__ = ["Job", "JobStore", "note_run"]

MOST_AT_ONCE = 64


class JobStore:
    """The jobs of one workspace. Every look puts right what died, and starts what may start."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def submit(
        self,
        argv: Sequence[str],
        title: str = "",
        program: Sequence[str] | None = None,
        resume: Sequence[str] | None = None,
        after: str | None = None,
    ) -> str:
        """Queue a command and return the job's id; it starts at once if there is room.

        Args:
            argv: arguments after `python -m lvm_core`, the command first.
            title: a name for people.
            program: what runs `argv` instead of `python -m lvm_core`.
            resume: arguments that go on with this job if it stops before its end.
            after: a job that must be done before; if it does not end well, this one is cancelled.

        Raises:
            JobError: if `argv` names no command, asks for help, or carries a password.
            WorkspaceError: if the disk refuses.
        """
        if not argv or argv[0].startswith("-"):
            raise JobError(f"{list(argv)} is no job", "a command and its arguments", "For example: train --model amn")
        if {"-h", "--help"} & set(argv):
            raise JobError(f"{' '.join(argv)} only asks for help", "a command that does something", "Leave --help out.")
        if words_with_secrets(argv):
            raise JobError(
                "The command carries a password",
                "one without, since the arguments of a job are kept and shown",
                "Put the address into LVM_DATABASE_URL (or the password into ~/.pgpass or PGPASSWORD), start the"
                " studio with it, and leave it out of the command.",
            )
        kind = Path(argv[0]).name if program is None else Path(program[0]).name
        job = f"{kind}-{runner.stamp()}-{secrets.token_hex(2)}"
        declared = (kinds.Kind() if program else kinds.kind_of(argv[0])) or kinds.Kind()
        values = {
            "lane": declared.lane,
            "after": after,
            "id": job,
            "kind": kind,
            "title": title,
            "program": json.dumps(list(program)) if program is not None else None,
            "resume_argv": json.dumps(list(resume)) if resume else None,
            "cwd": str(Path.cwd()),
            "created": time.time(),
        }
        with rows.opened(self.workspace) as db, rows.transaction(db):
            words, run = kinds.named(argv, declared, lambda name: self._taken(db, declared, name))
            values |= {"argv": json.dumps(words), "run": run}
            write_json(self.workspace.job_file(job), {**values, "argv": words, "state": "queued"})
            names = ", ".join(values)
            marks = ", ".join(f":{name}" for name in values)
            db.execute(
                f"INSERT INTO jobs ({names}, state, place, message) VALUES ({marks}, 'queued', :place, 'waiting')",
                {**values, "place": rows.last_place(db) + 1},
            )
        runner.look(self.workspace)
        return job

    def log(self, job: str, n_lines: int = 40) -> list[str]:
        """Return the last lines of the job's log."""
        return logs.tail(self.workspace.job_log(job), n_lines)

    def list(self, states: Sequence[str] = (), limit: int | None = None) -> list[Job]:
        """Return the jobs: the running, the queue in order, then the newest first."""
        if not self.workspace.database.exists():
            return []
        runner.look(self.workspace)
        with rows.opened(self.workspace) as db:
            return rows.select(db, tuple(states), limit)

    def get(self, job: str) -> Job:
        """Return one job.

        Raises:
            JobError: if there is none of that id.
        """
        runner.look(self.workspace)
        with rows.opened(self.workspace) as db:
            return rows.get(db, job)

    def cancel(self, job: str) -> Job:
        """Take a job out of the queue, or ask its process to end (its group is killed after a grace).

        Raises:
            JobError: if it has ended already.
        """
        with rows.opened(self.workspace) as db, rows.transaction(db):
            stopped = self._in_state(db, job, ("queued", "running"), "be cancelled")
            if stopped.state == "queued":
                db.execute(
                    "UPDATE jobs SET state = 'cancelled', ended = ?, message = 'cancelled in the queue' WHERE id = ?",
                    (time.time(), job),
                )
            else:
                rows.update(db, job, stopped.attempt, cancelling=1, message="stopping")
        return self.get(job)

    def resume(self, job: str) -> Job:
        """Queue a stopped job again: the same run goes on from its last checkpoint, and what waited for it comes back.

        Raises:
            JobError: if it runs, waits or is done.
        """
        with rows.opened(self.workspace) as db, rows.transaction(db):
            self._in_state(db, job, rows.RESUMABLE, "be resumed")
            rows.queue_again(db, job)
        return self.get(job)

    def retry(self, job: str) -> str:
        """Queue a new job with the arguments of `job`, from the beginning, and return its id.

        What followed `job` follows the new one too: the reading is encoded, the training is evaluated.
        """
        with rows.opened(self.workspace) as db:
            former = rows.get(db, job)
        return self._again(former, {}, None)

    def _again(self, former: Job, renamed: Mapping[str, str], after: str | None) -> str:
        """Queue `former` and its followers anew; `renamed` are the names of what is made, before and now."""
        argv = former.argv if former.program else kinds.afresh(former.argv)
        argv, title = [renamed.get(word, word) for word in argv], former.title
        for before, now in renamed.items():
            title = title.replace(before, now)
        new = self.submit(argv, title, former.program, after=after)
        with rows.opened(self.workspace) as db:
            run, followers = rows.get(db, new).run, rows.followers(db, former.id)
        if former.run and run:
            renamed = {**renamed, former.run: run}
        for follower in followers:
            self._again(follower, renamed, new)
        return new

    def delete(self, job: str) -> None:
        """Forget a job and its log. The run that it made stays.

        Raises:
            JobError: if it still runs.
        """
        with rows.opened(self.workspace) as db, rows.transaction(db):
            state = rows.state(db, job)
            if state == "running":
                raise JobError(
                    f"Job {job} is running and cannot be deleted",
                    "one that has ended",
                    f"Cancel it first: python -m lvm_core jobs cancel {job}",
                )
            db.execute("DELETE FROM jobs WHERE id = ?", (job,))
        with disk_errors(self._folder(job)), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder(job))

    def move(self, job: str, place: int) -> None:
        """Put a waiting job at `place` of the queue, 1 the next to start.

        Raises:
            JobError: if it does not wait.
        """
        with rows.opened(self.workspace) as db, rows.transaction(db):
            self._in_state(db, job, ("queued",), "be moved")
            queue = [j.id for j in rows.select(db, ("queued",)) if j.id != job]
            queue.insert(max(0, min(place - 1, len(queue))), job)
            first = rows.last_place(db) + 1
            for i, name in enumerate(queue):
                db.execute("UPDATE jobs SET place = ? WHERE id = ?", (first + i, name))

    @property
    def limit(self) -> int:
        """How many jobs may run at once."""
        with rows.opened(self.workspace) as db:
            return rows.limit(db)

    @limit.setter
    def limit(self, n: int) -> None:
        if not 1 <= n <= MOST_AT_ONCE:
            raise JobError(f"{n} jobs at once is not possible", f"1 to {MOST_AT_ONCE}", "Give such a number.")
        with rows.opened(self.workspace) as db:
            db.execute("INSERT OR REPLACE INTO job_settings (key, value) VALUES ('limit', ?)", (str(n),))
        runner.look(self.workspace)

    def log_bytes(self, job: str) -> int:
        """Return the size of the job's log."""
        return logs.size_bytes(self.workspace.job_log(job))

    def _taken(self, db: sqlite3.Connection, kind: kinds.Kind, name: str) -> bool:
        """Return whether what the command makes, or what another job makes, is called `name` already."""
        if kind.place is not None and kind.place(self.workspace, name).exists():
            return True
        return db.execute("SELECT 1 FROM jobs WHERE run = ?", (name,)).fetchone() is not None

    def _folder(self, job: str) -> Path:
        return self.workspace.job(job)

    def _in_state(self, db: sqlite3.Connection, job: str, states: Sequence[str], what: str) -> Job:
        row = rows.get(db, job)
        if row.state not in states:
            raise JobError(
                f"Job {job} is {row.state} and cannot {what}",
                f"one that is {' or '.join(states)}",
                "See them with: python -m lvm_core jobs list",
            )
        return row
