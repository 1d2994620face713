import dataclasses
from pathlib import Path

import pytest

from lvm_core.errors import ModelError
from lvm_core.evaluate.measures import MEASURES
from lvm_core.evaluate.results import ResultStore
from lvm_core.leaderboard import board, verdict
from lvm_core.leaderboard.verdict import Outcome
from lvm_core.metrics.bootstrap import Interval
from lvm_core.workspace import Workspace
from tests.leaderboard.rows import add, make_row


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "none.json")


def test_a_small_sure_gain_is_called_better_though_the_two_intervals_overlap(workspace: Workspace) -> None:
    net = add(workspace, "amn-1", 0.510)
    rule = add(workspace, "linear-filter-5", 0.504)
    assert net.intervals["cosine"][0] < rule.intervals["cosine"][1]
    difference = verdict.compare(workspace, net, rule)
    assert difference.mean == pytest.approx(0.006)
    assert difference.low > 0
    said = verdict.verdict(net, rule, difference, verdict.compare(workspace, net, rule, "recall_at_5"))
    assert said.startswith("amn-1 predicts the next chunk better than linear-filter-5, the best trivial rule here,")
    assert "cosine 0.5100 against 0.5040, +0.0060, 95 % interval [+0.00" in said
    assert "exactly as well as that rule: 25.0 % against 25.0 % of windows" in said


def test_worse_is_called_worse_and_unsure_is_called_unsure() -> None:
    net, rule = make_row("amn-1", 0.5)[0], make_row("linear-filter-5", 0.52)[0]
    worse, unsure = Interval(-0.02, -0.03, -0.01), Interval(0.001, -0.02, 0.03)
    said = verdict.verdict(net, rule, worse, unsure)
    assert "amn-1 predicts the next chunk worse than linear-filter-5" in said
    assert "It finds the true chunk among its best five no better and no worse, as far as can be told, than" in said


def test_few_articles_are_said_to_be_few() -> None:
    net, rule = make_row("amn-1", 0.5, n_articles=9)[0], make_row("copy-last", 0.4, n_articles=9)[0]
    even = Interval(0.1, 0.05, 0.15)
    assert "With only 9 articles the interval itself is rough." in verdict.verdict(net, rule, even, even)


def test_one_article_gives_no_certainty() -> None:
    net, rule = make_row("amn-1", 0.5, n_articles=1)[0], make_row("copy-last", 0.4, n_articles=1)[0]
    blind = Interval(0.1, float("nan"), float("nan"))
    assert "too few to be sure of anything" in verdict.verdict(net, rule, blind, blind)


def test_the_best_rule_is_the_best_baseline() -> None:
    rows = [make_row("amn-1", 0.6)[0], make_row("copy-last", 0.4)[0], make_row("linear-filter-5", 0.5)[0]]
    found = verdict.best_rule(rows)
    assert found is not None
    assert found.model == "linear-filter-5"
    assert verdict.best_rule(rows[:1]) is None


def test_models_of_two_tests_have_no_difference(workspace: Workspace) -> None:
    one, other = add(workspace, "a", 0.5), add(workspace, "b", 0.5, comparable="another test")
    with pytest.raises(ModelError, match="'a' and 'b' were measured on different windows"):
        verdict.compare(workspace, one, other)


def test_a_rule_that_reads_more_is_said_to_read_more() -> None:
    net, rule = make_row("amn-1", 0.51)[0], make_row("linear-filter-5", 0.53, context=100)[0]
    worse = Interval(-0.02, -0.03, -0.01)
    said = verdict.verdict(net, rule, worse, worse)
    assert "That rule reads 100 chunks, amn-1 5; against the linear filter of 5 chunks it is +0.0100" in said


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Interval(1e-9, 5.4e-10, 1.6e-9), Outcome.LEVEL),  # a copy of the filter: rounding, the same way everywhere
        (Interval(-1e-9, -1.6e-9, -5.4e-10), Outcome.LEVEL),
        (Interval(0.0004, 0.0001, 0.0007), Outcome.LEVEL),  # sure, and too small to matter
        (Interval(0.0, -0.0002, 0.0002), Outcome.LEVEL),
        (Interval(0.006, 0.004, 0.008), Outcome.BETTER),
        (Interval(-0.006, -0.008, -0.004), Outcome.WORSE),
        (Interval(0.006, -0.001, 0.013), Outcome.UNSURE),
        (Interval(0.0, -0.01, 0.01), Outcome.UNSURE),
        (Interval(0.006, float("nan"), float("nan")), Outcome.ONE_ARTICLE),
    ],
)
def test_better_and_worse_are_sure_and_matter(difference: Interval, expected: Outcome) -> None:
    assert verdict.outcome(difference, MEASURES["cosine"]) == expected


def add_copy_of_the_filter(workspace: Workspace) -> None:
    """Store a filter and a run that is this filter: better by a ten-millionth in every article."""
    rule, sums = make_row("linear-filter-5", 0.5013)
    copied = dataclasses.replace(sums.sums["cosine"], total=sums.sums["cosine"].total + 2e-6)
    own, _ = make_row("amn-20261125-043117", 0.5013 + 1e-9, vs_filter={"cosine": 1.1e-9, "ci": [5.4e-10, 1.6e-9]})
    store = ResultStore(workspace)
    store.save(rule, sums)
    store.save(own, dataclasses.replace(sums, sums={**sums.sums, "cosine": copied}))


def test_a_run_that_is_the_filter_wins_nothing(workspace: Workspace) -> None:
    add_copy_of_the_filter(workspace)
    said = verdict.headline(workspace, "toy@0")
    assert "better" not in said
    assert "amn-20261125-043117 and linear-filter-5 are level" in said
    rows = {row.model: row for row in ResultStore(workspace).rows()}
    answer = verdict.answer(workspace, list(rows.values()), rows["amn-20261125-043117"])
    assert "predicts the next chunk as well as (level: the difference is below 0.0005)" in answer
    assert "better" not in answer


def test_the_headline_knows_the_models_that_came_along(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = Workspace(tmp_path / "elsewhere")
    add(shipped, "mlp-100", 0.5277, shipped=True)
    add(shipped, "linear-filter-5", 0.5013, shipped=True)
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "board.json")
    board.ship(shipped, tmp_path / "board.json")
    assert verdict.headline(workspace, "toy@0").startswith(
        "Best on 30 unseen articles of toy: mlp-100, cosine 0.5277 ["
    )
    add(workspace, "amn-1", 0.5013)
    said = verdict.headline(workspace, "toy@0")
    assert "mlp-100, cosine 0.5277 [" in said
    assert "It is better than the best trivial rule there, linear-filter-5: +0.0264, 95 % interval [+0.02" in said
    assert verdict.headline(workspace, "another@1") == ""


def test_an_own_evaluation_does_not_change_which_test_is_shown_first(
    workspace: Workspace, monkeypatch, tmp_path: Path
) -> None:
    shipped = Workspace(tmp_path / "elsewhere")
    for model in ("mlp-100", "linear-filter-5"):
        add(shipped, model, 0.52, shipped=True, comparable="large", n_windows=12_000)
        add(shipped, model, 0.52, shipped=True, comparable="small")
    monkeypatch.setattr("lvm_core.leaderboard.board.SHIPPED_BOARD", tmp_path / "board.json")
    board.ship(shipped, tmp_path / "board.json")
    order = ["large", "small"]
    assert [group.comparable for group in board.groups(board.all_rows(workspace))] == order
    add(workspace, "amn-1", 0.6, comparable="small")
    for number in range(5):
        add(workspace, f"gru-{number}", 0.6, comparable="mine")
    assert [group.comparable for group in board.groups(board.all_rows(workspace))] == [*order, "mine"]


def test_validation_articles_are_no_test(workspace: Workspace) -> None:
    add(workspace, "amn-1", 0.9, split="validation")
    assert verdict.headline(workspace, "toy@0") == ""


def test_rules_that_lead_are_said_to_lead(workspace: Workspace) -> None:
    add(workspace, "amn-1", 0.4)
    add(workspace, "linear-filter-5", 0.5)
    said = verdict.headline(workspace, "toy@0")
    assert said.startswith(
        "No model beats the trivial rules on 30 unseen articles of toy: linear-filter-5 leads, cosine"
    )
