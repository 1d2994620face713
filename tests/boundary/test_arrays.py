"""Arrays of NumPy from outside: whatever a file says of itself, it is an array as wanted or a refusal."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvm_core.boundary.arrays import map_array
from lvm_core.errors import ModelError, SourceError

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WHOLE = np.arange(12, dtype=np.float16).reshape(4, 3)
HEADERS = [
    "{'descr':'<f2','fortran_order':False,'shape':(1000000000000000,3)}",
    "{'descr':'<f2','fortran_order':False,'shape':(-4,-3)}",
    "{'descr':'|O','fortran_order':False,'shape':(4,3)}",
    "{'descr':'<f4','fortran_order':False,'shape':(4,3)}",
    "{'descr':'<f2','fortran_order':False,'shape':(4,'x')}",
    "{'descr':'<f9','fortran_order':3,'shape':(4,3)}",
    "{'descr':'<U99999999','fortran_order':False,'shape':(4,3)}",
    "{'descr':'<f2','fortran_order':False,'shape':(12,)}",
    "(" * 3000,
    "{",
    "",
]


def opened(path: Path, **given_: bool) -> np.ndarray:
    return map_array(path, np.float16, (None, 3), "The numbers", "Make them again.", **given_)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    np.save(tmp_path / "a.npy", WHOLE)
    return tmp_path / "a.npy"


def test_an_array_is_mapped_and_can_be_written(whole: Path) -> None:
    assert np.array_equal(opened(whole), WHOLE)
    there = opened(whole, writable=True)
    there[0, 0] = 7
    there.flush()
    assert np.load(whole)[0, 0] == 7
    np.save(whole, np.asfortranarray(WHOLE))
    assert np.array_equal(opened(whole), WHOLE)
    np.save(whole, WHOLE[:0])
    assert opened(whole).shape == (0, 3)


@pytest.mark.parametrize("header", HEADERS)
def test_any_header_is_refused_before_a_byte_is_read(whole: Path, header: str) -> None:
    body = whole.read_bytes()[128:]
    whole.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body)
    with pytest.raises(SourceError, match=r"The numbers .*a\.npy .*; expected (a NumPy array of float16|6,000).* Make"):
        opened(whole)


@given(st.integers(0, 200), st.binary(max_size=4), st.integers(0, 4))
@QUICK
def test_any_change_of_bytes_is_an_array_or_a_refusal(whole: Path, at: int, new: bytes, gone: int) -> None:
    np.save(whole, WHOLE)
    data = whole.read_bytes()
    whole.write_bytes(data[:at] + new + data[at + gone :])
    try:
        assert opened(whole).shape[1] == 3
    except SourceError as error:
        assert "Make them again" in str(error)  # noqa: PT017


def test_what_is_no_file_or_of_another_length_is_named(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(ModelError, match="23 bytes of numbers; expected 24"):
        map_array(whole, np.float16, (4, 3), "The numbers", "Make them again.", error=ModelError)
    whole.unlink()
    os.mkfifo(whole)
    with pytest.raises(SourceError, match="is a pipe"):
        opened(whole)
