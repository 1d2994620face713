import json
from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.workspace import Workspace
from tests.evaluate.worlds import make_corpus
from tests.leaderboard.rows import add


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lvm_core.checkpoint.SHIPPED", tmp_path / "models")
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "board.json")


def said(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> str:
    assert main([*words, "--workspace", str(workspace.root)]) == 0
    return capsys.readouterr().out


def test_an_empty_board_says_what_to_run(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing has been evaluated yet. Run:" in said(capsys, workspace, "leaderboard")
    assert json.loads(said(capsys, workspace, "leaderboard", "--json"))["rows"] == []


def test_what_was_evaluated_is_on_the_board(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    make_corpus(workspace, "toy", [24] * 30)
    table = said(capsys, workspace, "evaluate", "copy-last", "linear-filter", "--corpus", "toy")
    assert "toy, test: 57 windows of 3 articles" in table
    rows = json.loads(said(capsys, workspace, "leaderboard", "--json"))["rows"]
    assert [row["rank"] for row in rows] == [1, 2]
    assert {row["model"] for row in rows} == {"copy-last", "linear-filter"}


def test_rows_are_filtered_ranked_and_exported(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    add(workspace, "amn-1", 0.5, latency_ms=0.1)
    add(workspace, "gru-1", 0.6, latency_ms=0.2)
    add(workspace, "far-1", 0.7, corpus="elsewhere", comparable="k2")
    rows = json.loads(said(capsys, workspace, "leaderboard", "--corpus", "toy", "--by", "latency_ms", "--json"))["rows"]
    assert [row["model"] for row in rows] == ["amn-1", "gru-1"]
    assert said(capsys, workspace, "leaderboard", "--csv").startswith("model,")
    assert said(capsys, workspace, "leaderboard", "--markdown").count("### ") == 2
    assert main(["leaderboard", "--by", "beauty", "--workspace", str(workspace.root)]) == 2
    assert "no number 'beauty' to rank by; expected one of" in capsys.readouterr().err


def test_rows_of_a_model_are_deleted(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    add(workspace, "amn-1", 0.5)
    assert "1 rows of amn-1 deleted" in said(capsys, workspace, "leaderboard", "--delete", "amn-1")


def test_a_corpus_that_is_not_there_is_the_users_to_mend(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "all", "--corpus", "none", "--workspace", str(workspace.root)]) == 2
    assert "There is no corpus 'none'" in capsys.readouterr().err


def test_a_decoder_is_measured_by_itself_and_evaluate_needs_a_model(
    seeded: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(said(capsys, seeded, "evaluate", "--decoder", "extractive", "--json"))
    assert found["decoder"] == "extractive"
    assert {row["input"] for row in found["rows"]} == {"real vectors"}
    assert main(["evaluate", "--workspace", str(seeded.root)]) == 2
    assert "No model was named" in capsys.readouterr().err
