"""Tasks in this very process, one after the other."""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from lvm_core.executors.base import ExecutorKind, Outcome, Task, Tell
from lvm_core.executors.facts import this_place
from lvm_core.executors.work import Desk, Stopped, run_call
from lvm_core.workspace import Workspace


class Local(AbstractContextManager["Local"]):
    """The process at hand."""

    name = "local"
    n_workers = 1

    def __init__(self, workspace: Workspace, _most: int = 0) -> None:
        self._workspace = workspace

    def run(self, tasks: Sequence[Task], tell: Tell) -> Generator[Outcome]:
        """See `Executor.run`."""
        for task in tasks:

            def progress(share: float, message: str, name: str = task.name) -> None:
                tell(name, share, message)

            value, error, seconds = run_call(task.call, Desk(self._workspace, progress), task.given)
            if isinstance(error, Stopped):
                raise KeyboardInterrupt
            yield Outcome(task, value, error, this_place(), seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


KIND = ExecutorKind("This machine", "the process of the command itself", Local)
