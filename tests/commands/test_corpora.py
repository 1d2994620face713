"""`corpora`: what is there, and deleting only with a yes."""

import json
from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.workspace import Workspace
from tests.corpus.makers import read_in, write_lines


def test_list_and_delete(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--workspace", str(workspace.root)]
    assert main(["corpora", *at]) == 0
    assert "ingest enwiki-sample" in capsys.readouterr().out
    read_in(workspace, write_lines(tmp_path / "a.jsonl", ["A", "B"]))
    assert main(["corpora", *at]) == 0
    assert "tiny: 2 articles, 12 chunks (sentence)" in capsys.readouterr().out
    assert main(["corpora", "--delete", "tiny", *at]) == 2
    assert "12 chunks and their vectors for good; expected a yes to that. Add --yes" in capsys.readouterr().err
    assert main(["corpora", "--delete", "tiny", "--yes", "--json", *at]) == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": "tiny", "corpora": []}
