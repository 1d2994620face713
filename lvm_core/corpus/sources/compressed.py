"""Open a file that may be compressed, and know how far into it one has read."""

import bz2
import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from lvm_core.errors import SourceError


class Opened:
    """A file being read, decompressed as it is read."""

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            SourceError: if it cannot be read or is empty.
        """
        self.path = path
        try:
            self._raw = path.open("rb")
            self._size = path.stat().st_size
        except OSError as error:
            raise SourceError(
                f"{path} cannot be read: {error.strerror}. Check the path and who may read it."
            ) from error
        if not self._size:
            self._raw.close()
            raise SourceError(f"{path} is empty. Download or write it again.")
        # Closed by `close`, with the file below it.
        openers: dict[str, Any] = {".bz2": bz2.open, ".gz": gzip.open}
        opener = openers.get(path.suffix.lower())
        self.stream = cast(IO[bytes], opener(self._raw) if opener else self._raw)

    @property
    def share(self) -> float:
        """The share of the file's bytes read so far, 0 to 1."""
        return 1.0 if self._raw.closed else self._raw.tell() / self._size

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
