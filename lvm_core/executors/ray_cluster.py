"""Tasks on a Ray cluster, through a driver in a process of its own, which its cluster may take down with it."""

import contextlib
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Any, NoReturn, Self

from lvm_core.errors import ExecutorLost
from lvm_core.executors.apart import Apart, Gone
from lvm_core.executors.base import ExecutorKind, Outcome, Task, Tell
from lvm_core.executors.facts import Facts, shared
from lvm_core.executors.ray_driver import Joined, Over, Told, Work
from lvm_core.executors.ray_joining import ADDRESS, WATCH_S, Head
from lvm_core.executors.ray_seats import STOP_S
from lvm_core.workspace import Workspace

PATIENCE_S = STOP_S + 4.0
"""So long a driver that is left may take to stop its workers."""


class Ray:
    """A running cluster; what is started there goes with this."""

    name = "ray"

    def __init__(self, workspace: Workspace, most: int = 0) -> None:
        self._workspace, self._most = workspace, most
        self._head = Head()
        self._stack = contextlib.ExitStack()
        self._driver: Apart | None = None

    def __enter__(self) -> Self:
        others = self._join()
        try:
            self._facts: Facts = self._stack.enter_context(shared(self._workspace, copied=others))
        except BaseException:
            self._hang_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()
        self._stack.close()

    @property
    def n_workers(self) -> int:
        """The seats there are on the nodes that are up, or as many as were asked for."""
        self._rejoin()
        return int(self._ask(None))

    def run(self, tasks: Sequence[Task], tell: Tell) -> Generator[Outcome]:
        """See `Executor.run`."""
        self._rejoin()
        n_open = len(tasks)
        try:
            said = self._ask(Work(tasks, self._facts))
            while not isinstance(said, Over):
                if isinstance(said, Told):
                    tell(said.task, said.share, said.message)
                else:
                    n_open -= 1
                    yield said
                said = self._hear()
        except GeneratorExit:
            if n_open == 0:  # whoever counted does not wait for the last word
                self._hear()
                return
            raise
        finally:
            if n_open:
                self._hang_up()
        if said.error is not None:
            raise said.error

    def _join(self) -> bool:
        """Start the driver; return whether there are nodes on other machines."""
        self._head.reach()
        self._driver = Apart("lvm_core.executors.ray_driver:drive")
        said = self._ask((self._workspace.root, self._most))
        if isinstance(said, Joined):
            return said.others
        self._hang_up()
        raise said.error

    def _rejoin(self) -> None:
        if self._driver is None:  # an earlier run was left in the middle, or lost its driver
            self._join()

    def _ask(self, what: object) -> Any:
        try:
            assert self._driver is not None
            self._driver.send(what)
        except Gone:
            self._lost()
        return self._hear()

    def _hear(self) -> Any:
        """Return what the driver says next.

        Raises:
            ExecutorLost: if it has ended.
        """
        assert self._driver is not None
        try:
            while not self._driver.connection.poll(WATCH_S):  # a driver without its head is dumb for a minute
                self._head.watch()
            return self._driver.receive()
        except ExecutorLost:
            self._hang_up(0.0)
            raise
        except (Gone, OSError):
            self._lost()

    def _lost(self) -> NoReturn:
        code = self._hang_up()
        if not self._head.answers():
            raise self._head.gone()
        raise ExecutorLost(
            f"The Ray cluster at {self._head} let go of this machine (its driver ended with {code})",
            "this machine to be one of its nodes to the end",
            f"What was finished is kept; start its node again (ray start --address {self._head}) and resume.",
        )

    def _hang_up(self, patience_s: float = PATIENCE_S) -> int:
        """Let go of the driver, which stops its workers; return its exit code."""
        driver, self._driver = self._driver, None
        return 0 if driver is None else driver.close(patience_s)


KIND = ExecutorKind("Ray", f"every core (or GPU) of the cluster at {ADDRESS}", Ray, "ray")
