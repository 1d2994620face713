"""Progress of a command on stderr: one line rewritten on a terminal, a line every few seconds in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lvm_core.boundary.values import shown
from lvm_core.jobs import pulse
from lvm_core.types import Progress

_LISTENER: ContextVar[Progress | None] = ContextVar("listener", default=None)

REFRESH_S = 0.2
LOG_EVERY_S = 5.0


@contextmanager
def told(progress: Progress) -> Iterator[None]:
    """Tell `progress`, instead of stderr, what the commands called within it report."""
    token = _LISTENER.set(progress)
    try:
        yield
    finally:
        _LISTENER.reset(token)


class ProgressLine:
    """A `Progress` callable that shows the share done and the message; in a job it tells the job's row too."""

    def __init__(self) -> None:
        self._listener = _LISTENER.get()
        self._last = float("-inf")
        self._tty = sys.stderr.isatty()
        self._pulse = pulse.current()

    def __call__(self, share: float, message: str) -> None:
        if self._pulse is not None:
            self._pulse.report(share, message)
        if self._listener is not None:
            self._listener(share, message)
            return
        now = time.monotonic()
        done = share >= 1
        if not done and now - self._last < (REFRESH_S if self._tty else LOG_EVERY_S):
            return
        self._last = now
        self._show(f"{share:4.0%}  {shown(message)}", done)

    def _show(self, line: str, done: bool) -> None:
        try:
            if self._tty:
                print(f"\r\x1b[2K{line}", end="\n" if done else "", file=sys.stderr, flush=True)
            else:
                print(line, file=sys.stderr, flush=True)
        except OSError:  # a full disk under the log, or a terminal that went away, is no reason to lose the work
            self._last = time.monotonic()
