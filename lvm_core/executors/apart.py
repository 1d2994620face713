"""A child process that talks over a pipe: what may be torn down with all it loaded is kept out of this process."""

import contextlib
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, Self

from lvm_core.children import python_path

KILL_S = 5.0
START = f"import sys; from {__name__} import main; main(sys.argv[1:])"


class Gone(Exception):
    """The child has ended without a word."""


class Apart:
    """Runs "module:function" in a process of its own: `function(connection)`, the other end of `connection`."""

    def __init__(self, call: str, **variables: str) -> None:
        """Start it, with these variables in its environment."""
        self.connection, theirs = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(theirs.fileno()), call],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": python_path(), **variables},
        )
        theirs.close()

    def send(self, said: object) -> None:
        """Tell the child something.

        Raises:
            Gone: if it has ended.
        """
        try:
            self.connection.send(said)
        except OSError as error:
            raise Gone from error

    def receive(self) -> Any:
        """Wait for what the child says next, and return it.

        Raises:
            Gone: if it has ended.
        """
        try:
            return self.connection.recv()
        except (EOFError, OSError) as error:
            raise Gone from error

    def close(self, patience_s: float = KILL_S) -> int:
        """Hang up, which asks the child to end; kill it where it has not after `patience_s`. Return its exit code."""
        self.connection.close()
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def hung_up(connection: Connection) -> bool:
    """Return, in the child, whether the parent has hung up, by hand or by its death."""
    with contextlib.suppress(OSError, EOFError):
        if connection.poll():
            connection.recv()  # nothing else is said while work is under way
        return False
    return True


def main(arguments: list[str]) -> None:
    """In the child: call what `arguments` name with the pipe; Ctrl-C is the parent's to act on."""
    from lvm_core.executors.work import function

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, call = arguments
    with contextlib.suppress(BrokenPipeError, EOFError, ConnectionResetError):
        function(call)(Connection(int(descriptor)))
