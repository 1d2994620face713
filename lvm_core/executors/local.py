"""Tasks on this machine: in this very process, or in several of their own side by side."""

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from multiprocessing import connection
from types import TracebackType
from typing import Any, Self

from lvm_core.errors import ExecutorLost
from lvm_core.executors.apart import Apart, Gone
from lvm_core.executors.base import MOST_TRIES, Executor, ExecutorKind, Outcome, Task, Tell
from lvm_core.executors.facts import this_place
from lvm_core.executors.work import Desk, Ended, Stopped, Worker, run_call
from lvm_core.workspace import Workspace

SAY_S, STOP_S = 0.5, 8.0


class Local(AbstractContextManager["Local"]):
    """The process at hand."""

    name = "local"
    n_workers = 1

    def __init__(self, workspace: Workspace) -> None:
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(eq=False)
class _Seat:
    """A process, and what it is at."""

    process: Apart
    task: Task | None = None


@dataclass
class Processes:
    """So many processes, each with its share of the cores."""

    workspace: Workspace
    n_workers: int
    name: str = "local"
    _seats: list[_Seat] = field(default_factory=list)

    def run(self, tasks: Sequence[Task], tell: Tell) -> Generator[Outcome]:
        """See `Executor.run`."""
        waiting, tries = deque(tasks), Counter[str]()
        try:
            while waiting or any(seat.task for seat in self._seats):
                self._deal(waiting)
                by_pipe: dict[object, _Seat] = {s.process.connection: s for s in self._seats if s.task is not None}
                for pipe in connection.wait([s.process.connection for s in self._seats if s.task is not None]):
                    outcome = self._hear(by_pipe[pipe], tell)
                    if outcome is not None and outcome.lost and outcome.task.again:
                        tries[outcome.task.name] += 1
                        if tries[outcome.task.name] < MOST_TRIES:
                            waiting.appendleft(outcome.task)
                            continue
                    if outcome is not None:
                        yield outcome
        finally:
            self._leave()

    def _deal(self, waiting: deque[Task]) -> None:
        """Give every process that is free a task, starting those that are lacking."""
        threads = str(max(1, (os.cpu_count() or 1) // self.n_workers))
        n_busy = sum(seat.task is not None for seat in self._seats)
        while len(self._seats) < min(self.n_workers, n_busy + len(waiting)):
            self._seats.append(_Seat(Apart(f"{__name__}:sit", OMP_NUM_THREADS=threads)))
            self._seats[-1].process.send(self.workspace.root)
        for seat in self._seats:
            if seat.task is None and waiting:
                seat.task = waiting.popleft()
                seat.process.send(seat.task)

    def _hear(self, seat: _Seat, tell: Tell) -> Outcome | None:
        """Return how the task of `seat` ended, None where it only says how far it is."""
        task = seat.task
        assert task is not None
        try:
            said = seat.process.receive()
        except Gone:
            self._seats.remove(seat)
            why = f"The process that worked on {task.name} was ended (exit code {seat.process.close()})"
            return Outcome(task, None, ExecutorLost(why, "one that lasts", "Resume goes on from what is kept."))
        if len(said) == 2:
            tell(task.name, *said)
            return None
        seat.task = None
        value, error, seconds = said
        return Outcome(task, value, error, this_place(), seconds)

    def _leave(self) -> None:
        """Hang up on all, at once, and give them the time to put their state away."""
        for seat in self._seats:
            seat.process.connection.close()
        stop = time.monotonic() + STOP_S
        for seat in self._seats:
            seat.process.close(max(0.1, stop - time.monotonic()))
        self._seats = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()


def sit(pipe: Any) -> None:
    """In a process of its own: carry out tasks, in a thread, until the other end hangs up."""
    worker = Worker(str(pipe.recv()))
    while True:
        said, ended = None, Future[Ended]()
        threading.Thread(target=_carry_out, args=(worker, pipe.recv(), ended), daemon=True).start()
        while not ended.done():
            wait([ended], SAY_S)
            if pipe.poll():  # nothing is said while a task is under way: that is the end of the pipe
                worker.stop()
                wait([ended], STOP_S)
                return
            if worker.look() != said:
                said = worker.look()
                pipe.send(said)
        pipe.send(ended.result())


def _carry_out(worker: Worker, task: Task, ended: Future[Ended]) -> None:
    ended.set_result(worker.run(task.call, task.given))


def opened(workspace: Workspace, n_workers: int) -> Executor:
    """Return an executor of this process, or of so many of their own."""
    return Local(workspace) if n_workers < 2 else Processes(workspace, n_workers)


KIND = ExecutorKind("This machine", "the process of the command itself; local:4, four processes of their own", opened)
