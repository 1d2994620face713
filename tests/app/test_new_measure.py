"""A new measure is one line of MEASURES: evaluation, stored results, board, comparison and exports show it."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from lvm_core.__main__ import main
from lvm_core.evaluate.measures import MEASURES, Measure
from lvm_core.workspace import Workspace
from tests.app.conftest import Open, shown, table
from tests.evaluate.worlds import make_corpus

TOY = Measure(
    "first_axis", "first axis", ".3f", "How far a prediction points along the first axis",
    lambda answers: np.abs(answers.predictions[:, 0]).astype(np.float64), paired=True, matters=1e-3,
)  # fmt: skip


@pytest.fixture
def evaluated(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workspace:
    """Return a workspace in which two rules were evaluated with one more measure."""
    monkeypatch.setattr("lvm_core.checkpoint.SHIPPED", tmp_path / "models")
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "board.json")
    monkeypatch.setitem(MEASURES, TOY.name, TOY)
    make_corpus(workspace, "toy", [24] * 30)
    assert main(["evaluate", "copy-last", "context-mean", "--corpus", "toy", "--workspace", str(workspace.root)]) == 0
    return workspace


def printed(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> str:
    assert main([*words, "--workspace", str(workspace.root)]) == 0
    return capsys.readouterr().out


def test_it_is_evaluated_ranked_and_exported(evaluated: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert "first axis" in printed(capsys, evaluated, "evaluate", "copy-last", "--corpus", "toy")
    (row,) = json.loads(printed(capsys, evaluated, "evaluate", "copy-last", "--corpus", "toy", "--json"))["rows"]
    low, high = row["first_axis_ci"]
    assert 0 < low <= row["first_axis"] <= high < 1
    rows = json.loads(printed(capsys, evaluated, "leaderboard", "--by", "first_axis", "--json"))["rows"]
    assert rows[0]["first_axis"] >= rows[1]["first_axis"]
    table = list(csv.DictReader(io.StringIO(printed(capsys, evaluated, "leaderboard", "--csv"))))
    assert {float(line["first_axis"]) for line in table} == {one["first_axis"] for one in rows}
    assert "| first axis |" in printed(capsys, evaluated, "leaderboard", "--markdown")


def test_it_is_a_column_of_the_board_and_a_line_of_the_comparison(evaluated: Workspace, open_page: Open) -> None:
    app = open_page(evaluated, "leaderboard")
    assert "first axis" in table(app, "board-table").columns
    app.multiselect(key="leaderboard:models").set_value(["copy-last", "context-mean"]).run()
    assert not app.exception
    text = shown(app)
    assert TOY.meaning in text
    compared = text[text.index("copy-last − context-mean") :]
    line = compared[compared.index("first axis") :]
    assert re.search(r"[+-]0\.\d+ \[[+-]?", line[: line.index("</tr>")]), "it is paired, so the two rows are compared"
