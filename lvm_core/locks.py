"""Locks of work that only one process may do at a time; they go with the process, however it ends."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lvm_core.errors import LvmError
from lvm_core.workspace import disk_errors


@contextlib.contextmanager
def held(path: Path, refusal: LvmError) -> Iterator[None]:
    """Hold the lock at `path`.

    Raises:
        LvmError: `refusal`, if another process (or another thread of this one) holds it.
        WorkspaceError: if the disk refuses.
    """
    import filelock

    lock = filelock.FileLock(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise refusal from None
    try:
        yield
    finally:
        lock.release()
