"""Work that nobody waits for any more ends: whoever starts it says whether it is wanted, and long loops ask.

    with abandoned.unless(lambda: somebody_listens):
        decoder.decode_all(...)

A loop calls `check()` where it can be left without leaving anything half done. What it asks is of the thread (and of
those that it lends its context to); where nobody said anything, work is wanted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Abandoned(Exception):
    """Nobody waits for this any more. It is no mistake of anybody's, so no `LvmError`: no handler takes it for one."""


_WANTED: ContextVar[Callable[[], bool] | None] = ContextVar("wanted", default=None)


@contextmanager
def unless(wanted: Callable[[], bool]) -> Iterator[None]:
    """Let what runs inside be abandoned once `wanted` is False."""
    before = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(before)


def check() -> None:
    """Go on.

    Raises:
        Abandoned: if nobody wants it.
    """
    wanted = _WANTED.get()
    if wanted is not None and not wanted():
        raise Abandoned
