import numpy as np
import pytest

from lvm_core.errors import CorpusError
from lvm_core.evaluate.testset import FIRST_POSITION, make_test_set
from tests.evaluate.worlds import ENCODER, documents, make_world, walk


def test_windows_never_cross_articles_and_every_target_has_its_context() -> None:
    test, vectors = make_world([9, 3, 6, 20])
    assert [d.title for d in test.documents] == ["Article 0", "Article 2", "Article 3"]
    assert test.n_windows == 4 + 1 + 15
    for context in (1, 3, 5, 12):
        windows = test.windows(context)
        assert np.array_equal(windows.targets, test.targets)
        assert np.array_equal(windows.lengths, np.minimum(test.position, context))
        for i in range(test.n_windows):
            start = test.starts[test.article[i]]
            expected = np.arange(max(start, test.targets[i] - context), test.targets[i])
            assert windows.contexts[i, : windows.lengths[i]].tolist() == expected.tolist()
    assert test.vectors == pytest.approx(vectors[test.corpus_rows], abs=1e-6)


def test_excluded_chunks_are_the_five_before_the_target() -> None:
    test, _ = make_world([8, 7])
    assert test.excluded[0].tolist() == [4, 3, 2, 1, 0]
    behind, known = test.behind
    assert known.tolist() == [False, True, True, False, True]
    assert behind[1] == 0
    starts = test.starts[test.article]
    assert ((test.excluded >= starts[:, None]) & (test.excluded < test.targets[:, None])).all()


def test_rivals_are_of_the_same_article_outside_the_context() -> None:
    test, _ = make_world([30, 12])
    sizes = np.array([d.n_chunks for d in test.documents])[test.article]
    starts = test.starts[test.article]
    for column in test.rivals.T:
        there = column >= 0
        assert ((column >= starts) & (column < starts + sizes))[there].all()
        assert (column != test.targets)[there].all()
        assert not (column[:, None] == test.excluded)[there].any()


def test_the_same_content_is_comparable_whatever_its_corpus_is_called() -> None:
    vectors = walk(20)
    made = [
        make_test_set(documents([20]), lambda idx: vectors[idx], name, digest, ENCODER, split, 0, 100)
        for name, digest, split in [("a", "d", "test"), ("b", "d", "test"), ("a", "e", "test"), ("a", "d", "all")]
    ]
    assert made[0].comparable == made[1].comparable
    assert len({test.comparable for test in made}) == 3


def test_a_large_split_is_thinned_evenly_and_always_the_same_way() -> None:
    test, _ = make_world([10] * 50, max_chunks=100)
    again, _ = make_world([10] * 50, max_chunks=100)
    assert len(test.documents) == 10
    assert [d.title for d in test.documents] == [d.title for d in again.documents]
    assert test.documents[0].title == "Article 0"
    assert test.documents[-1].title == "Article 49"


def test_articles_too_short_for_a_window_are_an_error_that_says_so() -> None:
    with pytest.raises(CorpusError, match=f"none with more than {FIRST_POSITION} chunks"):
        make_world([3, 5])
