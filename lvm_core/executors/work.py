"""On a worker: carries out one task at a time, says how far it is, and stops when asked."""

import importlib
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from lvm_core.errors import LvmError
from lvm_core.executors.facts import Facts, check_facts, this_place
from lvm_core.types import Progress
from lvm_core.workspace import Workspace

MOUNT = "LVM_MOUNT"
"""Variable of a node: where the shared workspace lies there, if not at the same path as for everybody else."""

_ON_STOP: list[Callable[[], None]] = []
_stopped = threading.Event()


@dataclass(frozen=True, slots=True)
class Desk:
    """What a task finds on its worker: the workspace that all share, and somebody to tell how far it is."""

    workspace: Workspace
    progress: Progress
    root: str = ""
    """Where the workspace lies for whoever gave the task, if not at the same path."""

    def here(self, path: str) -> Path:
        """Return a path within the workspace, given as it is for whoever gave the task, as it is here."""
        return self.workspace.root / Path(path).relative_to(self.root or self.workspace.root)


@contextmanager
def on_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` when the worker is asked to stop, as a signal would do in a process of its own."""
    _ON_STOP.append(stop)
    try:
        if _stopped.is_set():
            stop()
        yield
    finally:
        _ON_STOP.remove(stop)


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Turn SIGTERM and SIGINT into `stop`, so that a step is finished and a checkpoint written first."""
    if threading.current_thread() is not threading.main_thread():
        with on_stop(stop.set):  # a worker's thread, which no signal reaches
            yield
        return

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def function(call: str) -> Callable[..., Any]:
    """Return the function that "module:function" names."""
    module, _, name = call.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


Ended = tuple[Any, Exception | None, float]
"""How a call ended: its value, or the error it was refused with, and the seconds it took."""


class Stopped(Exception):
    """A task was asked to stop, and has put its state away."""


def run_call(call: str, desk: Desk, given: dict[str, Any]) -> Ended:
    """Carry out `call`; an error that is not the studio's own comes back as RuntimeError, its trace is printed."""
    began = time.monotonic()
    value: Any = None
    error: Exception | None = None
    try:
        value = function(call)(desk, **given)
    except KeyboardInterrupt:
        error = Stopped("stopped")
    except LvmError as refusal:
        error = refusal.with_traceback(None)
    except Exception as fault:
        traceback.print_exc()
        error = RuntimeError(f"{type(fault).__name__}: {fault}")
    return value, error, time.monotonic() - began


class Worker:
    """One seat: lives in a process of its own for the whole of the work, so that what it loads it loads once."""

    def __init__(self, root: str) -> None:
        self._desk = Desk(Workspace(os.environ.get(MOUNT) or root), self._note, root)
        self._said: tuple[float, str] = (0.0, "")

    def arrive(self, theirs: Facts) -> tuple[str, LvmError | None]:
        """Return the name of this place, and why it cannot do the work of whoever asks, None where it can."""
        try:
            check_facts(theirs, self._desk.workspace)
        except LvmError as error:
            return this_place(), error.with_traceback(None)
        if theirs.database:
            self._desk = replace(self._desk, workspace=Workspace(self._desk.workspace.root, theirs.database))
        return this_place(), None

    def run(self, call: str, given: dict[str, Any]) -> Ended:
        """Carry out a task; see `run_call`."""
        self._said = (0.0, "starting")
        return run_call(call, self._desk, given)

    def look(self) -> tuple[float, str]:
        """Return how far the task at hand is, and what it says."""
        return self._said

    def stop(self) -> None:
        """Ask the task at hand to put its state away and end."""
        _stopped.set()
        for stop in list(_ON_STOP):
            stop()

    def _note(self, share: float, message: str) -> None:
        self._said = (share, message)
