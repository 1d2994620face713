"""A lane: one thread that takes all that waits and does what belongs together in one go.

So what many ask at once is encoded, predicted and decoded together, and nobody waits for a batch to fill.
"""

import asyncio
import contextlib
import logging
import math
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from lvm_core import abandoned
from lvm_core.device import give_back_memory
from lvm_core.errors import LvmError

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger(__name__)

_END = object()

TRIM_EVERY_S = 5.0
"""Between two times that what was freed is given back to the system: it takes some milliseconds."""


class Busy(LvmError):
    """More waits than may; `retry_after_s` is when it is worth another try."""

    def __init__(self, waiting: int, retry_after_s: int) -> None:
        """Say how many wait, and when to come back."""
        super().__init__(
            f"{waiting} requests wait already",
            "fewer",
            f"Try again in {retry_after_s} s, or start the service with a larger --most-waiting.",
        )
        self.retry_after_s = retry_after_s


class Stopping(LvmError):
    """The service is being stopped and takes nothing more."""


class Late(LvmError):
    """An answer was not there within the time limit."""


@dataclass(eq=False)
class Ticket(Generic[T]):
    """A request that waits in a lane, and the way back to who asked. `wanted` is False once nobody waits for it."""

    request: T
    loop: asyncio.AbstractEventLoop
    wanted: bool = True
    events: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)

    def is_wanted(self) -> bool:
        """Return whether somebody waits for an answer."""
        return self.wanted

    def send(self, event: Any) -> None:
        """Give something to who asked, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there any more
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)

    def fail(self, error: BaseException) -> None:
        """Say that this is all, because of `error`."""
        self.send(error)

    def end(self) -> None:
        """Say that this is all."""
        self.send(_END)

    async def answers(self, limit_s: float) -> AsyncGenerator[Any, None]:
        """Yield what is sent until the end; whoever stops listening wants no more.

        Raises:
            Late: if the end has not come within `limit_s` seconds.
            Exception: whatever the work failed with.
        """
        until = self.loop.time() + limit_s
        try:
            while True:
                try:
                    async with asyncio.timeout_at(until):
                        event = await self.events.get()
                except TimeoutError:
                    raise Late(
                        f"The answer was not there after {limit_s:g} s",
                        "one in less",
                        "Ask for less at once, or start the service with a larger --time-limit-s.",
                    ) from None
                if event is _END:
                    return
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            self.wanted = False

    async def answer(self, limit_s: float) -> Any:
        """Return the one thing that is sent."""
        result = None
        async with contextlib.aclosing(self.answers(limit_s)) as answers:
            async for event in answers:
                result = event
        return result


class Work(Protocol[T]):
    """A kind of work that a lane does."""

    def run(self, tickets: Sequence[Ticket[T]]) -> None:
        """Answer and end each of the tickets, or hand it on; an error is that of all which have not ended."""
        ...


class Alone:
    """Work that is a function: each is called by itself."""

    def run(self, tickets: Sequence[Ticket[Callable[[], Any]]]) -> None:
        """Call each request and send what it gives."""
        for ticket in tickets:
            if not ticket.wanted:
                continue
            try:
                with abandoned.unless(ticket.is_wanted):
                    ticket.send(ticket.request())
                ticket.end()
            except Exception as error:  # it is the asker's, whatever it is
                ticket.fail(error)


ALONE = Alone()


class Lane:
    """One thread and what waits for it."""

    def __init__(
        self, name: str, most_waiting: int, most_at_once: int, count: Callable[[str, int], None] = lambda *_: None
    ) -> None:
        """Start the thread; it ends with the process, or with `stop`. `count` is told how many were done together."""
        self.name, self.most_waiting, self.most_at_once = name, most_waiting, most_at_once
        self._count = count
        self._waiting: deque[tuple[Work[Any], Ticket[Any]]] = deque()
        self._asked: weakref.WeakSet[Ticket[Any]] = weakref.WeakSet()
        self._ready = threading.Condition()
        self._stopped = False
        self._spent_s = 0.05
        self._working, self._trimmed = 0, time.monotonic()
        self._thread = threading.Thread(target=self._live, name=f"lane-{name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    @property
    def working(self) -> int:
        """How many requests are being computed."""
        return self._working

    def submit(self, work: Work[T], request: T, loop: asyncio.AbstractEventLoop | None = None) -> Ticket[T]:
        """Let `request` wait for its turn.

        Raises:
            Busy: if too many wait.
            Stopping: if the lane takes nothing more.
        """
        ticket = Ticket(request, loop or asyncio.get_running_loop())
        self.put(work, ticket)
        self._asked.add(ticket)
        return ticket

    def put(self, work: Work[T], ticket: Ticket[T]) -> None:
        """Let a ticket wait for its turn, as `submit`."""
        with self._ready:
            if self._stopped:
                raise Stopping("The service is being stopped", "a service that runs", "Try again in a moment.")
            if len(self._waiting) >= self.most_waiting:
                self._waiting = deque(pair for pair in self._waiting if pair[1].wanted)
            if len(self._waiting) >= self.most_waiting:
                raise Busy(len(self._waiting), self._retry_after_s())
            self._waiting.append((work, ticket))
            self._ready.notify()

    def abandon(self) -> None:
        """Tell everybody whose request has no answer yet that there will be none; what is computed for them ends."""
        for ticket in list(self._asked):
            if ticket.wanted:
                ticket.wanted = False
                ticket.fail(
                    Stopping(
                        "The service is being stopped and did not come to this", "a service that runs",
                        "Try again in a moment.",
                    )
                )  # fmt: skip

    def stop(self, wait_s: float = 0.0) -> bool:
        """Take nothing more, abandon what waits and is being done, and return whether it ends within so long."""
        with self._ready:
            self._stopped = True
            self._waiting.clear()
            self._ready.notify()
        self.abandon()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _retry_after_s(self) -> int:
        return min(60, max(1, math.ceil(len(self._waiting) * self._spent_s)))

    def _live(self) -> None:
        while True:
            with self._ready:
                while not self._waiting and not self._stopped:
                    self._ready.wait()
                if self._stopped:
                    return
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self.most_at_once))]
            self._do([pair for pair in taken if pair[1].wanted])

    def _do(self, taken: list[tuple[Work[Any], Ticket[Any]]]) -> None:
        groups: dict[int, tuple[Work[Any], list[Ticket[Any]]]] = {}
        for work, ticket in taken:
            groups.setdefault(id(work), (work, []))[1].append(ticket)
        for work, tickets in groups.values():
            self._working = len(tickets)
            begun = time.perf_counter()
            try:
                with abandoned.unless(lambda own=tickets: any(ticket.wanted for ticket in own)):  # type: ignore[misc]
                    work.run(tickets)
            except abandoned.Abandoned:
                pass
            except Exception as error:  # the thread must live whatever a request does
                log.exception("lane %s", self.name)
                for ticket in tickets:
                    ticket.fail(error)
            spent = (time.perf_counter() - begun) / len(tickets)
            self._spent_s = 0.9 * self._spent_s + 0.1 * spent
            self._count(self.name, len(tickets))
            self._working = 0
        if time.monotonic() - self._trimmed > TRIM_EVERY_S:
            give_back_memory()
            self._trimmed = time.monotonic()
