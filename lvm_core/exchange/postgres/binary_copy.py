"""PostgreSQL's binary COPY format (PostgreSQL manual, COPY, "Binary Format"), which psycopg2 leaves to its callers.

`real[]` by INSERT moves some 230 rows/s, by binary COPY thousands: this is where an import's time goes.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, Vector

from lvm_core.errors import SourceError
from lvm_core.types import Vectors

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
FLOAT4_OID = 700
_SIZE = struct.Struct(">i")
_FIELDS = struct.Struct(">h")


def pack_real_array(vectors: Vectors) -> list[bytes]:
    """Return each row of (n, D) as a binary `real[]`: one dimension, no NULLs, lower bound 1."""
    n, dim = vectors.shape
    head = struct.pack(">iiiii", 1, 0, FLOAT4_OID, dim, 1)
    cells = np.empty((n, dim), dtype=[("size", ">i4"), ("value", ">f4")])
    cells["size"] = 4
    cells["value"] = vectors
    return [head + row.tobytes() for row in cells]


class NullElement(ValueError):
    """An array has an element that is NULL, so it is no vector."""


def unpack_array(data: bytes, width: int = 4) -> NDArray[np.float32]:
    """Return a binary array of floats of `width` bytes as (D,), whatever its lower bounds.

    Raises:
        NullElement: if an element is NULL.
    """
    n_dims, has_null, _ = struct.unpack_from(">iii", data)
    if has_null:
        raise NullElement
    if n_dims == 0:
        return np.empty(0, dtype=np.float32)
    cells = np.frombuffer(data, dtype=[("size", ">i4"), ("value", f">f{width}")], offset=12 + 8 * n_dims)
    with np.errstate(over="ignore"):
        return cells["value"].astype(np.float32)


PACK: dict[str, Callable[[Vectors], list[bytes]]] = {
    "real[]": pack_real_array,
    "vector": lambda vectors: [Vector(row).to_binary() for row in vectors],
    "halfvec": lambda vectors: [HalfVector(row).to_binary() for row in vectors],
}
UNPACK: dict[str, Callable[[bytes], NDArray[np.float32]]] = {
    "real[]": unpack_array,
    "double precision[]": lambda data: unpack_array(data, 8),
    "vector": lambda data: Vector.from_binary(data).to_numpy(),
    "halfvec": lambda data: HalfVector.from_binary(data).to_numpy().astype(np.float32),
}


def pack_rows(columns: Sequence[Sequence[bytes | None]]) -> bytes:
    """Return rows in binary COPY format from columns of packed values; None is NULL."""
    n_fields = _FIELDS.pack(len(columns))
    parts: list[bytes] = []
    for row in zip(*columns, strict=True):
        parts.append(n_fields)
        for value in row:
            if value is None:
                parts.append(b"\xff\xff\xff\xff")
            else:
                parts.append(_SIZE.pack(len(value)))
                parts.append(value)
    return b"".join(parts)


class CopyStream:
    """A readable file that makes binary COPY data block by block: what `copy_expert` reads from."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._buffer = bytearray(HEADER)
        self._open = True

    def read(self, size: int = -1) -> bytes:
        while self._open and (size < 0 or len(self._buffer) < size):
            block = next(self._blocks, None)
            if block is None:
                self._buffer += TRAILER
                self._open = False
            else:
                self._buffer += block
        if size < 0:
            size = len(self._buffer)
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


class CopyReader:
    """A writable file that takes binary COPY data and hands each row, a list of fields, to `row`."""

    def __init__(self, row: Callable[[list[bytes | None]], Any]) -> None:
        self._row = row
        self._buffer = bytearray()
        self._header = True
        self.finished = False

    def write(self, data: bytes) -> int:
        self._buffer += data
        at = 0
        if self._header:
            if len(self._buffer) < len(HEADER):
                return len(data)
            if bytes(self._buffer[:11]) != HEADER[:11]:
                raise SourceError(
                    "The server sent something else",
                    "binary COPY data",
                    "Is something between you and PostgreSQL? Connect to it directly.",
                )
            extension = _SIZE.unpack_from(self._buffer, 15)[0]
            at = len(HEADER) + extension
            self._header = False
        while not self.finished:
            end = self._parse(at)
            if end is None:
                break
            at = end
        del self._buffer[:at]
        return len(data)

    def _parse(self, at: int) -> int | None:
        """Hand on the row at `at` and return where the next one starts; None if it is not whole yet."""
        buffer, size = self._buffer, len(self._buffer)
        if at + 2 > size:
            return None
        n_fields = _FIELDS.unpack_from(buffer, at)[0]
        at += 2
        if n_fields < 0:
            self.finished = True
            return at
        fields: list[bytes | None] = []
        for _ in range(n_fields):
            if at + 4 > size:
                return None
            length = _SIZE.unpack_from(buffer, at)[0]
            at += 4
            if length < 0:
                fields.append(None)
                continue
            if at + length > size:
                return None
            fields.append(bytes(buffer[at : at + length]))
            at += length
        self._row(fields)
        return at
