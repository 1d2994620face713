"""Paths that no disk takes, disks that are full, and files that killed processes left."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError

from lvm_core.errors import LvmError, WorkspaceError
from lvm_core.workspace import (
    LEFT_OVER_AFTER_S,
    Workspace,
    disk_errors,
    need_space,
    read_json,
    replacing,
    slug,
    write_text,
)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("~nosuchuser/x", "The workspace '~nosuchuser/x' cannot be used: Could not determine home"),
        ("a\0b", "NUL character"),
        ("x" * 300, "has a name of 300 bytes"),
    ],
)
def test_a_workspace_that_no_disk_takes_is_refused(root: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkspaceError, match=message):
        Workspace(root)
    if "\0" not in root:
        monkeypatch.setenv("LVM_WORKSPACE", root)
        with pytest.raises(WorkspaceError, match=message):
            Workspace()


def test_a_file_and_a_circle_of_links_are_no_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(WorkspaceError, match="is a file; expected a folder"):
        Workspace(tmp_path / "file")
    with pytest.raises(WorkspaceError, match=r"cannot be used: .*(loop|levels)"):
        Workspace(tmp_path / "loop")
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "loop"))
    with pytest.raises(WorkspaceError, match=r"LVM_CACHE .* cannot be used"):
        Workspace.cache()


def test_an_empty_setting_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for value in ("", "  "):
        monkeypatch.setenv("LVM_WORKSPACE", value)
        assert Workspace().root == Workspace("").root == tmp_path / "workspace"


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_name_is_a_safe_file_name(name: str) -> None:
    safe = slug(name)
    assert 0 < len(safe) <= 160
    assert "/" not in safe
    assert safe not in (".", "..")
    assert Workspace("/tmp/w").run(name).parent == Path("/tmp/w/runs")


def test_long_names_stay_different() -> None:
    assert slug("a" * 500) != slug("a" * 501)
    assert slug("amn-1") == "amn-1"


def test_a_full_disk_is_said_once_whoever_found_it_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_text("the last checkpoint")
    for problem in (
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        OSError(28, "No space left on device"),
    ):
        message = r"The disk of .*weights is full: .*Free some space and run the same"
        with pytest.raises(WorkspaceError, match=message), replacing(path):
            raise problem
    assert path.read_text() == "the last checkpoint"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(WorkspaceError, match="is full"), disk_errors(path):
        Path("/dev/full").write_text("x")
    with pytest.raises(ValueError, match="a fault of ours"), disk_errors(path):
        raise ValueError("a fault of ours")


def test_what_lies_in_the_cache_is_moved_by_the_setting_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        WorkspaceError, match=r"Cannot write .*file.*choose another folder for derived files with LVM_C"
    ):
        Workspace(tmp_path).make(Workspace.cache() / "converted")
    with pytest.raises(WorkspaceError, match="choose another workspace with --workspace"):
        need_space(tmp_path, 1 << 60)


def test_what_killed_processes_left_is_told_from_what_is_being_written(workspace: Workspace) -> None:
    old, new = (workspace.run("r") / f".{name}.abc.tmp" for name in ("old", "new"))
    for path in (old, new, workspace.run("r") / "kept.tmp"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    past = time.time() - LEFT_OVER_AFTER_S - 1
    os.utime(old, (past, past))
    assert workspace.left_over() == [old]


@given(st.binary(max_size=60) | st.sampled_from([b"[" * 5_000, b"1" * 5_000, b'{"a": NaN}', b"\xef\xbb\xbf[]"]))
@settings(max_examples=300, deadline=None)
def test_any_file_is_json_or_a_clear_refusal(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(data)
    try:
        read_json(path)
    except LvmError as error:
        assert "Delete it, or restore it from a copy" in str(error)  # noqa: PT017


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to a device"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    path.mkdir() if kind == "folder" else os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/null")
    with pytest.raises(WorkspaceError, match="is no regular file; expected one, or a name that is free"):
        write_text(path, "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
    assert not path.is_file()
