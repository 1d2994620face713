"""Open a file that may be compressed, whatever its name says, and know how far into it one has read."""

import bz2
import contextlib
import gzip
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from lvm_core.errors import SourceError

COMPRESSIONS: dict[str, tuple[bytes, Callable[[Any], Any]]] = {
    ".bz2": (b"BZh", bz2.open),
    ".gz": (b"\x1f\x8b", gzip.open),
}
"""Ending of a file name, the bytes that such a file begins with, and what opens it."""

BEGINNING_BYTES = 4_096


class Opened:
    """A file being read, decompressed as it is read."""

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            SourceError: if it cannot be read, is no regular file, or is empty.
        """
        self.path = path
        try:
            about = path.stat()
            if not stat.S_ISREG(about.st_mode):
                raise SourceError(
                    f"{path} is no regular file but a pipe, device or socket. Copy its content to a file."
                )
            self._raw = path.open("rb")
        except OSError as error:
            raise SourceError(
                f"{path} cannot be read: {error.strerror}. Check the path and who may read it."
            ) from error
        self._size = about.st_size
        if not self._size:
            self._raw.close()
            raise SourceError(f"{path} is empty. Download or write it again.")
        opener = _opener(self._raw)
        # Closed by `close`, with the file below it.
        self.stream = cast(IO[bytes], opener(self._raw) if opener else self._raw)

    @property
    def share(self) -> float:
        """The share of the file's bytes read so far, 0 to 1."""
        return 1.0 if self._raw.closed else min(self._raw.tell() / self._size, 1.0)

    def close(self) -> None:
        """Close the file."""
        self.stream.close()
        self._raw.close()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Opened]:
    """Open `path` for reading; damage of the compression becomes a SourceError.

    Raises:
        SourceError: if the file cannot be read, is empty, or its compression is damaged.
    """
    opened = Opened(path)
    try:
        yield opened
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(
            f"{path} is damaged at about {opened.share:.0%} of its length: {error}."
            " Download or copy it again, or add --keep-partial to keep the articles before the damage."
        ) from error
    finally:
        opened.close()


def is_compressed(path: Path) -> bool:
    """Return whether a file's first bytes are those of a compression."""
    with path.open("rb") as file:
        return _opener(file) is not None


def _opener(file: IO[bytes]) -> Callable[[Any], Any] | None:
    start = file.read(8)
    file.seek(0)
    return next((opener for magic, opener in COMPRESSIONS.values() if start.startswith(magic)), None)


def beginning(path: Path) -> str:
    """Return the first few thousand characters of a file, decompressed; "" where they cannot be decompressed.

    Raises:
        SourceError: if the file cannot be read or is empty.
    """
    opened = Opened(path)
    with contextlib.closing(opened):
        try:
            content = opened.stream.read(BEGINNING_BYTES)
        except (EOFError, OSError, zlib.error):
            return ""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return content.decode(encoding, errors="replace").lstrip()
