"""Work as data: a task names a function and what it is given; an executor carries tasks out, here or elsewhere."""

import importlib
import importlib.util
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from lvm_core.errors import ExecutorLost, MissingPackage
from lvm_core.workspace import Workspace

INSTALL = "python -m pip install -r requirements-cluster.txt"
MOST_TRIES = 3
"""So often a task is begun whose worker goes away while it runs."""

Tell = Callable[[str, float, str], None]
"""Told the name of a task under way, its share done and what it says."""


@dataclass(frozen=True, slots=True)
class Task:
    """A unit of work that any worker can carry out, and carry out again where one was lost in the middle.

    Attributes:
        name: unlike that of any other task of the same work, for people too.
        call: "module:function" of what does it: `function(desk, **given)`; what it returns travels back.
        given: plain values, paths and small arrays, never a large one: those lie in the workspace.
        again: whether it may be begun anew on another worker; not where it works hand in hand with others.
    """

    name: str
    call: str
    given: dict[str, Any] = field(default_factory=dict)
    again: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended: with a `value`, or with what it refused."""

    task: Task
    value: Any = None
    error: Exception | None = None
    where: str = ""
    seconds: float = 0.0

    @property
    def lost(self) -> bool:
        """Whether its worker went away."""
        return isinstance(self.error, ExecutorLost)

    def worth(self) -> Any:
        """Return the value.

        Raises:
            LvmError: if the task refused.
            RuntimeError: if it broke, which is a fault of the studio's.
        """
        if self.error is not None:
            raise self.error
        return self.value


class Executor(Protocol):
    """Carries out tasks; used as a context manager, which lets go of its workers."""

    @property
    def name(self) -> str: ...

    @property
    def n_workers(self) -> int:
        """How many tasks go on side by side."""
        ...

    def run(self, tasks: Sequence[Task], tell: Tell) -> Generator[Outcome]:
        """Yield how each task ended, in the order in which they end.

        Leaving the iterator early, by an exception too, asks what is under way to stop and put its state away.

        Raises:
            ExecutorLost: if there is nobody left to carry anything out.
            JobError: if the workers cannot do this work at all: other versions, or a folder of their own.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class ExecutorKind:
    """A way to carry out tasks: what it is in words, the package it needs, and how it opens.

    `open` is given the workspace and how many workers were asked for at most, 0 where that was left open.
    """

    title: str
    about: str
    open: Callable[[Workspace, int], Executor]
    package: str = ""

    def is_here(self) -> bool:
        """Return whether its package is installed, without loading it."""
        return not self.package or importlib.util.find_spec(self.package) is not None

    def need(self) -> None:
        """Raise MissingPackage unless its package is installed."""
        if not self.is_here():
            raise MissingPackage(self.package, self.title, INSTALL)
