"""No file, however it was made, ends an import in anything but a message, or takes more memory than vectors need."""

import contextlib
import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvm_core.errors import LvmError, SourceError
from lvm_core.exchange.npz.archive import open_npz
from lvm_core.exchange.npz.check import check_npz
from lvm_core.exchange.npz.convert import convert_objects
from lvm_core.exchange.npz.reading import contents_of
from tests.exchange.npz.worlds import ARTICLES, POSITIONS, TEXTS, TITLES, VECTORS, windows

CUT = windows()
FILES: dict[str, dict[str, Any]] = {
    "vectors": {"vectors": VECTORS, "concept_texts": TEXTS, "cpe_ids": TEXTS, "tmd_codes": np.arange(36),
                "article_indices": ARTICLES, "chunk_indices": POSITIONS, "article_titles": np.array(TITLES)},
    "windows": {"context_sequences": CUT.contexts, "target_vectors": CUT.targets, "doc_ids": CUT.articles,
                "positions": CUT.positions, "target_texts": TEXTS[: len(CUT.targets)], "p6_offset": 0},
    "splits": {"train_contexts": CUT.contexts, "train_targets": CUT.targets, "train_masks": np.tri(21, 5) > 0,
               "val_contexts": CUT.contexts, "val_targets": CUT.targets},
}  # fmt: skip
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def survives(path: Path) -> None:
    """Read, check and convert a file; each ends well or in a message for people."""

    def read() -> None:
        with open_npz(path) as arrays:
            for passage in contents_of(arrays).passages:
                assert len(passage.texts) == len(passage.vectors) == len(passage.ids) == len(passage.tmd)
                "".join(passage.texts).encode()
                assert passage.vectors.dtype == np.float32

    for action in (read, lambda: check_npz(path), lambda: convert_objects(path, path.with_name("out.npz"), True)):
        with contextlib.suppress(LvmError):
            action()


def packed(arrays: dict[str, Any], compress: bool = True) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(out, **arrays)
    return out.getvalue()


ODD_ARRAYS = st.sampled_from(
    [
        np.float32(3), np.zeros(0), np.zeros((0, 5, 16)), np.zeros((3, 0)), np.zeros((36, 16, 2)), np.zeros(36),
        np.full((36, 16), np.nan), np.full((36, 16), 1e300), np.zeros((36, 16), complex), np.array(["a", "b"]),
        np.array([b"\xff"] * 36), np.array(["\ud800"] * 36), np.zeros(36, "M8[s]"), np.zeros(36, "V3"),
        np.zeros(36, [("a", "f4"), ("b", "i4")]), np.array([None] * 36, dtype=object), np.arange(35), np.zeros(21),
        np.full(36, np.inf), np.full(36, 2**63, dtype=np.uint64), np.full(36, -(2**63)), np.array(["9" * 400] * 36),
        np.full((21, 5), False), np.asfortranarray(np.ones((36, 16), np.float16)), np.ones((36, 16), ">f8"),
    ]
)  # fmt: skip


@MANY
@given(layout=st.sampled_from(sorted(FILES)), data=st.data())
def test_arrays_of_any_kind_under_any_name(tmp_path: Path, layout: str, data: st.DataObject) -> None:
    arrays = dict(FILES[layout])
    for name in data.draw(st.lists(st.sampled_from(sorted(arrays)), min_size=1, max_size=3, unique=True)):
        if data.draw(st.booleans()):
            arrays[name] = data.draw(ODD_ARRAYS)
        else:
            del arrays[name]
    path = tmp_path / "odd.npz"
    path.write_bytes(packed(arrays))
    survives(path)


@MANY
@given(layout=st.sampled_from(sorted(FILES)), compress=st.booleans(), data=st.data())
def test_bytes_changed_anywhere(tmp_path: Path, layout: str, compress: bool, data: st.DataObject) -> None:
    content = bytearray(packed(FILES[layout], compress))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "changed.npz"
    path.write_bytes(bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))]))
    survives(path)
    path.write_bytes(bytes(content))
    survives(path)


def member(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode() + b"\n"
    size = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + size + text + data


HEADERS = [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': 'x'}",
    "{'descr': '<f4', 'fortran_order': False}",
    "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000000,)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': [('a', '<f4', (1000000,))], 'fortran_order': False, 'shape': (1,)}",
    "[" * 5_000,
    "(" * 90 + ")" * 90,
    "",
    "x" * 60_000,
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"])
def test_headers_of_any_kind(tmp_path: Path, header: str, version: bytes) -> None:
    path = tmp_path / "headers.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vectors.npy", member(header, bytes(64), version))
    survives(path)
    with open_npz(path) as arrays, pytest.raises(SourceError, match="The array 'vectors' of"):
        arrays["vectors"]


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    n = 40_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("vectors.npy", "w") as out:
        out.write(member(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, 768)}}"))
        for _ in range(n):
            out.write(bytes(4 * 768))
    assert path.stat().st_size < 1_000_000
    with (
        open_npz(path) as arrays,
        pytest.raises(SourceError, match=r"unpacks to 123 MB from 0\.1 MB; expected at most"),
    ):
        contents_of(arrays)


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    content = bytearray(packed({"vectors": VECTORS}, compress=False))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path = tmp_path / "secret.npz"
    path.write_bytes(bytes(content))
    survives(path)
    with (
        open_npz(path) as arrays,
        pytest.raises(SourceError, match="is encrypted; unpack the archive"),
    ):
        contents_of(arrays)


def test_large_arrays_are_mapped_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvm_core.exchange.npz.archive.IN_MEMORY_BYTES", 100)
    path = tmp_path / "large.npz"
    for compress in (True, False):
        path.write_bytes(packed(FILES["windows"], compress))
        with open_npz(path, tmp_path) as arrays:
            assert isinstance(arrays["context_sequences"], np.memmap)
            np.testing.assert_array_equal(arrays["context_sequences"], CUT.contexts)
            assert sum(len(passage.vectors) for passage in contents_of(arrays).passages) == len(VECTORS)
    assert list(tmp_path.iterdir()) == [path], "what was unpacked is gone"


def test_pipes_and_devices_are_refused_without_waiting() -> None:
    with pytest.raises(SourceError, match="/dev/zero is a device; expected a regular file"):
        check_npz(Path("/dev/zero"))
