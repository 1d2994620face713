"""Files and paths from outside: regular files of a bounded size, and names that stay inside their folder."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from lvm_core.errors import LvmError, SourceError, WorkspaceError

MOST_NAME_BYTES = 255
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


def user_path(given: str | os.PathLike[str], what: str = "The path", error: type[LvmError] = SourceError) -> Path:
    """Return the absolute path that a user gave, `~` and links resolved; it need not exist.

    Raises:
        LvmError: `error` for an empty name, a NUL character, an unknown `~user`, a circle of links, or a name too long.
    """
    text = os.fspath(given)
    if not text.strip():
        raise error(f"{what} is empty", "the name of a file or folder", "Give one; is a variable of the shell unset?")
    if "\0" in text:
        raise error(
            f"{what} {quoted(text)} holds a NUL character", "a path without one, as every file name is", "Take it out."
        )
    longest = max(len(os.fsencode(part)) for part in Path(text).parts or ("",))
    if longest > MOST_NAME_BYTES:
        raise error(f"{what} {quoted(text)} has a name of {longest} bytes", f"at most {MOST_NAME_BYTES}", "Shorten it.")
    try:
        path = Path(text).expanduser().resolve()
        path.exists()
    except (OSError, RuntimeError, ValueError) as problem:
        reason = str(getattr(problem, "strerror", None) or problem).rstrip(".")
        raise error(
            f"{what} {quoted(text)} cannot be used: {reason}",
            "the path of a file or folder",
            "Check how it is written, and who may enter its folder.",
        ) from problem
    return path


def cut(text: str, most: int = 80) -> str:
    """Return `text` for a message: cut in the middle where it is long, half characters and NUL replaced."""
    short = text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"
    return short.encode("utf-8", "replace").decode().replace("\0", "\\0")


def quoted(text: str, most: int = 80) -> str:
    """Return `text` cut and in quotes."""
    return f"'{cut(text, most)}'"


def inside(root: Path, path: Path, what: str = "The path", error: type[LvmError] = SourceError) -> Path:
    """Return `path` resolved.

    Raises:
        LvmError: `error` if it leads out of the folder `root`, by `..` or by a link.
    """
    resolved = path.resolve()
    if not resolved.is_relative_to(root.resolve()):
        raise error(f"{what} {path} leads out of {root}", "a file inside it", "Copy the file there.")
    return resolved


def regular_file(
    path: Path, what: str = "The file", most_bytes: int | None = None, error: type[LvmError] = SourceError
) -> Path:
    """Return `path`, for libraries that open files themselves.

    Raises:
        LvmError: `error` if it is missing, may not be read, is no regular file or holds more than `most_bytes`.
    """
    try:
        _check(path, path.stat(), what, most_bytes, error)
    except (OSError, ValueError) as problem:
        raise _unreadable(path, what, problem, error) from problem
    return path


def open_regular(
    path: Path, what: str = "The file", most_bytes: int | None = None, error: type[LvmError] = SourceError
) -> BinaryIO:
    """Return `path` opened for reading; a pipe or a device is refused without waiting for it.

    Raises:
        LvmError: `error` if it is missing, may not be read, is no regular file or holds more than `most_bytes`.
    """
    try:
        handle = os.open(path, _OPEN_FLAGS)
    except (OSError, ValueError) as problem:
        raise _unreadable(path, what, problem, error) from problem
    try:
        _check(path, os.fstat(handle), what, most_bytes, error)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_bytes(
    path: Path, what: str = "The file", most_bytes: int | None = None, error: type[LvmError] = SourceError
) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        LvmError: `error` if it is missing, may not be read, is no regular file or holds more than `most_bytes`.
    """
    with open_regular(path, what, most_bytes, error) as file:
        try:
            return file.read()
        except OSError as problem:
            raise _unreadable(path, what, problem, error) from problem


def new_file(
    path: str | os.PathLike[str], force: bool, what: str = "The file", error: type[LvmError] = WorkspaceError
) -> Path:
    """Return the path of a file that is to be written; one that is there is overwritten only where `force` says so.

    Raises:
        LvmError: `error` if it exists and `force` is not given, or if no regular file can lie there.
    """
    resolved = user_path(path, what, error)
    if resolved.exists():
        regular_file(resolved, what, error=error)
        if not force:
            raise error(
                f"{what} {resolved} exists already",
                "the name of a new file",
                "Choose another name, or add --force to overwrite it.",
            )
    return resolved


def is_regular(path: Path) -> bool:
    """Return whether `path` is a regular file (or a link to one) that can be looked at; it never raises."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder that can be looked at; it never raises."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _check(path: Path, status: os.stat_result, what: str, most_bytes: int | None, error: type[LvmError]) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "no file")
        raise error(f"{what} {path} is {kind}", "a regular file", "Copy what it gives into a file first.")
    if most_bytes is not None and status.st_size > most_bytes:
        raise error(
            f"{what} {path} has {status.st_size / 1e6:,.1f} MB",
            f"at most {most_bytes / 1e6:,.1f} MB",
            "Is it another file? Give the right one, or split it.",
        )


def _unreadable(path: Path, what: str, problem: Exception, error: type[LvmError]) -> LvmError:
    if isinstance(problem, FileNotFoundError):
        return error(f"{what} {quoted(str(path), 200)} does not exist", "a file", "Check the name.")
    reason = getattr(problem, "strerror", None) or problem
    return error(
        f"{what} {quoted(str(path), 200)} cannot be read: {reason}",
        "a file that you may read",
        "Make it readable, or give another.",
    )
