import pytest

from lvm_core.errors import ModelError
from lvm_core.leaderboard import verdict
from lvm_core.metrics.bootstrap import Interval
from lvm_core.workspace import Workspace
from tests.leaderboard.rows import add, make_row


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
