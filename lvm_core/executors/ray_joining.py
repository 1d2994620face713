"""Joining a Ray cluster: its address, whether a head answers there, and what Ray's refusals mean."""

import contextlib
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

from lvm_core.children import PROJECT
from lvm_core.errors import ExecutorLost, JobError, SettingsError

ADDRESS = "LVM_RAY_ADDRESS"
CONNECT_S, WATCH_S = 5.0, 1.0
MOST_MISSED = 3
"""So many times in a row the head may not answer before it counts as gone."""


def address() -> tuple[str, int]:
    """Return host and port of the cluster's head.

    Raises:
        SettingsError: if LVM_RAY_ADDRESS is not set, or is no HOST:PORT.
    """
    given = os.environ.get(ADDRESS, "").strip()
    start = "Start a cluster with: ray start --head --port 6379; then export LVM_RAY_ADDRESS=HOST:6379"
    if not given:
        raise SettingsError([f"{ADDRESS} is not set; expected HOST:PORT of the head of a Ray cluster. {start}"])
    found = re.fullmatch(r"([^\s/:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", given)
    if found is None:
        raise SettingsError([f"{ADDRESS} is {given!r}; expected HOST:PORT of the head, such as 10.0.0.1:6379. {start}"])
    return found[1].strip("[]"), int(found[2])


class Head:
    """The head of a cluster, watched from here: Ray itself waits a minute before it misses one."""

    def __init__(self, at: tuple[str, int] | None = None) -> None:
        """Take where it is; by default, as LVM_RAY_ADDRESS says."""
        self._host, self._port = at or address()
        self._missed, self._watched = 0, 0.0

    def __str__(self) -> str:
        return f"{self._host}:{self._port}"

    def reach(self) -> None:
        """Look whether it is there.

        Raises:
            JobError: if nothing answers.
        """
        try:
            self._knock()
        except OSError as error:
            raise JobError(
                f"Nothing answers at {self} ({error.strerror or error})",
                "the head of a Ray cluster",
                f"See that it is up (ray status --address {self}), or correct {ADDRESS}.",
            ) from error

    def answers(self) -> bool:
        """Return whether it is there."""
        try:
            self._knock()
        except OSError:
            return False
        return True

    def join(self) -> None:
        """Make this process a driver of the cluster; SIGTERM does here what it did before.

        Raises:
            JobError: if this machine cannot join it.
        """
        import ray

        config = ray.job_config.JobConfig(_py_driver_sys_path=[str(PROJECT)])
        with _own_signals(), _plain_words(str(self)):
            ray.init(address=str(self), job_config=config, configure_logging=False, log_to_driver=True)

    def watch(self) -> None:
        """Look, at most once a second, whether the head still answers.

        Raises:
            ExecutorLost: once it has not answered several times in a row.
        """
        now = time.monotonic()
        if now - self._watched < WATCH_S:
            return
        self._watched = now
        self._missed = 0 if self.answers() else self._missed + 1
        if self._missed >= MOST_MISSED:
            raise self.gone()

    def gone(self) -> ExecutorLost:
        """Return what is to be said where it is there no more."""
        return ExecutorLost(
            f"The head of the Ray cluster at {self} is gone",
            "one that answers to the end",
            "What was finished is kept; start the cluster again and resume.",
        )

    def on_loss(self, do: Callable[[], None]) -> None:
        """Call `do`, from a thread, once the head that answers now is gone."""

        def watch() -> None:
            try:
                while True:
                    time.sleep(WATCH_S)
                    self.watch()
            except ExecutorLost:
                do()

        if self.answers():
            threading.Thread(target=watch, name="head", daemon=True).start()

    def _knock(self) -> None:
        socket.create_connection((self._host, self._port), CONNECT_S).close()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what SIGTERM does here: ray sets a handler of its own, behind which no state would be put away."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _plain_words(where: str) -> Iterator[None]:
    """Turn what Ray says when it cannot be joined into what a user can do."""
    try:
        yield
    except (RuntimeError, ConnectionError, ValueError) as error:
        text = str(error)
        if "ersion mismatch" in text:
            words = " ".join(text.split())
            raise JobError(
                f"The Ray cluster at {where} is of another version: {words}", "the same one", "Install one on both."
            ) from error
        raise JobError(
            f"The Ray cluster at {where} cannot be joined: {last_line(error)}",
            "this machine to be one of its nodes",
            f"Run here: ray start --address {where}, with the Ray of requirements-cluster.txt.",
        ) from error


def last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
