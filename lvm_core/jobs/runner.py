"""The local runner: starts what waits, and puts right what died while nobody looked."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from lvm_core.children import PROJECT as PROJECT
from lvm_core.children import python_path
from lvm_core.config import typed
from lvm_core.errors import WorkspaceError
from lvm_core.jobs import kinds, logs, machine, pulse, rows
from lvm_core.jobs.rows import Job
from lvm_core.workspace import Workspace

PROGRAM = [sys.executable, "-m", "lvm_core"]
LOOK_WAIT_S = 0.3
START_GRACE_S = 15.0
FOREIGN_SILENCE_S = 9.0
MOST_STARTS = 3
LOST = 75
"""Exit code of a command whose workers elsewhere went away."""
KILLED = {signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}


def command(job: Job, workspace: Workspace) -> list[str]:
    """Return the full argument list of the job's process: on its first start, or to go on where it stopped."""
    argv = kinds.arguments_now(job)
    if job.program is not None:
        return [*job.program, *argv]
    return [*PROGRAM, argv[0], "--workspace", str(workspace.root), *argv[1:]]


def shown_command(argv: list[str], workspace: Workspace) -> str:
    """Return the command that a person would type for `argv`, ready to copy; a password in it is hidden."""
    where = [] if workspace.root == Path("workspace").resolve() else ["--workspace", str(workspace.root)]
    return typed([argv[0], *where, *argv[1:]])


def environment(job: Job, workspace: Workspace) -> dict[str, str]:
    """Return the environment of the job's process: it knows its job, and finds the studio from any folder."""
    inherited = {k: v for k, v in os.environ.items() if k not in (pulse.JOB, pulse.OWNER)}
    return {
        **inherited,
        "PYTHONPATH": python_path(),
        "PYTHONUNBUFFERED": "1",
        "LVM_WORKSPACE": str(workspace.root),
        pulse.JOB: job.id,
        pulse.ATTEMPT: str(job.attempt),
        pulse.WORKSPACE: str(workspace.root),
    }


def look(workspace: Workspace, wait_s: float = LOOK_WAIT_S) -> None:
    """Mark dead jobs, take over orphans and start what may start; cheap enough for every refresh of a page.

    Where another program holds the database for longer than `wait_s`, this look changes nothing: the next will.
    """
    if not workspace.database.exists():
        return
    with contextlib.suppress(WorkspaceError), rows.opened(workspace, wait_s) as db:
        for job in rows.select(db, ("running",)):
            _reconcile(db, workspace, job)
        rows.cancel_hopeless(db)
        while (claimed := rows.claim(db)) is not None:
            _start(db, workspace, claimed)


def _reconcile(db: sqlite3.Connection, workspace: Workspace, job: Job) -> None:
    if not job.here:
        if job.beat_age_s > FOREIGN_SILENCE_S:
            rows.finish(
                db, job, "interrupted", "The machine was restarted. Resume goes on from the last checkpoint.", None
            )
        return
    if machine.lives(job.supervisor_pid, job.supervisor_born):
        return
    if machine.lives(job.pid, job.born):
        _supervise(workspace, job)
    elif job.pid is not None:
        _end_unseen(db, workspace, rows.get(db, job.id))
    elif machine.monotonic() - (job.claimed_mono or 0.0) > START_GRACE_S:
        _start_again(db, workspace, job)


def _end_unseen(db: sqlite3.Connection, workspace: Workspace, job: Job) -> None:
    """End a job whose process and supervisor are both gone, by the exit code it noted itself."""
    code = job.exit_code if job.exit_code is not None else -signal.SIGKILL
    state, message = outcome(code, job, workspace)
    rows.finish(db, job, state, message, job.exit_code)


def _start_again(db: sqlite3.Connection, workspace: Workspace, job: Job) -> None:
    """Put a job back whose supervisor never came up."""
    if job.attempt >= MOST_STARTS:
        reason = logs.last_words(workspace.job_log(job.id))
        rows.finish(db, job, "failed", f"The job could not be started {job.attempt} times. {reason}".strip(), None)
    else:
        rows.update(db, job.id, job.attempt, state="queued", message="waiting to start again")


def _start(db: sqlite3.Connection, workspace: Workspace, job: Job) -> None:
    try:
        pid = _supervise(workspace, job)
        rows.update(db, job.id, job.attempt, supervisor_pid=pid, supervisor_born=machine.born(pid))
    except OSError as error:
        rows.finish(db, job, "failed", f"The job's process cannot be started: {error}.", None)


def _supervise(workspace: Workspace, job: Job) -> int:
    """Start the tiny process that starts (or takes over) the job's own; return its pid.

    It has a session of its own, which nothing that happens to this process can end.
    """
    environment = {k: v for k, v in os.environ.items() if k not in (pulse.JOB, pulse.OWNER)}
    process = subprocess.Popen(
        [sys.executable, "-m", "lvm_core.jobs.supervisor", str(workspace.root), job.id, str(job.attempt)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=PROJECT,
        env=environment,
    )
    threading.Thread(target=process.wait, name="reaper", daemon=True).start()
    return process.pid


def outcome(code: int, job: Job, workspace: Workspace) -> tuple[str, str]:
    """Return the state and the message of a job whose process ended with `code` (negative: by that signal)."""
    if code == 0:
        return "done", job.message if job.message not in ("", "starting") else "done"
    if job.cancelling:
        return "cancelled", f"cancelled at {job.progress:.0%}"
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number in KILLED:
        name = signal.Signals(number).name
        why = ", by hand or because memory ran out" if number == signal.SIGKILL else ""
        return "interrupted", f"The process was ended ({name}){why}. Resume goes on from the last checkpoint."
    reason = logs.last_words(workspace.job_log(job.id))
    if code == LOST:
        return "interrupted", reason
    return "failed", reason or f"The command ended with exit code {code} and said nothing."


def sweep_up(pid: int) -> None:
    """End what a stopped process left behind in its group, such as loader processes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes] | None, job: Job, hard: bool) -> None:
    """Ask the job's process to end (SIGTERM), or, `hard`, end its whole group."""
    if process is None and not machine.lives(job.pid, job.born):
        return
    pid = process.pid if process is not None else job.pid
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hard:
            os.killpg(pid or 0, signal.SIGKILL)
        elif pid is not None:
            os.kill(pid, signal.SIGTERM)


def stamp() -> str:
    """Return the local time for logs and ids."""
    return time.strftime("%Y%m%d-%H%M%S")
