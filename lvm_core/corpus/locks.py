"""One process reads a corpus in or deletes it at a time; the lock goes with the process, however it ends."""

import contextlib
from collections.abc import Iterator

from lvm_core.errors import CorpusError
from lvm_core.locks import held
from lvm_core.workspace import Workspace


@contextlib.contextmanager
def corpus_lock(workspace: Workspace, name: str, part: str = "") -> Iterator[None]:
    """Hold the right to write corpus `name`, or one `part` of the work on it.

    Raises:
        CorpusError: if another process holds it.
        WorkspaceError: if the workspace cannot be written.
    """
    refusal = CorpusError(
        f"Another process is reading in, encoding or deleting corpus '{name}' right now",
        "no other process at work on it",
        "Wait until it is done, or choose another name with --corpus.",
    )
    with held(workspace.corpus_lock(f"{name}.{part}" if part else name), refusal):
        yield
