"""Open a file that may be compressed, whatever its name says, and know how far into it one has read."""

import bz2
import codecs
import contextlib
import gzip
import io
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

from lvm_core.errors import SourceError

COMPRESSIONS: dict[str, tuple[bytes, Callable[[Any], Any]]] = {
    ".bz2": (b"BZh", bz2.open),
    ".gz": (b"\x1f\x8b", gzip.open),
}
"""Ending of a file name, the bytes that such a file begins with, and what opens it."""

BEGINNING_BYTES, BLOCK_BYTES = 4_096, 1 << 16
UNSUSPICIOUS_BYTES, MAX_RATIO = 500_000_000, 200

_DECLARATION = re.compile(rb"""<\?xml[^<>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"),
)  # fmt: skip


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
                    f"{path} is no regular file but a pipe, device or socket",
                    "a regular file",
                    "Copy its content to a file.",
                )
            self._raw = path.open("rb")
        except OSError as error:
            raise SourceError(
                f"{path} cannot be read: {error.strerror}",
                "a file that you may read",
                "Check the path and who may read it.",
            ) from error
        self._size = about.st_size
        if not self._size:
            self._raw.close()
            raise SourceError(f"{path} is empty", "a file with text", "Download or write it again.")
        opener = _opener(self._raw)
        # Closed by `close`, with the file below it.
        self.stream = cast(io.BufferedReader, opener(self._raw) if opener else self._raw)

    @property
    def share(self) -> float:
        """The share of the file's bytes read so far, 0 to 1."""
        return 1.0 if self._raw.closed else min(self._raw.tell() / self._size, 1.0)

    def blocks(self) -> Iterator[bytes]:
        """Yield the content in blocks.

        Raises:
            SourceError: if it unpacks to so much more than its size that it can only be a bomb.
        """
        n_bytes = 0
        while block := self.stream.read1(BLOCK_BYTES):
            n_bytes += len(block)
            if n_bytes > UNSUSPICIOUS_BYTES and n_bytes > MAX_RATIO * max(self._raw.tell(), 1):
                raise SourceError(
                    f"{self.path} unpacks to more than {MAX_RATIO} times its size",
                    "less, as of any text",
                    "Unpack it yourself and look at what it holds.",
                )
            yield block

    def utf8_blocks(self) -> Iterator[bytes]:
        """Yield the content in blocks of UTF-8, whatever Unicode its byte order mark or XML declaration names.

        Raises:
            SourceError: if there is no such encoding, or the content is not in it.
        """
        blocks = self.blocks()
        first = next(blocks, b"")
        encoding = _declared_encoding(first)
        if not encoding:
            yield first.removeprefix(codecs.BOM_UTF8)
            yield from blocks
            return
        try:
            decoder = codecs.getincrementaldecoder(_text_codec(encoding))()
            for block in chain([first], blocks):
                yield decoder.decode(block).encode()
            yield decoder.decode(b"", final=True).encode()
        except (LookupError, ValueError) as error:
            raise SourceError(
                f"{self.path} says that it is in the encoding {encoding!r}, but cannot be read as that: {error}",
                "text in that encoding",
                f"Convert it, for example: iconv -f {encoding} -t UTF-8",
            ) from error

    def lines(self, max_bytes: int) -> Iterator[bytes | None]:
        """Yield each line without its end; None for one of more than `max_bytes`."""
        parts: list[bytes] = []
        n_bytes = 0
        for block in self.utf8_blocks():
            first, *more = block.split(b"\n")
            for rest in more:
                yield b"".join([*parts, first]) if n_bytes + len(first) <= max_bytes else None
                parts, n_bytes, first = [], 0, rest
            n_bytes += len(first)
            parts = [*parts, first] if n_bytes <= max_bytes else []
        if n_bytes:
            yield b"".join(parts) if n_bytes <= max_bytes else None

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
            f"{path} is damaged at about {opened.share:.0%} of its length: {error}",
            "a whole file",
            "Download or copy it again, or add --keep-partial to keep the articles before the damage.",
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
    encoding = _declared_encoding(content)
    with contextlib.suppress(LookupError, UnicodeError):
        return content.decode(_text_codec(encoding or "utf-8-sig"), errors="replace").lstrip()
    return content.decode("utf-8", errors="replace").lstrip()


def _text_codec(encoding: str) -> str:
    """Return the name of an encoding of text.

    Raises:
        LookupError: if there is none of that name; Python has other codecs too.
    """
    "".encode(encoding)
    return codecs.lookup(encoding).name


def _declared_encoding(start: bytes) -> str:
    """Return the encoding that a content's first bytes name, "" for UTF-8 and where they name none."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    declared = _DECLARATION.match(start.removeprefix(codecs.BOM_UTF8))
    encoding = declared[1].decode().lower() if declared else ""
    return "" if encoding in ("utf-8", "utf8", "us-ascii", "ascii") else encoding
