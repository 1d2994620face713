import pytest

from lvm_core.errors import ModelError
from lvm_core.evaluate.guards import refuse_seen, seen_titles


def test_seen_titles_meet_whatever_their_case_and_spaces() -> None:
    assert seen_titles(["Apollo  11", "Anarchism"], ["apollo 11", "Altruism"]) == ["apollo 11"]


def test_a_model_trained_on_the_test_is_refused_with_the_titles() -> None:
    titles = [f"Title {i}" for i in range(9)]
    with pytest.raises(ModelError, match=r"trained on 9 of the 9 articles.*'Title 0'.*'Title 4' and 4 more; expected"):
        refuse_seen("amn-1", titles, titles)
    with pytest.raises(ModelError, match=r"was trained on 1 of the 9 articles of this test: 'Title 3'; expected"):
        refuse_seen("amn-1", ["title 3"], titles)
    refuse_seen("amn-1", ["Something else"], titles)
