"""What stands behind a row: its articles, and the same model on other tests."""

import contextlib

import pytest

from lvm_core.database import connect
from lvm_core.evaluate.measures import MEASURES
from lvm_core.leaderboard import board, verdict
from lvm_core.leaderboard.breakdown import by_article, over_tests
from lvm_core.workspace import Workspace
from tests.leaderboard.rows import N_ARTICLES, N_WINDOWS, add

COSINE = MEASURES["cosine"]


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "none.json")


def test_values_by_article_average_to_the_row(workspace: Workspace) -> None:
    rows = {name: add(workspace, name, cosine) for name, cosine in (("amn-1", 0.51), ("gru-1", 0.5))}
    articles = by_article(workspace, rows, COSINE)
    assert [(article.title, article.n_windows) for article in articles][:2] == [
        ("Article 0", N_WINDOWS),
        ("Article 1", 20),
    ]
    assert len(articles) == N_ARTICLES
    for name, row in rows.items():
        mean = sum(article.values[name] * article.n_windows for article in articles) / (N_ARTICLES * N_WINDOWS)
        assert mean == pytest.approx(row.values["cosine"], abs=1e-6)


def test_a_row_whose_sums_are_damaged_is_left_out_and_has_no_difference(workspace: Workspace) -> None:
    rows = {name: add(workspace, name, 0.5) for name in ("amn-1", "gru-1", "lstm-1")}
    with contextlib.closing(connect(workspace)) as db:
        db.execute("UPDATE results SET articles = '{}' WHERE model = 'gru-1'")
    assert set(by_article(workspace, rows, COSINE)[0].values) == {"amn-1", "lstm-1"}
    pairs = verdict.pairs(workspace, rows)
    assert [(pair.one, pair.other, pair.difference is None) for pair in pairs] == [
        ("amn-1", "gru-1", True), ("amn-1", "lstm-1", False), ("gru-1", "lstm-1", True),
    ]  # fmt: skip


def test_the_mean_over_tests_counts_each_once_and_needs_them_all(workspace: Workspace) -> None:
    add(workspace, "amn-1", 0.4)
    add(workspace, "amn-1", 0.6, comparable="k2", n_windows=99_000)
    add(workspace, "gru-1", 0.9)
    first, second = over_tests(board.groups(board.all_rows(workspace)), COSINE)
    assert (first.model, first.mean) == ("amn-1", pytest.approx(0.5))
    assert first.values == {"k1": 0.4, "k2": 0.6}
    assert (second.model, second.mean, second.values) == ("gru-1", None, {"k1": 0.9})
