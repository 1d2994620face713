"""A job's log, read from its end: a log of 2 GB costs what its last lines cost."""

import os
from pathlib import Path

from lvm_core.boundary.files import open_regular
from lvm_core.errors import SourceError

TAIL_BYTES = 64_000


def tail(path: Path, n_lines: int = 40, n_bytes: int = TAIL_BYTES) -> list[str]:
    """Return at most the last `n_lines` lines within the last `n_bytes` of `path`; none if it is no log."""
    try:
        with open_regular(path, "The log") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - n_bytes)
            file.seek(start)
            data = file.read(n_bytes)
    except (OSError, SourceError):
        return []
    if start:
        data = data.partition(b"\n")[2] or data
    lines = data.decode("utf-8", errors="replace").replace("\x00", "").splitlines()
    return [line.rsplit("\r", 1)[-1] for line in lines][-n_lines:]


def size_bytes(path: Path) -> int:
    """Return the size of the log, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def last_words(path: Path) -> str:
    """Return what the log says went wrong: its last "error:" line (with what follows), else its last line."""
    lines = [line for line in tail(path) if line.strip()]
    for i in range(len(lines) - 1, -1, -1):
        if "error: " in lines[i]:
            return " ".join(line.strip() for line in lines[i:]).partition("error: ")[2][:500]
        if lines[i].startswith("$ "):
            break
    return lines[-1].strip()[:500] if lines and not lines[-1].startswith("$ ") else ""
