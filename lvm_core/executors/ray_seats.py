"""Tasks on a Ray cluster: an actor a free core (or GPU), tasks dealt out one at a time, lost ones dealt out again."""

import contextlib
import functools
import platform
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm_core.children import PROJECT
from lvm_core.errors import ExecutorLost, JobError, LvmError, WorkspaceError
from lvm_core.executors.base import MOST_TRIES, Outcome, Task, Tell
from lvm_core.executors.facts import Facts
from lvm_core.executors.ray_joining import Head, last_line
from lvm_core.executors.work import Worker

WAIT_S, STOP_S = 0.5, 8.0


@dataclass(eq=False)
class _Seat:
    """An actor on a node; `arrived` once it said that it can do the work."""

    node: str
    actor: Any
    arriving: Any
    place: str = ""
    task: Task | None = None
    running: Any = None
    looking: Any = None
    began: float = 0.0


class Driver:
    """A running cluster; this process is its driver, and what it started there goes with it."""

    def __init__(self, root: Path, most: int) -> None:
        """Join the cluster.

        Raises:
            JobError: if nothing answers there, or this machine cannot join what does.
        """
        self._root, self._most = root, most
        self._head = Head()
        self._seats: list[_Seat] = []
        self._shunned: dict[str, str] = {}
        self._met: set[str] = set()  # nodes that have said that they can do the work
        self._begun = False
        self._head.join()

    def others(self) -> bool:
        """Return whether there are nodes on other machines."""
        import ray

        return {node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]} != {platform.node()}

    def close(self) -> None:
        """Let go of the workers and of the cluster."""
        import ray

        self._let_go()
        ray.shutdown()

    @property
    def n_workers(self) -> int:
        """The seats there are on the nodes that are up, or as many as were asked for."""
        seats = sum(self._slots().values())
        return min(seats, self._most) if self._most else seats

    def run(self, tasks: Sequence[Task], facts: Facts, tell: Tell, left: Callable[[], bool]) -> Generator[Outcome]:
        """See `Executor.run`; for a process that `facts` are of, which `left` says does not wait for it any more."""
        self._facts = facts
        waiting, tries = deque(tasks), Counter[str]()
        try:
            while (waiting or any(seat.task for seat in self._seats)) and not left():
                self._head.watch()
                self._take_seats(len(waiting) + sum(seat.task is not None for seat in self._seats))
                self._deal(waiting)
                heard = [self._hear(seat, waiting, tries) for seat in self._heard()]
                self._deal(waiting)  # nobody waits while what came is looked at
                yield from (outcome for outcome in heard if outcome is not None)
                self._look(tell)
        except ExecutorLost:
            self._seats = []  # nobody is left who could be asked to stop
            raise
        finally:
            self._stop_all()

    # ------------------------------------------------------------ the cluster

    def _slots(self) -> dict[str, int]:
        """Return the seats of every node that is up and not shunned, by its id: its GPUs if any has one, else cores."""
        import ray

        nodes = [node for node in ray.nodes() if node["Alive"] and node["NodeID"] not in self._shunned]
        self._unit = "GPU" if any(node["Resources"].get("GPU") for node in nodes) else "CPU"
        return {node["NodeID"]: int(node["Resources"].get(self._unit, 0)) for node in nodes}

    def _take_seats(self, n_wanted: int) -> None:
        """Send an actor to every free seat that there is work for, one a node in turn."""
        taken = Counter(seat.node for seat in self._seats)
        slots = self._slots()
        wanted = min(n_wanted, self._most or n_wanted)
        free = sorted((i, node) for node, n in slots.items() for i in range(taken[node], n))
        for _, node in free[: max(0, wanted - len(self._seats))]:
            self._seats.append(self._send_to(node))
        if not self._seats:
            reasons = " ".join([*dict.fromkeys(self._shunned.values()), "What was finished is kept;"])
            raise ExecutorLost(
                f"No node of the Ray cluster at {self._head} can take the work",
                "one that can",
                f"{reasons} mend that, or add a node (ray start --address), and resume.",
            )

    def _send_to(self, node: str) -> _Seat:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        share = {"num_gpus": 1} if self._unit == "GPU" else {"num_cpus": 1}
        actor = (
            _remote_worker()
            .options(
                **share,
                max_restarts=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote(str(self._root))
        )
        return _Seat(node, actor, actor.arrive.remote(self._facts))

    # ------------------------------------------------------------ dealing and hearing

    def _deal(self, waiting: deque[Task]) -> None:
        """Give every seat that is free a task, the first of all once every node has said that it can do the work.

        Else short work were over before a node of another version or folder is noticed.
        """
        self._begun = self._begun or all(seat.node in self._met for seat in self._seats)
        if not self._begun:
            return
        for seat in self._seats:
            if waiting and seat.task is None and seat.arriving is None:
                seat.task = waiting.popleft()
                seat.began = time.monotonic()
                seat.running = seat.actor.run.remote(seat.task.call, seat.task.given)

    def _heard(self) -> list[_Seat]:
        """Return the seats of which something has come, after half a second at most."""
        import ray

        by_ref = {ref: seat for seat in self._seats if (ref := seat.arriving or seat.running) is not None}
        ready, _ = ray.wait(list(by_ref), num_returns=len(by_ref), timeout=0)
        if not ready:
            ready, _ = ray.wait(list(by_ref), num_returns=1, timeout=WAIT_S)
        return [by_ref[ref] for ref in ready]

    def _hear(self, seat: _Seat, waiting: deque[Task], tries: Counter[str]) -> Outcome | None:
        """Return how the task of `seat` ended, None where it only arrived, or was lost and waits again."""
        import ray

        try:
            if seat.arriving is not None:
                seat.place, refusal = ray.get(seat.arriving)
                seat.arriving = None
                if refusal is not None:
                    self._turn_away(seat, refusal)
                else:
                    self._met.add(seat.node)
                return None
            value, error, seconds = ray.get(seat.running)
        except ray.exceptions.RayError as loss:
            return self._lost(seat, waiting, tries, loss)
        task, seat.task, seat.running, seat.looking = seat.task, None, None, None
        assert task is not None
        if isinstance(error, WorkspaceError) and task.again:  # a disk of that node: the others may do it
            waiting.appendleft(task)
            self._turn_away(seat, error)
            return None
        return Outcome(task, value, error, seat.place, seconds)

    def _turn_away(self, seat: _Seat, refusal: LvmError) -> None:
        """Do without the node of a seat whose disk refuses; a node that cannot do the work at all ends the work."""
        if not isinstance(refusal, WorkspaceError):
            raise refusal
        self._shunned[seat.node] = f"{seat.place}: {refusal}"
        print(f"warning: going on without {seat.place}: {refusal}", file=sys.stderr, flush=True)
        self._leave(seat)

    def _lost(self, seat: _Seat, waiting: deque[Task], tries: Counter[str], error: Exception) -> Outcome | None:
        self._head.watch()
        self._leave(seat)
        if seat.task is None:
            if not seat.place and "ModuleNotFoundError" in str(error):
                raise JobError(
                    f"A node of the cluster cannot load the studio ({last_line(error)})",
                    f"the studio at {PROJECT} on every node",
                    "Put it there with its requirements, at the same path as here.",
                )
            return None
        where = seat.place or "a node"
        if not seat.task.again:
            gone = ExecutorLost(f"{where} was lost ({last_line(error)})", "a worker to the end", "Run it again.")
            return Outcome(seat.task, None, gone, where)
        tries[seat.task.name] += 1
        print(f"warning: {where} was lost while it worked on {seat.task.name}", file=sys.stderr, flush=True)
        if tries[seat.task.name] < MOST_TRIES:
            waiting.appendleft(seat.task)
            return None
        often = JobError(
            f"The process that worked on it was lost {MOST_TRIES} times, the last time on {where} ({last_line(error)})",
            "one that lasts to the end of it",
            "See whether memory runs out there, or the node goes away; then run it again.",
        )
        return Outcome(seat.task, None, often, where, time.monotonic() - seat.began)

    def _leave(self, seat: _Seat) -> None:
        import ray

        self._seats.remove(seat)
        with contextlib.suppress(Exception):
            ray.kill(seat.actor)

    def _look(self, tell: Tell) -> None:
        """Pass on what the tasks under way say; a seat is asked again once it has answered."""
        import ray

        for seat in self._seats:
            if seat.running is None or seat.task is None:
                continue
            if seat.looking is None:
                seat.looking = seat.actor.look.remote()
                continue
            ready, _ = ray.wait([seat.looking], timeout=0)
            if ready:
                with contextlib.suppress(ray.exceptions.RayError):
                    tell(seat.task.name, *ray.get(seat.looking))
                seat.looking = None

    def _stop_all(self) -> None:
        """Ask the tasks under way to put their state away, and wait a little for it."""
        import ray

        busy = [seat for seat in self._seats if seat.running is not None]
        if not busy:
            return
        with contextlib.suppress(Exception):
            for seat in busy:
                seat.actor.stop.remote()
            ray.wait([seat.running for seat in busy], num_returns=len(busy), timeout=STOP_S)
        self._let_go()

    def _let_go(self) -> None:
        for seat in list(self._seats):
            self._leave(seat)


@functools.cache
def _remote_worker() -> Any:
    """Return `Worker` as an actor, its looking and stopping in a thread of their own beside the task."""
    import ray

    class Seat(Worker):
        def __init__(self, root: str) -> None:
            super().__init__(root)
            host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
            Head((host.strip("[]"), int(port))).on_loss(self.stop)  # else it worked on beside who resumes

        look = ray.method(concurrency_group="control")(Worker.look)
        stop = ray.method(concurrency_group="control")(Worker.stop)

    return ray.remote(concurrency_groups={"control": 1})(Seat)
