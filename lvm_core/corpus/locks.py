"""One process reads a corpus in or deletes it at a time; the lock goes with the process, however it ends."""

import contextlib
from collections.abc import Iterator

from lvm_core.errors import CorpusError
from lvm_core.workspace import Workspace, disk_errors


@contextlib.contextmanager
def corpus_lock(workspace: Workspace, name: str, part: str = "") -> Iterator[None]:
    """Hold the right to write corpus `name`, or one `part` of the work on it.

    Raises:
        CorpusError: if another process holds it.
        WorkspaceError: if the workspace cannot be written.
    """
    import filelock

    path = workspace.corpus_lock(f"{name}.{part}" if part else name)
    workspace.make(path.parent)
    lock = filelock.FileLock(path)
    with disk_errors(path):
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise CorpusError(
                f"Another process is reading in or deleting corpus '{name}' right now."
                " Wait until it is done, or choose another name with --corpus."
            ) from error
    try:
        yield
    finally:
        lock.release()
