"""Real processes, each a few lines of Python; whatever a test leaves running is ended by its own pid."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from lvm_core.jobs import machine
from lvm_core.jobs.store import Job, JobStore
from lvm_core.workspace import Workspace

WATCHED = "import sys, time, os\nfrom lvm_core.jobs import pulse\n"


@pytest.fixture
def store(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStore]:
    """Return the job store of an empty workspace; a cancelled process gets half a second."""
    monkeypatch.setenv("LVM_JOB_GRACE_S", "0.5")
    store = JobStore(workspace)
    yield store
    for job in store.list(("queued",)):
        store.cancel(job.id)
    for job in store.list(("running",)):
        end(job.supervisor_pid, job.supervisor_born)
        end(job.pid, job.born)


def end(pid: int | None, born: str | None) -> None:
    """Kill -9 that very process."""
    if pid is not None and machine.lives(pid, born):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def python(code: str, *argv: str) -> dict[str, list[str]]:
    """Return the arguments of `submit` for a job that runs `code`."""
    return {"argv": list(argv) or ["work"], "program": [sys.executable, "-c", code]}


def watched(code: str) -> dict[str, list[str]]:
    """The same for code that beats and notes its end as every command does: `work()` is what it runs."""
    body = "\n".join(f"    {line}" for line in code.strip().splitlines())
    return python(f"{WATCHED}def work():\n{body}\n    return 0\nsys.exit(pulse.watched(work))")


def until(check: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until `check` holds."""
    stop = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < stop, "waited too long"
        time.sleep(0.05)


def wait(store: JobStore, job: str, *states: str, timeout_s: float = 20.0) -> Job:
    """Look, as a page does, until the job is in one of `states` (default: has ended)."""
    wanted = states or ("done", "failed", "cancelled", "interrupted")
    until(lambda: store.get(job).state in wanted, timeout_s)
    return store.get(job)


def started(store: JobStore, job: str) -> Job:
    """Wait until the job's own process runs."""
    until(lambda: store.get(job).pid is not None)
    return store.get(job)
