import json
import time
from pathlib import Path

import pytest

from lvm_core.errors import ModelError
from lvm_core.leaderboard import board
from lvm_core.workspace import Workspace
from tests.leaderboard.rows import add, make_row


@pytest.fixture(autouse=True)
def no_shipped_board(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "board.json"
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", path)
    return path


def test_rows_are_ranked_within_their_group_only(workspace: Workspace) -> None:
    add(workspace, "amn-1", 0.51)
    add(workspace, "gru-1", 0.53)
    add(workspace, "lstm-1", 0.99, comparable="another test", n_windows=10)
    first, second = board.groups(board.all_rows(workspace))
    assert [(row.rank, row.model) for row in first.rows] == [(1, "gru-1"), (2, "amn-1")]
    assert [(row.rank, row.model) for row in second.rows] == [(1, "lstm-1")]


def test_rows_of_two_tests_are_never_ranked_together() -> None:
    rows = [make_row("a", 0.5)[0], make_row("b", 0.6, comparable="another test")[0]]
    with pytest.raises(ModelError, match="different windows or against different indexes"):
        board.ranked_rows(rows)


def test_ranking_by_a_cost_puts_the_smallest_first_and_the_unmeasured_last() -> None:
    rows = [make_row("a", 0.5, latency_ms=3.0)[0], make_row("b", 0.5, latency_ms=1.0)[0]]
    rows.append(make_row("c", 0.5, latency_ms=None)[0])
    assert [row.model for row in board.ranked_rows(rows, "latency_ms")] == ["b", "a", "c"]


def test_overlap_with_the_best_is_noted() -> None:
    rows = [
        make_row("a", 0.50, cosine_ci=[0.48, 0.52])[0],
        make_row("b", 0.51, cosine_ci=[0.49, 0.53])[0],
        make_row("c", 0.40, cosine_ci=[0.38, 0.42])[0],
    ]
    assert [row.level_with_best for row in board.ranked_rows(rows)] == [True, True, False]


def test_the_front_holds_what_nothing_else_beats_in_both() -> None:
    values = {"slow best": (0.53, 3.0), "fast": (0.50, 0.1), "beaten": (0.49, 0.2), "middle": (0.52, 1.0)}
    rows = [make_row(name, cosine, latency_ms=ms)[0] for name, (cosine, ms) in values.items()]
    rows.append(make_row("unmeasured", 0.9, latency_ms=None)[0])
    assert [row.model for row in board.front(rows)] == ["fast", "middle", "slow best"]


def test_a_shipped_board_shows_until_the_model_is_evaluated_here(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, "amn", 0.51, shipped=True)
    add(workspace, "mine-1", 0.52)
    assert board.ship(workspace, tmp_path / "board.json") == 1
    newcomer = Workspace(tmp_path / "new")
    (row,) = board.all_rows(newcomer)
    assert (row.model, row.shipped_result) == ("amn", True)
    assert board.row_articles(newcomer, row).to_json()["n"] == [20] * 30
    add(newcomer, "amn", 0.49)
    (row,) = board.all_rows(newcomer)
    assert row.values["cosine"] == 0.49


def test_shipping_again_writes_the_same_file(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, "b", 0.51, shipped=True)
    add(workspace, "a", 0.52, shipped=True)
    board.ship(workspace, tmp_path / "one.json")
    board.ship(workspace, tmp_path / "two.json")
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one.json", "two.json"))
    assert one == two
    assert [row["model"] for row in one["rows"]] == ["a", "b"]


def test_shipping_overwrites_a_board_and_nothing_else(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, "a", 0.5, shipped=True)
    path = tmp_path / "thesis.json"
    path.write_text('{"chapter": 1}')
    with pytest.raises(ModelError, match=r"thesis.json holds no board and would be overwritten"):
        board.ship(workspace, path)
    assert path.read_text() == '{"chapter": 1}'


def test_two_hundred_models_are_ranked_well_within_a_second(workspace: Workspace) -> None:
    for number in range(200):
        add(workspace, f"amn-{number}", 0.4 + number / 1000)
    began = time.perf_counter()
    (group,) = board.groups(board.all_rows(workspace))
    assert len(group.rows) == 200
    assert len(board.front(group.rows)) == 1
    assert time.perf_counter() - began < 0.5
