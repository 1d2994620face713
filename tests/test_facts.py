"""Names and numbers of a text, and how many of them are the true one's."""

import numpy as np
import pytest

from lvm_core.inverter.smollm import surprises
from lvm_core.metrics.facts import fact_scores, names, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("In 1905 Einstein published four papers in Bern.", {"einstein", "bern"}),
        ("Abraham Lincoln's father was Thomas.", {"abraham", "lincoln", "thomas"}),
        ("The city lies on it. However, NATO met there. McDonald left.", {"nato", "mcdonald"}),
        ("L'Étoile de Zürich и Москва", {"l'étoile", "zürich", "москва"}),
        ("a plain sentence", set()),
        ("", set()),
    ],
)
def test_names_are_capitalised_words_but_for_those_that_begin_a_sentence(text: str, found: set[str]) -> None:
    assert set(names(text)) == found


def test_numbers_are_compared_as_written_but_for_thousands() -> None:
    assert set(numbers("3,645,218 people, 40 % in 1905, 2.5 m")) == {"3645218", "40", "1905", "2.5"}


def test_shares_count_repeats_and_are_unknown_where_nothing_is_named() -> None:
    texts = ["In Rome and Rome 1905", "nothing here", "It was Rome"]
    scores = fact_scores(texts, ["It fell to Rome in 1905 and 1906", "It fell to Rome", "no name"])
    assert scores["name_precision"][0] == 0.5  # the second Rome is not there
    assert (scores["name_recall"][0], scores["number_precision"][0], scores["number_recall"][0]) == (1, 1, 0.5)
    assert np.isnan(scores["name_precision"][1])
    assert scores["name_recall"][1] == 0
    assert scores["name_precision"][2] == 0
    assert np.isnan(scores["name_recall"][2])


def test_a_sentence_is_less_surprising_than_its_words_in_no_order_whatever_stands_beside_it() -> None:
    sentence, salad = "The capital of France is Paris.", "is of Paris capital The. France"
    together = surprises([sentence, "", salad, sentence + " It lies on the Seine and has two million inhabitants."])
    assert together[0] < together[2] - 1
    assert np.isnan(together[1])
    assert surprises([sentence]) == pytest.approx([together[0]], abs=0.02)
