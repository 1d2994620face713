"""Inside a job: its heartbeat, its progress, how it ended. A plain command knows nothing of it."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Sequence

from lvm_core.errors import LvmError
from lvm_core.jobs import machine, rows
from lvm_core.workspace import Workspace

JOB, ATTEMPT, WORKSPACE, OWNER = "LVM_JOB", "LVM_JOB_ATTEMPT", "LVM_JOB_WORKSPACE", "LVM_JOB_PID"
BEAT_S = 2.0
WAIT_S = 5.0
STOPPED = 130
NOT_MINE = 3
"""Exit code of a process that finds its attempt given up: somebody else runs the job now."""


class Pulse:
    """Beats every two seconds from a thread of its own, so that long silent phases of the work beat too.

    `report` only remembers, which costs well under a microsecond; the thread writes what is newest.
    """

    def __init__(self, workspace: Workspace, job: str, attempt: int) -> None:
        self.workspace, self.job, self.attempt = workspace, job, attempt
        self._latest: tuple[float, str] | None = None
        self._moved = self._born = machine.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_stopped, name="heartbeat", daemon=True)

    def start(self) -> bool:
        """Register this process as the job's and begin to beat; return False if the attempt was given up."""
        mine = self._write(pid=os.getpid(), born=machine.born(os.getpid()), host=machine.host())
        if mine:
            self._thread.start()
        return mine

    def report(self, share: float, message: str) -> None:
        """Remember the newest progress; a share or message that does not change counts as silence."""
        if self._latest is None or self._latest != (share, message):
            self._latest = (share, message)
            self._moved = machine.monotonic()

    def finish(self, exit_code: int, message: str = "") -> None:
        """Stop beating and note the exit code, in case nobody waits for this process any more."""
        self._stop.set()
        self._thread.join(WAIT_S)
        with contextlib.suppress(LvmError):
            self._write(exit_code=exit_code, **({"message": message[:500]} if message else {}))

    def _beat_until_stopped(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(LvmError):  # a full disk or a long write elsewhere: the next beat tries again
                self._write()
            self._stop.wait(BEAT_S)

    def _write(self, **values: object) -> bool:
        now = machine.monotonic()
        if self._latest is not None:
            share, message = self._latest
            values = {"progress": min(1.0, max(0.0, float(share))), "message": message[:500], **values}
        with rows.opened(self.workspace, WAIT_S) as db:
            return rows.update(
                db, self.job, self.attempt, heartbeat=time.time(), heartbeat_mono=now,
                elapsed_s=now - self._born, silent_s=now - self._moved, **values,
            )  # fmt: skip


_current: Pulse | None = None
"""A process is one job at most."""


def current() -> Pulse | None:
    """Return the pulse of the job this process is, or None."""
    return _current


def job_of_environment() -> Pulse | None:
    """Return a pulse if this very process was started as a job (not a child of one), in full and not by a variable."""
    job, workspace, attempt = (os.environ.get(name, "") for name in (JOB, WORKSPACE, ATTEMPT))
    if not (job and workspace and attempt.isdecimal()) or os.environ.get(OWNER, str(os.getpid())) != str(os.getpid()):
        return None
    os.environ[OWNER] = str(os.getpid())
    return Pulse(Workspace(workspace), job, int(attempt))


def watched(command: Callable[[], int]) -> int:
    """Run `command` and return its exit code; where this process is a job, beat meanwhile and note how it ended.

    SIGTERM becomes KeyboardInterrupt, so that a cancelled command can put its state away.
    """
    global _current
    pulse = job_of_environment()
    if pulse is None:
        return command()
    signal.signal(signal.SIGTERM, _interrupt)
    if not pulse.start():
        print(f"job {pulse.job} was given to another process", file=sys.stderr)
        return NOT_MINE
    _current = pulse
    code, message = 1, ""
    try:
        code = command()
    except KeyboardInterrupt:
        code = STOPPED
    except BaseException as error:
        message = f"{type(error).__name__}: {error}"
        raise
    finally:
        _current = None
        pulse.finish(code, message)
    return code


def _interrupt(_number: int, _frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def note_run(run_id: str, resume: Sequence[str] = ()) -> None:
    """Link the job that this process is to the run (or inverter, or sweep) it makes; without a job, do nothing.

    Args:
        run_id: name of what is being made.
        resume: arguments of the command that goes on with it if this one stops before its end; none: the same
            arguments again.
    """
    pulse = current()
    if pulse is not None:
        values = {"run": run_id, **({"resume_argv": json.dumps(list(resume))} if resume else {})}
        with rows.opened(pulse.workspace) as db:
            rows.update(db, pulse.job, pulse.attempt, **values)
