"""Which process is which: a pid alone is reused, and a creation time alone moves when the clock is set."""

import contextlib
import functools
import os
import time
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_SPACE = Path("/proc/self/ns/pid")

POLITE = 5
"""How much nicer than the studio a job is: a prediction on a page is not kept waiting by a training behind it."""


@functools.cache
def host() -> str:
    """Return a name for this boot of this machine (and pid namespace): pids mean something only within it."""
    if BOOT_ID.exists():
        return f"{BOOT_ID.read_text().strip()} {PID_SPACE.readlink() if PID_SPACE.is_symlink() else ''}".strip()
    return f"{os.uname().nodename} {psutil.boot_time():.0f}"


def born(pid: int) -> str | None:
    """Return when process `pid` came to be, as text to compare, or None if it is gone or a zombie.

    On Linux these are clock ticks since boot, which no change of the wall clock moves; elsewhere the creation
    time that the kernel noted.
    """
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        if BOOT_ID.exists():
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
        return f"{process.create_time():.2f}"
    except (psutil.Error, OSError, IndexError):
        return None


def lives(pid: int | None, when: str | None) -> bool:
    """Return whether the very process that was born at `when` still runs under `pid` on this machine."""
    return pid is not None and when is not None and born(pid) == when


def monotonic() -> float:
    """Return seconds on a clock that never jumps and that all processes of one boot share."""
    return time.monotonic()


def be_polite(pid: int) -> None:
    """Let process `pid`, its session's first, give way to others that want the processor."""
    with contextlib.suppress(psutil.Error, OSError, ValueError):
        nice = min(19, psutil.Process().nice() + POLITE)
        psutil.Process(pid).nice(nice)
        # Linux weighs sessions against each other, and the niceness of a process only within its own
        group = Path(f"/proc/{pid}/autogroup")
        if group.exists():
            group.write_text(str(nice))
