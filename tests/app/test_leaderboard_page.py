"""The Leaderboard page, empty and with rows: answers in words, ranks, compares, promotes, deletes."""

import contextlib
import time
from pathlib import Path

import pytest

from lvm_core.database import connect
from lvm_core.evaluate.results import ResultStore
from lvm_core.evaluate.rows import Example
from lvm_core.jobs.store import JobStore
from lvm_core.leaderboard import board, production
from lvm_core.vectors.matrix import encoded_with
from lvm_core.workspace import Workspace
from tests.app.conftest import Open, press, shown, table
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
    board = table(app, "board-table")
    assert board.column("model") == ["amn-1", "gru-1", "linear-filter-5", "copy-last"]
    assert board.column("#") == ["1", "2", "3", "4"]


def test_filters_and_rankings_change_the_table(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    app = open_page(workspace, "leaderboard")
    app.selectbox(key="leaderboard:by").set_value("latency_ms").run()
    assert table(app, "board-table").column("model")[0] == "copy-last"
    app.text_input(key="leaderboard:words").set_value("GRU").run()
    assert table(app, "board-table").column("model") == ["gru-1"]
    app.text_input(key="leaderboard:words").set_value("nothing").run()
    assert "No model passes the filter" in shown(app)
    assert not app.exception


def test_two_models_stand_side_by_side_with_the_same_windows(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    store = ResultStore(workspace)
    for model in ("amn-1", "gru-1"):
        row, articles = make_row(model, 0.51)
        store.save(row, articles, [EXAMPLE])
    app = open_page(workspace, "leaderboard")
    app.multiselect(key="leaderboard:models").set_value(["amn-1", "gru-1"]).run()
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
    assert "far-1" not in table(app, "board-table").column("model")
    app.selectbox(key="leaderboard:test").set_value("another test").run()
    assert table(app, "board-table").column("model") == ["far-1"]
    assert "No trivial rule was measured on this test yet" in shown(app)


def test_deleting_asks_first_and_then_takes_the_row_off(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    app = open_page(workspace, "leaderboard")
    app.multiselect(key="leaderboard:models").set_value(["gru-1"]).run()
    assert "Take gru-1 off the board?" in shown(app)
    press(app, "Delete")
    assert not app.exception
    assert "gru-1" not in {row.model for row in ResultStore(workspace).rows()}
    assert "gru-1" not in table(app, "board-table").column("model")


def test_a_serving_model_wears_a_star_and_the_history_has_dates(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    production.promote(workspace, "gru-1", "amn", "toy@0")
    production.promote(workspace, "amn-1", "amn", "toy@0")
    app = open_page(workspace, "leaderboard")
    assert "amn-1 ★" in table(app, "board-table").column("model")
    assert "gru-1" in shown(app)
    assert f"archived {time.strftime('%Y')}" in shown(app)


def test_two_hundred_models_are_shown(workspace: Workspace, open_page: Open) -> None:
    for number in range(200):
        add(workspace, f"amn-{number}", 0.4 + number / 10_000)
    app = open_page(workspace, "leaderboard")
    assert len(table(app, "board-table").rows) == 200


def test_three_models_are_compared_pair_by_pair_and_article_by_article(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    app = open_page(workspace, "leaderboard", models="amn-1,gru-1,copy-last")
    assert not app.exception
    text = shown(app)
    for pair in ("amn-1 − gru-1", "amn-1 − copy-last", "gru-1 − copy-last"):
        assert pair in text
    articles = table(app, "board-articles")
    assert articles.columns == ["article", "windows", "amn-1", "gru-1", "copy-last"]
    assert len(articles.rows) == 30
    assert articles.column("windows") == ["20"] * 30
    app.multiselect(key="leaderboard:models").set_value(["amn-1", "copy-last"]).run()
    two = table(app, "board-articles")
    for one, other, difference in zip(*map(two.column, ("amn-1", "copy-last", "difference")), strict=True):
        assert float(difference) == pytest.approx(float(one) - float(other), abs=2e-4)


def test_models_are_averaged_over_all_tests(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    add(workspace, "amn-1", 0.712, comparable="k2", corpus="elsewhere")
    app = open_page(workspace, "leaderboard", test="all")
    assert not app.exception
    board = table(app, "board-tests")
    assert board.columns == ["model", "mean", "toy, test", "elsewhere, test"]
    assert board.rows["amn-1"] == ["amn-1", "0.6120", "0.5120", "0.7120"]
    assert board.rows["gru-1"][1:] == ["—", "0.5090", "—"]


def test_models_are_filtered_by_their_size(workspace: Workspace, open_page: Open) -> None:
    add(workspace, "amn-1", 0.5, parameters=2_000_000)
    add(workspace, "gru-1", 0.4, parameters=900_000)
    app = open_page(workspace, "leaderboard")
    app.selectbox(key="leaderboard:size").set_value("to 1 M").run()
    assert list(table(app, "board-table").rows) == ["gru-1"]


def test_names_are_whole_and_every_row_is_a_model(workspace: Workspace, open_page: Open) -> None:
    name = "amn-" + "9" * 60
    add(workspace, name, 0.5)
    app = open_page(workspace, "leaderboard")
    assert table(app, "board-table").column("model") == [name]


def test_the_test_of_the_newest_own_evaluation_is_pointed_to_and_not_jumped_to(
    workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = Workspace(tmp_path / "elsewhere")
    add(shipped, "mlp-100", 0.53, shipped=True, corpus="large")
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "shipped.json")
    board.ship(shipped, tmp_path / "shipped.json")
    add(workspace, "amn-1", 0.5, comparable="mine", corpus="mine")
    app = open_page(workspace, "leaderboard")
    assert list(table(app, "board-table").rows) == ["mlp-100"]
    assert "Your newest evaluation, of amn-1, is on mine, test." in shown(app)
    press(app, "Show that test")
    assert list(table(app, "board-table").rows) == ["amn-1"]


def test_models_without_texts_are_offered_theirs_or_told_why_not(seeded: Workspace, open_page: Open) -> None:
    space = encoded_with(seeded, "enwiki-sample")[0]
    for model in ("amn-1", "gru-1"):
        row, articles = make_row(model, 0.51, corpus="enwiki-sample", encoder=space)
        ResultStore(seeded).save(row, articles, [EXAMPLE] if model == "amn-1" else None)
    add(seeded, "far-1", 0.5, corpus="gone", comparable="k2")
    app = open_page(seeded, "leaderboard", models="amn-1,gru-1")
    assert "A landing was made." in shown(app)
    assert "Not decoded yet\\: gru-1." in shown(app)
    press(app, "Decode ten windows")
    (job,) = JobStore(seeded).list()
    assert job.argv[:2] == ["evaluate", "gru-1"]
    assert job.argv[-2:] == ["--examples", "10"]
    app.selectbox(key="leaderboard:test").set_value("k2").run()
    app.multiselect(key="leaderboard:models").set_value(["far-1"]).run()
    assert "its corpus 'gone' is not in this workspace" in shown(app)
    assert "Decode ten windows" not in [button.label for button in app.button]


def test_a_damaged_result_is_left_out_and_counted(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    with contextlib.closing(connect(workspace)) as db:
        db.execute("UPDATE results SET row = ? WHERE model = 'gru-1'", ('{"model": 3}',))
        db.execute("UPDATE results SET articles = ? WHERE model = 'copy-last'", ("[",))
    app = open_page(workspace, "leaderboard", models="amn-1,copy-last")
    assert not app.exception
    assert "Results left out, because they cannot be read: 1." in shown(app)
    assert list(table(app, "board-table").rows) == ["amn-1", "linear-filter-5", "copy-last"]


def test_a_test_can_be_copied_and_cited(workspace: Workspace, open_page: Open) -> None:
    fill(workspace)
    app = open_page(workspace, "leaderboard")
    text = shown(app)
    assert "| amn-1 | net | 5 | 0.5120 [" in text
    assert "@misc{lvm-studio-toy-k1," in text
    assert "600 windows of 30 articles" in text


def test_the_board_shows_what_more_text_brings(workspace: Workspace, open_page: Open) -> None:
    for windows, gain in ((20_000, 0.001), (130_000, 0.006), (900_000, 0.012)):
        against = {"cosine": gain, "ci": [gain - 0.001, gain + 0.001], "fitted_on": "the same articles"}
        add(workspace, f"mlp-{windows}", 0.5 + gain, vs_filter=against, n_train_windows=windows)
    app = open_page(workspace, "leaderboard")
    assert not app.exception
    assert "+0.0120 over the filter after 900,000 windows; 3 times as many promise" in shown(app)
