"""Only regular files come in, of a bounded size, and no path makes a traceback."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm_core.boundary.files import inside, is_folder, is_regular, open_regular, read_bytes, regular_file, user_path
from lvm_core.errors import LvmError, ModelError, SourceError


def test_a_regular_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_bytes(tmp_path / "a") == read_bytes(tmp_path / "link") == b"text"
    assert regular_file(tmp_path / "a", most_bytes=4) == tmp_path / "a"
    assert is_regular(tmp_path / "link")
    assert is_folder(tmp_path)


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pipe", "pipe is a pipe; expected a regular file"),
        ("zero", "zero is a device; expected a regular file"),
        ("folder", "is a folder; expected a regular file"),
        ("loop", "cannot be read: Too many levels"),
        ("nowhere", "does not exist; expected a file. Check the name"),
        ("large", r"has 2.0 MB; expected at most 1.0 MB"),
        ("x" * 300, "cannot be read: File name too long"),
        ("a\0b", "cannot be read"),
    ],
)
def test_everything_else_is_refused_at_once(strange: Path, name: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_regular(strange / name, "The source", 1_000_000)
    with pytest.raises(ModelError, match=message):
        regular_file(strange / name, "The weights", 1_000_000, ModelError)
    if name != "large":
        assert not is_regular(strange / name)


@pytest.mark.parametrize(
    ("given_path", "message"),
    [
        ("", "is empty; expected the name of a file"),
        ("  ", "is empty"),
        ("~nosuchuser/x.xml", "cannot be used: Could not determine home"),
        ("a\0b", "NUL character"),
        ("/tmp/" + "y" * 300, "a name of 300 bytes; expected at most 255"),
    ],
)
def test_a_path_that_no_disk_takes_is_a_clear_refusal(given_path: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        user_path(given_path, "LVM_WORKSPACE")


def test_a_circle_of_links_is_refused_as_a_path(strange: Path) -> None:
    with pytest.raises(SourceError, match=r"Symlink loop|Too many levels"):
        user_path(strange / "loop" / "x")


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_path_or_a_refusal(text: str) -> None:
    try:
        assert user_path(text).is_absolute()
    except LvmError as error:
        assert str(error).isprintable() or "\n" in text or not text.isprintable()  # noqa: PT017


def test_a_path_stays_inside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to("/etc")
    assert inside(tmp_path / "root", tmp_path / "root" / "a" / ".." / "b") == tmp_path / "root" / "b"
    for path in ("../x", "link/passwd", "/etc/passwd"):
        with pytest.raises(SourceError, match="leads out of"):
            inside(tmp_path / "root", tmp_path / "root" / path)
