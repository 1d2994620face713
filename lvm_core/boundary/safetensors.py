"""What a safetensors file holds, by its header alone: a shape of a terabyte costs nothing to refuse.

The format: 8 bytes with the header's length, little-endian; a JSON header; the tensors' bytes
(https://huggingface.co/docs/safetensors, "Format").
"""

import math
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvm_core.boundary.files import open_regular
from lvm_core.boundary.json_values import parse_json
from lvm_core.errors import LvmError, ModelError

if TYPE_CHECKING:
    from torch import Tensor

MOST_HEADER_BYTES = 100_000_000
"""The limit of the format's own library."""

ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: its element type as the format calls it, and its shape."""

    dtype: str
    shape: tuple[int, ...]


def tensors_in(path: Path, what: str = "The weights", error: type[LvmError] = ModelError) -> dict[str, TensorInfo]:
    """Return the tensors of a safetensors file by name.

    Raises:
        LvmError: `error` if it is no regular file, no safetensors file, or shorter or longer than its header says.
    """
    with open_regular(path, what, error=error) as file:
        n_file = path.stat().st_size
        n_header = struct.unpack("<Q", start)[0] if len(start := file.read(8)) == 8 else 0
        if not 2 <= n_header <= min(MOST_HEADER_BYTES, n_file - 8):
            raise error(*_refusal(what, path, "its header's length is none"))
        header = parse_json(file.read(n_header), f"The header of {path}", MOST_HEADER_BYTES, "Copy it anew.", error)
    if not isinstance(header, dict):
        raise error(*_refusal(what, path, "its header is no object"))
    header.pop("__metadata__", None)
    tensors: dict[str, TensorInfo] = {}
    end = 0
    for name, entry in header.items():
        info, offsets = _entry(entry)
        if info is None or not _fits(info, offsets):
            raise error(*_refusal(what, path, f"its entry '{name[:80]}' is damaged"))
        tensors[name] = info
        end = max(end, offsets[1])
    if end != n_file - 8 - n_header:
        raise error(
            *_refusal(what, path, f"it has {n_file - 8 - n_header:,} bytes of tensors, its header says {end:,}")
        )
    return tensors


def _entry(entry: Any) -> tuple[TensorInfo | None, tuple[int, int]]:
    """Return what an entry says, None where it is none."""
    if not isinstance(entry, dict):
        return None, (0, 0)
    dtype, shape, offsets = entry.get("dtype"), _whole(entry.get("shape")), _whole(entry.get("data_offsets"))
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES or shape is None or offsets is None or len(offsets) != 2:
        return None, (0, 0)
    return TensorInfo(dtype, shape), (offsets[0], offsets[1])


def _whole(value: Any) -> tuple[int, ...] | None:
    """Return a list of whole numbers, None where `value` is none."""
    is_one = isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)
    return tuple(value) if is_one else None


def _fits(info: TensorInfo, offsets: tuple[int, int]) -> bool:
    return offsets[1] - offsets[0] == math.prod(info.shape) * ITEM_BYTES[info.dtype]


def _refusal(what: str, path: Path, reason: str) -> tuple[str, str, str]:
    return f"{what} in {path} cannot be read: {reason}", "a whole safetensors file", "Copy it anew, or make it again."


def save_tensors(tensors: "dict[str, Tensor]", path: Path) -> None:
    """Write a safetensors file; a full disk is the OSError that every other writer raises.

    Raises:
        OSError: if the disk is full or the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(tensors, path)
    except SafetensorError as error:
        system = re.search(r"\(os error (\d+)\)", str(error))  # Rust's words for an errno
        if system is None:
            raise
        number = int(system[1])
        raise OSError(number, os.strerror(number), str(path)) from error
