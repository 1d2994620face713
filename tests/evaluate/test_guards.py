import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.errors import ModelError
from lvm_core.evaluate.guards import TwinFinder, plain_title, refuse_seen, seen_titles, shingles


def article(seed: int, n: int = 400) -> str:
    return " ".join(f"word{number}" for number in np.random.default_rng(seed).integers(0, 500, n))


def test_seen_titles_meet_whatever_their_case_and_spaces() -> None:
    assert seen_titles(["Apollo  11", "Anarchism"], ["apollo 11", "Altruism"]) == ["apollo 11"]


def test_a_model_trained_on_the_test_is_refused_with_the_titles() -> None:
    titles = [f"Title {i}" for i in range(9)]
    with pytest.raises(ModelError, match=r"trained on 9 of the 9 articles.*'Title 0'.*'Title 4' and 4 more\."):
        refuse_seen("amn-1", titles, titles)
    with pytest.raises(ModelError, match=r"Model 'amn-1' was trained on 1 of the 9 articles of this test: 'Title 3'\."):
        refuse_seen("amn-1", ["title 3"], titles)
    refuse_seen("amn-1", ["Something else"], titles)


@pytest.mark.parametrize(
    ("one", "other"), [("Éclair (film)", "Eclair film"), ("Apollo_11", "apollo 11"), ("St. Louis", "St Louis")]
)
def test_plain_titles_meet(one: str, other: str) -> None:
    assert plain_title(one) == plain_title(other)


@given(st.text(min_size=1))
def test_every_title_has_a_plain_form_that_stays(title: str) -> None:
    assert plain_title(plain_title(title)) == plain_title(title)


def test_a_copied_article_is_found_under_another_title() -> None:
    copied = article(1)
    finder = TwinFinder([("Original", copied), ("Other", article(2))])
    twins = finder.twins_of("Renamed", "A new first sentence. " + copied + " And a last one.")
    assert [(t.test, t.train, t.how) for t in twins] == [("Original", "Renamed", "text")]
    assert twins[0].share > 0.95


def test_an_article_that_quotes_a_little_is_no_twin_but_one_of_the_same_title_is() -> None:
    finder = TwinFinder([("Éclair", article(1)), ("Other", article(2))])
    quoted = " ".join(article(1).split()[:30]) + " " + article(5)
    assert finder.twins_of("Quoting", quoted) == []
    same = finder.twins_of("Eclair", article(9))
    assert [(t.test, t.how) for t in same] == [("Éclair", "title")]


def test_shares_from_sampled_shingles_are_near_the_true_share() -> None:
    whole = article(3, 3000)
    half = " ".join(whole.split()[:1500])
    finder = TwinFinder([("Whole", whole)])
    assert finder.twins_of("Half", half)[0].share == pytest.approx(0.5, abs=0.06)


def test_short_and_empty_texts_have_no_shingles() -> None:
    assert len(shingles("")) == 0
    assert len(shingles("seven words are not enough for one")) == 0
    assert TwinFinder([]).twins_of("Any", article(1)) == []
