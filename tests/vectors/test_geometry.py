"""Unit norm, cosine and spread mean what they are called, for zeros and broken numbers too."""

import numpy as np
import pytest

from lvm_core.vectors.geometry import cosine, effective_rank, follow_similarity, unit_rows
from tests.test_rollout import contexts


def test_unit_rows_leaves_zero_alone():
    assert unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)).tolist() == [
        pytest.approx([0.6, 0.8]),
        [0, 0],
    ]


def test_cosine_compares_row_by_row_in_any_shape() -> None:
    a = np.array([[[3, 0], [0, 2]], [[1, 1], [-1, 0]]], dtype=np.float32)
    np.testing.assert_allclose(cosine(a, a), 1, atol=1e-6)
    np.testing.assert_allclose(cosine(a, a[:, :1]), [[1, 0], [1, -np.sqrt(0.5)]], atol=1e-6)
    assert cosine(a[0, 0], a[1, 1]) == pytest.approx(-1)


def test_cosine_of_nothing_is_zero_and_of_a_broken_vector_no_number() -> None:
    good, zero, broken = np.float32([[1, 0]]), np.float32([[0, 0]]), np.float32([[np.nan, 0]])
    assert cosine(good, zero).tolist() == [0]
    assert np.isnan(cosine(good, broken)).all()


def test_follow_similarity_is_the_cosine_to_the_one_before() -> None:
    vectors = np.array([[1, 0], [2, 0], [0, 3], [0, 0]], dtype=np.float32)
    found = follow_similarity(vectors)
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [1, 0, 0], atol=1e-6)
    assert follow_similarity(vectors[:0]).shape == (0,)


def test_effective_rank_tells_collapse_from_spread() -> None:
    spread = contexts(1, 500)[0]
    collapsed = np.repeat(spread[:1], 500, axis=0)
    assert effective_rank(collapsed) == 0
    assert effective_rank(spread) > 7
    assert effective_rank(spread * np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=np.float32)) == pytest.approx(2, abs=0.1)
