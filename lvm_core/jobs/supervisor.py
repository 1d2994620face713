"""One job's guardian: `python -m lvm_core.jobs.supervisor WORKSPACE JOB ATTEMPT`.

It starts the job's process (or takes over one whose guardian was killed), passes cancellation on, writes how it
ended, and starts the next in the queue. It imports nothing heavy and needs nobody.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lvm_core.errors import LvmError, WorkspaceError
from lvm_core.jobs import kinds, machine, rows, runner
from lvm_core.jobs.rows import Job
from lvm_core.workspace import Workspace, write_json

POLL_S = 0.1
CHECK_S = 0.5
LOOK_S = 5.0
GRACE_S = 10.0
"""A cancelled process has this long to put its state away before its group is killed (LVM_JOB_GRACE_S)."""

WRITE_RETRY_S = 1.0
WRITE_RETRIES = 3600


class Supervisor:
    """Watches one attempt of one job."""

    def __init__(self, workspace: Workspace, job: str, attempt: int) -> None:
        self.workspace, self.job, self.attempt = workspace, job, attempt
        self.grace_s = float(os.environ.get("LVM_JOB_GRACE_S", GRACE_S))
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled_at: float | None = None

    def run(self) -> None:
        """Start or take over the job, wait for its end, write it down, start the next."""
        job = self._register()
        if job is None:
            return
        if job.pid is None:
            try:
                self._spawn(job)
            except (OSError, LvmError) as error:
                self._finish("failed", f"The command cannot be started: {error}", None)
                return
        self._wait()
        self._conclude()
        runner.look(self.workspace, wait_s=10.0)

    def _register(self) -> Job | None:
        """Become the job's only supervisor, or return None if there is one or the attempt was given up."""
        with rows.opened(self.workspace) as db, rows.transaction(db):
            job = rows.get(db, self.job)
            me = os.getpid()
            taken = job.supervisor_pid != me and machine.lives(job.supervisor_pid, job.supervisor_born)
            if job.state != "running" or job.attempt != self.attempt or taken:
                return None
            rows.update(db, self.job, self.attempt, supervisor_pid=me, supervisor_born=machine.born(me))
            return job

    def _spawn(self, job: Job) -> None:
        self.workspace.make(self.workspace.job(job.id))
        arguments = runner.command(job, self.workspace)
        with self.workspace.job_log(job.id).open("ab") as log:
            with contextlib.suppress(OSError):
                argv = kinds.arguments_now(job)
                shown = shlex.join(argv) if job.program else runner.shown_command(argv, self.workspace)
                log.write(f"$ {shown}  (start {job.attempt}, {runner.stamp()})\n".encode())
                log.flush()
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=job.cwd if Path(job.cwd).is_dir() else runner.PROJECT,
                env=runner.environment(job, self.workspace),
            )
        pid = self._process.pid
        machine.be_polite(pid)
        self._set(pid=pid, born=machine.born(pid))

    def _set(self, **values: Any) -> None:
        with contextlib.suppress(WorkspaceError), rows.opened(self.workspace) as db:
            rows.update(db, self.job, self.attempt, **values)

    def _wait(self) -> None:
        """Return when the job's process is gone."""
        next_check = next_look = 0.0
        while not self._ended():
            now = machine.monotonic()
            if now >= next_check:
                next_check = now + CHECK_S
                self._pass_on_cancel(now)
            if now >= next_look:
                next_look = now + LOOK_S
                runner.look(self.workspace)
            time.sleep(POLL_S)

    def _ended(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        job = self._row()
        return job is None or not machine.lives(job.pid, job.born)

    def _row(self) -> Job | None:
        """Return the job's row, None if it was deleted or given to another attempt."""
        with rows.opened(self.workspace) as db:
            jobs = [j for j in rows.select(db, ("running",)) if j.id == self.job and j.attempt == self.attempt]
        return jobs[0] if jobs else None

    def _pass_on_cancel(self, now: float) -> None:
        with contextlib.suppress(WorkspaceError):
            job = self._row()
            if job is None or not job.cancelling:
                return
            if self._cancelled_at is None:
                self._cancelled_at = now
                runner.stop(self._process, job, hard=False)
            elif now - self._cancelled_at > self.grace_s:
                runner.stop(self._process, job, hard=True)

    def _conclude(self) -> None:
        for _ in range(WRITE_RETRIES):
            try:
                job = self._row()
                if job is None:
                    return
                exit_code = self._process.returncode if self._process is not None else job.exit_code
                code = exit_code if exit_code is not None else -9
                state, message = runner.outcome(code, job, self.workspace)
                if state in ("cancelled", "interrupted") and job.pid is not None:
                    runner.sweep_up(job.pid)
                self._finish(state, message, exit_code)
                return
            except WorkspaceError:  # a full disk: what ended is written as soon as there is room
                time.sleep(WRITE_RETRY_S)

    def _finish(self, state: str, message: str, code: int | None) -> None:
        with rows.opened(self.workspace) as db:
            job = rows.get(db, self.job)
            rows.finish(db, job, state, message, code)
            ended = rows.get(db, self.job).to_json()
        with contextlib.suppress(WorkspaceError):
            write_json(self.workspace.job_file(self.job), ended)


def main(arguments: list[str]) -> None:
    """Supervise the attempt named by `arguments`: workspace, job, attempt."""
    root, job, attempt = arguments
    Supervisor(Workspace(root), job, int(attempt)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
