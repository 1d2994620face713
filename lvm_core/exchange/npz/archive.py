"""An NPZ file from outside: headers are read before a byte of the arrays, and large arrays wait on disk."""

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.arrays import BAD_HEADER, MOST_HEADER_BYTES, read_header
from lvm_core.boundary.files import open_regular, quoted
from lvm_core.errors import SourceError
from lvm_core.workspace import disk_errors, need_space

IN_MEMORY_BYTES = 64_000_000
"""Larger arrays are unpacked to a temporary file and mapped, so that memory stays small whatever the file's size."""

BOMB_BYTES, BOMB_RATIO = 64_000_000, 100
TEXT_RATIO = 900
"""How many times their packed size arrays may have: vectors hardly shrink, text of fixed width shrinks a lot."""

DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError,
          LookupError)  # fmt: skip
"""What reading a damaged archive raises."""

BLOCK_BYTES = 1 << 20

BEGINNINGS = (
    (b"version https://git-lfs", "a Git LFS pointer, which stands for the file; run `git lfs pull` where it came from"),
    (b"\x93NUMPY", "a single array (.npy); write it and its texts with np.savez, as `npz --help` says"),
    (b"\x1f\x8b", "a gzip file; unpack it with gunzip"),
    (b"BZh", "a bzip2 file; unpack it with bunzip2"),
    (b"\xfd7zXZ", "an xz file; unpack it with unxz"),
    (b"(\xb5/\xfd", "a Zstandard file; unpack it with unzstd"),
    (b"7z\xbc\xaf", "a 7-Zip file; unpack it"),
    (b"Rar!", "a RAR file; unpack it"),
    (b"\x89HDF", "an HDF5 file; save its arrays with np.savez"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file; save its columns with np.savez"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What the archive says of one array. `pickled`: it holds Python objects; `problem`: why it cannot be read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    fortran: bool
    n_bytes: int
    problem: str = ""

    @property
    def pickled(self) -> bool:
        return self.dtype is not None and self.dtype.hasobject

    def __str__(self) -> str:
        return f"{self.shape}, {self.dtype}"


class Archive(Mapping[str, NDArray[Any]]):
    """The arrays of an open NPZ by name; each is read, whole or mapped, when it is asked for."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, scratch: Path | None) -> None:
        self.path = path
        self._zip = archive
        self._scratch = scratch
        members = {info.filename: info for info in archive.infolist() if info.filename.endswith(".npy")}
        self._members = {name.removesuffix(".npy"): info for name, info in members.items()}
        self.headers = {name: self._header(info) for name, info in self._members.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def _header(self, info: zipfile.ZipInfo) -> Header:
        if info.flag_bits & 1:
            return Header((), None, False, 0, "is encrypted; unpack the archive with its password and pack it without")
        try:
            with self._zip.open(info) as file:
                return _checked(file, info)
        except NotImplementedError:
            problem = "is packed by a method that cannot be unpacked here; pack it anew with np.savez"
        except (*DAMAGE, *BAD_HEADER) as error:
            problem = f"is damaged ({error or 'its header is nested too deeply'})"
        return Header((), None, False, 0, problem)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array.

        Raises:
            KeyError: if there is none of that name.
            SourceError: if it is pickled, encrypted, damaged, or would unpack to far more than vectors can.
        """
        info, header = self._members[name], self.headers[name]
        if header.problem or header.dtype is None:
            raise SourceError(
                f"The array '{name}' of {self.path} {header.problem}",
                "an array as np.savez writes it",
                "Copy the file again if need be.",
            )
        if header.pickled:
            raise SourceError(
                f"The array '{name}' of {self.path} holds pickled Python objects, and loading a pickle can run any"
                " code in it",
                "plain numbers and texts",
                f"If you trust where it comes from, convert it once: python -m lvm_core npz convert {self.path}"
                " OUT.npz --trust-pickle",
            )
        most = BOMB_RATIO if header.dtype.kind not in "US" else TEXT_RATIO
        if header.n_bytes > BOMB_BYTES and info.file_size > most * info.compress_size:
            raise SourceError(
                f"The array '{name}' of {self.path} unpacks to {header.n_bytes / 1e6:,.0f} MB from"
                f" {info.compress_size / 1e6:,.1f} MB",
                f"at most {most} times, since vectors do not shrink further",
                "It holds one value over and over: write the file again, without that array.",
            )
        try:
            return self._read(info, header)
        except DAMAGE as error:
            raise SourceError(
                f"The array '{name}' of {self.path} cannot be read ({error})",
                "a whole file",
                "It is damaged or truncated: copy it again from where it came.",
            ) from error

    def _read(self, info: zipfile.ZipInfo, header: Header) -> NDArray[Any]:
        assert header.dtype is not None
        order: Any = "F" if header.fortran else "C"
        with self._zip.open(info) as file:
            file.read(info.file_size - header.n_bytes)  # not a seek, which would leave the checksum out
            if header.n_bytes <= IN_MEMORY_BYTES:
                data = file.read()
                return np.frombuffer(data, dtype=header.dtype).reshape(header.shape, order=order)
            folder = self._scratch or Path(tempfile.gettempdir())
            need_space(folder, header.n_bytes)
            with tempfile.TemporaryFile(dir=folder) as copy:
                while block := file.read(BLOCK_BYTES):
                    with disk_errors(folder):
                        copy.write(block)
                with disk_errors(folder):
                    copy.flush()
                return np.memmap(copy, dtype=header.dtype, mode="r", shape=header.shape, order=order)


def _checked(file: IO[bytes], info: zipfile.ZipInfo) -> Header:
    """Return the header of one array, after seeing that the archive has as many bytes as it says."""
    head = io.BytesIO(file.read(MOST_HEADER_BYTES + 12))
    shape, fortran, dtype = read_header(head)
    if dtype.hasobject:
        return Header(shape, dtype, fortran, 0)
    n_bytes = dtype.itemsize
    for length in shape:
        n_bytes *= length
    n_there = info.file_size - head.tell()
    if n_bytes != n_there:
        return Header(shape, dtype, fortran, 0, f"says {shape}, {dtype}, which is not the {n_there:,} bytes it has")
    return Header(shape, dtype, fortran, n_bytes)


@contextmanager
def open_npz(path: Path, scratch: Path | None = None) -> Iterator[Archive]:
    """Give the arrays of an NPZ file.

    Args:
        path: the file.
        scratch: folder for what does not fit into memory; the system's own for temporary files by default.

    Raises:
        SourceError: if the file is missing, truncated, or not an NPZ; the message says what it is.
    """
    with open_regular(path, "The NPZ file") as raw:
        beginning = raw.read(512)
        raw.seek(0)
        if not beginning.startswith(b"PK"):
            kind, remedy = _kind_of(beginning)
            raise SourceError(f"{path} is no NPZ but {kind}", "what np.savez writes", remedy)
        try:
            archive = zipfile.ZipFile(raw)
        except (*DAMAGE, NotImplementedError) as error:
            raise SourceError(
                f"{path} cannot be read ({error})",
                "a whole NPZ",
                "It is damaged or truncated: copy it again from where it came.",
            ) from error
        with archive:
            yield Archive(path, archive, scratch)


def _kind_of(beginning: bytes) -> tuple[str, str]:
    """Return what a file is that begins with these bytes, and what to do."""
    again = "Copy it again from where it came, or write its arrays with np.savez."
    if not beginning:
        return "an empty file", again
    for start, kind in BEGINNINGS:
        if beginning.startswith(start):
            name, _, remedy = kind.partition("; ")
            return name, f"{remedy[:1].upper()}{remedy[1:]}." if remedy else again
    text = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"<":
        return "a web page or XML, such as the answer of a server that refused", "Download it again."
    if beginning[:1] == b"\x80" and beginning[1:2] in b"\x02\x03\x04\x05":
        return "a Python pickle", "Save its arrays with np.savez where you made it."
    if b"\0" in beginning:
        return f"a file that begins with {beginning[:8].hex(' ')}", again
    line = text.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    return f"a text that begins with {quoted(line, 40)}", again
