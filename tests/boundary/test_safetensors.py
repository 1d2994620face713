"""A weights file says what it holds; damage of any kind is refused before its tensors are read."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from lvm_core.boundary.safetensors import TensorInfo, save_tensors, tensors_in
from lvm_core.errors import ModelError

SOUND = save({"a": np.zeros((2, 3), np.float32), "b": np.ones(4, np.float16)})


def file_of(folder: Path, header: object, n_bytes: int) -> Path:
    text = json.dumps(header).encode()
    (folder / "w").write_bytes(struct.pack("<Q", len(text)) + text + bytes(n_bytes))
    return folder / "w"


def test_it_gives_names_types_and_shapes(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(SOUND)
    assert tensors_in(tmp_path / "w") == {"a": TensorInfo("F32", (2, 3)), "b": TensorInfo("F16", (4,))}


@pytest.mark.parametrize(
    ("header", "n_bytes", "message"),
    [
        ([], 0, "its header is no object"),
        ({"a": 1}, 0, "its entry 'a' is damaged"),
        ({"a": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4]}}, 4, "its entry 'a' is damaged"),
        ({"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}, 4, "its entry 'a' is damaged"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, 4, "has 4 bytes of tensors, its header says 8"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path: Path, header: object, n_bytes: int, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        tensors_in(file_of(tmp_path, header, n_bytes))


@given(st.integers(0, len(SOUND)), st.integers(0, len(SOUND) - 1), st.integers(0, 255))
@settings(max_examples=500, deadline=None)
def test_any_cut_and_any_changed_byte_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, length: int, place: int, byte: int
) -> None:
    data = bytearray(SOUND)
    data[place] = byte
    path = tmp_path_factory.getbasetemp() / "mutant.safetensors"
    path.write_bytes(bytes(data[:length]))
    try:
        tensors_in(path)
    except ModelError as error:
        assert "Copy" in str(error) or "Delete" in str(error)  # noqa: PT017


def test_a_full_disk_is_the_error_of_every_other_writer(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    torch = pytest.importorskip("torch")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_tensors({"weight": torch.zeros(5000)}, tmp_path / "model.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
