"""The driver of a Ray cluster, in a process of its own, and what is said to it.

When a head dies, its node goes with it, and Ray ends the driver at once: whoever started it (`ray_cluster`) stays.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from lvm_core.errors import LvmError
from lvm_core.executors.apart import hung_up
from lvm_core.executors.base import Task
from lvm_core.executors.facts import Facts
from lvm_core.executors.ray_seats import Driver


@dataclass(frozen=True, slots=True)
class Work:
    """What the driver is to carry out, for a process that `facts` are of."""

    tasks: Sequence[Task]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Joined:
    """The cluster is joined; `others` where nodes are on other machines."""

    others: bool


@dataclass(frozen=True, slots=True)
class Told:
    """How far a task under way is."""

    task: str
    share: float
    message: str


@dataclass(frozen=True, slots=True)
class Over:
    """All tasks have ended, or the whole has with `error`."""

    error: LvmError | None = None


def drive(connection: Connection) -> None:
    """Join the cluster as the first message says (root, most workers), then carry out what is sent until it hangs up.

    Answers `Joined` or `Over`; to `Work` with `Told` and `Outcome`, then `Over`; to anything else with `n_workers`.
    """
    try:
        driver = Driver(*connection.recv())
    except LvmError as error:
        connection.send(Over(error.with_traceback(None)))
        return
    try:
        connection.send(Joined(driver.others()))
        while True:
            asked = connection.recv()
            connection.send(_done(driver, asked, connection) if isinstance(asked, Work) else driver.n_workers)
    finally:
        driver.close()


def _done(driver: Driver, work: Work, connection: Connection) -> Over:
    """Carry out `work`, telling of it; return how it ended as a whole."""

    def tell(*said: Any) -> None:
        connection.send(Told(*said))

    try:
        with contextlib.closing(driver.run(work.tasks, work.facts, tell, lambda: hung_up(connection))) as outcomes:
            for outcome in outcomes:
                connection.send(outcome)
    except LvmError as error:
        return Over(error.with_traceback(None))
    return Over()
