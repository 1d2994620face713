"""The Leaderboard page, empty and with rows: answers in words, ranks, compares, promotes, deletes."""

import time
from pathlib import Path

import pytest

from lvm_core.evaluate.results import ResultStore
from lvm_core.evaluate.rows import Example
from lvm_core.leaderboard import production
from lvm_core.workspace import Workspace
from tests.app.conftest import Open, press, shown
from tests.leaderboard.rows import add, make_row

EXAMPLE = Example.read({
    "window": 3, "article": "Apollo 11", "position": 9, "context": ["One <b>chunk</b>."], "n_context": 1,
    "target": "The Eagle has landed.", "text": "A landing was made.", "method": "extractive", "steps": 0, "cosine": 0.5,
    "snapped_cosine": 0.4, "round_trip_cosine": 0.9, "rouge_1": 0.2, "rouge_2": 0.1, "rouge_l": 0.2, "bleu": 0.05,
    "timings_ms": {"encode": 1.0, "predict": 2.0, "snap": 3.0, "decode": 4.0, "total": 10.0},
})  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lvm_core.checkpoint.SHIPPED", tmp_path / "models")
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "board.json")


def fill(workspace: Workspace) -> None:
    add(workspace, "amn-1", 0.512, latency_ms=0.4)
    add(workspace, "gru-1", 0.509, latency_ms=2.0)
    add(workspace, "linear-filter-5", 0.504, net="linear-filter", latency_ms=0.2)
    add(workspace, "copy-last", 0.4, net="copy-last", latency_ms=0.01, recall_at_5=0.3)


def test_an_empty_board_offers_the_first_evaluation(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "leaderboard")
    assert not app.exception
    assert "Nothing has been evaluated yet" in shown(app)
    assert "python -m lvm_core evaluate all --corpus enwiki-sample" in shown(app)


def test_an_empty_workspace_sends_to_the_corpus_first(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace, "leaderboard")
    assert not app.exception
    assert "needs an encoded corpus first" in shown(app)


def test_the_board_answers_in_words_and_ranks(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    app = open_page(workspace, "leaderboard")
    assert not app.exception
    text = shown(app)
    assert "amn-1 predicts the next chunk better than linear-filter-5, the best trivial rule here" in text
    frame = app.dataframe[0].value
    assert list(frame["model"]) == ["amn-1", "gru-1", "linear-filter-5", "copy-last"]
    assert list(frame["#"]) == [1, 2, 3, 4]


def test_filters_and_rankings_change_the_table(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    app = open_page(workspace, "leaderboard")
    app.selectbox(key="board_by").set_value("latency_ms").run()
    assert app.dataframe[0].value["model"].iloc[0] == "copy-last"
    app.text_input(key="board_words").set_value("GRU").run()
    assert list(app.dataframe[0].value["model"]) == ["gru-1"]
    app.text_input(key="board_words").set_value("nothing").run()
    assert "No model passes the filter" in shown(app)
    assert not app.exception


def test_two_models_stand_side_by_side_with_the_same_windows(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    store = ResultStore(workspace)
    for model in ("amn-1", "gru-1"):
        row, articles = make_row(model, 0.51)
        store.save(row, articles, [EXAMPLE])
    app = open_page(workspace, "leaderboard")
    app.multiselect(key="board_chosen").set_value(["amn-1", "gru-1"]).run()
    assert not app.exception
    text = shown(app)
    assert "The Eagle has landed." in text
    assert text.count("A landing was made.") == 2
    assert "One &lt;b&gt;chunk" in text
    assert "amn-1 − gru-1 [95 %]" in text


def test_tests_that_cannot_be_compared_are_chosen_between(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    add(workspace, "far-1", 0.9, comparable="another test", corpus="elsewhere")
    app = open_page(workspace, "leaderboard")
    assert "far-1" not in list(app.dataframe[0].value["model"])
    app.selectbox(key="board_group").set_value("another test").run()
    assert list(app.dataframe[0].value["model"]) == ["far-1"]
    assert "No trivial rule was measured on this test yet" in shown(app)


def test_deleting_asks_first_and_then_takes_the_row_off(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    app = open_page(workspace, "leaderboard")
    app.multiselect(key="board_chosen").set_value(["gru-1"]).run()
    assert "Take gru-1 off the board?" in shown(app)
    press(app, "Delete")
    assert not app.exception
    assert "gru-1" not in {row.model for row in ResultStore(workspace).rows()}
    assert "gru-1" not in list(app.dataframe[0].value["model"])


def test_a_serving_model_wears_a_star_and_the_history_has_dates(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    production.promote(workspace, "gru-1", "amn", "toy@0")
    production.promote(workspace, "amn-1", "amn", "toy@0")
    app = open_page(workspace, "leaderboard")
    assert "amn-1 ★" in list(app.dataframe[0].value["model"])
    assert "gru-1" in shown(app)
    assert f"archived {time.strftime('%Y')}" in shown(app)


def test_two_hundred_models_open_within_a_second(workspace: Workspace, open_page: Open) -> None:
    for number in range(200):
        add(workspace, f"amn-{number}", 0.4 + number / 10_000)
    app = open_page(workspace, "leaderboard")
    began = time.process_time()
    app.run()
    assert time.process_time() - began < 1.0
    assert len(app.dataframe[0].value) == 200
