"""Progress of a command on stderr: one line rewritten on a terminal, a line every few seconds in a log."""

import sys
import time

REFRESH_S = 0.2
LOG_EVERY_S = 5.0


class ProgressLine:
    """A `Progress` callable that shows the share done and the message."""

    def __init__(self) -> None:
        self._last = 0.0
        self._tty = sys.stderr.isatty()

    def __call__(self, share: float, message: str) -> None:
        now = time.monotonic()
        done = share >= 1
        if not done and now - self._last < (REFRESH_S if self._tty else LOG_EVERY_S):
            return
        self._last = now
        line = f"{share:4.0%}  {message}"
        if self._tty:
            print(f"\r\x1b[2K{line}", end="\n" if done else "", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
