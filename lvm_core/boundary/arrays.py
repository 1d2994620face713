"""Arrays of NumPy from outside: what a .npy file says of itself, checked before a byte of the array is read.

The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, "Format Version 1.0" and "2.0".
"""

import math
import struct
import tokenize
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from lvm_core.boundary.files import open_regular
from lvm_core.errors import LvmError, SourceError

MOST_HEADER_BYTES = 10_000
BAD_HEADER = (tokenize.TokenError, SyntaxError, TypeError, RecursionError, MemoryError)
"""What Python's parser, by which NumPy reads headers, raises besides."""

DAMAGE = (*BAD_HEADER, ValueError, OverflowError, LookupError, EOFError, OSError, struct.error)


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, Fortran order and element type of the array that begins here; `file` stands at its first byte then.

    Raises:
        ValueError: or another of `DAMAGE`, if nothing of the kind begins here.
    """
    version = npy.read_magic(file)
    read: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file, max_header_size=MOST_HEADER_BYTES)
    if any(length < 0 for length in shape):
        raise ValueError(f"its shape is {shape}")
    return shape, fortran, dtype


def map_array(
    path: Path,
    dtype: DTypeLike,
    shape: tuple[int | None, ...],
    what: str,
    remedy: str,
    writable: bool = False,
    error: type[LvmError] = SourceError,
) -> NDArray[Any]:
    """Return the array in `path`, mapped from disk.

    Args:
        path: a .npy file.
        dtype: of its elements.
        shape: its lengths, None where any will do.
        what: how the message calls it.
        remedy: what the user can do.
        writable: whether what is written to the array goes to the file.
        error: whose mistake it is.

    Raises:
        LvmError: `error` if it is no regular file, no array of that type and shape, or not as long as it says.
    """
    lengths = ", ".join("any" if length is None else str(length) for length in shape)
    expected = f"a NumPy array of {np.dtype(dtype)}, shape ({lengths})"
    with open_regular(path, what, error=error) as file:
        try:
            there, fortran, kind = read_header(file)
        except DAMAGE as problem:
            raise error(
                f"{what} {path} cannot be read: {problem or 'its header is nested too deeply'}", expected, remedy
            ) from problem
        start, n_file = file.tell(), path.stat().st_size
    fits = len(there) == len(shape) and all(want in (None, got) for got, want in zip(there, shape, strict=True))
    if kind != np.dtype(dtype) or not fits:
        raise error(f"{what} {path} holds {kind} of shape {there}", expected, remedy)
    n_bytes = math.prod(there) * kind.itemsize
    if n_file - start != n_bytes:
        raise error(
            f"{what} {path} is cut short or has more behind it: {n_file - start:,} bytes of numbers",
            f"{n_bytes:,}, as its header says",
            remedy,
        )
    if not n_bytes:
        return np.empty(there, dtype=kind)
    return np.memmap(
        path, dtype=kind, mode="r+" if writable else "r", offset=start, shape=there, order="F" if fortran else "C"
    )
