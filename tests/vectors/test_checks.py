"""Vectors and steps that no decoder can take are refused with a way out."""

import numpy as np
import pytest

from lvm_core.errors import DecoderError, SettingsError
from lvm_core.vectors.checks import check_steps, check_vectors


def test_good_vectors_pass_as_float32_rows():
    assert check_vectors([1.0, 0.0], 2).shape == (1, 2)
    assert check_vectors(np.eye(3), 3).dtype == np.float32


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((2, 5)), r"shape \(2, 5\); expected \(N, 3\)"),
        (np.ones((2, 2, 3)), r"expected \(N, 3\)"),
        ([[1, 2, np.nan]], r"NaN or infinite numbers \(row 0, 1 of 1 rows\)"),
        ([[1, 2, 3], [0, np.inf, 0]], r"NaN or infinite numbers \(row 1"),
        ([[1, 2, 3], [0, 0, 0]], r"nothing but zeros \(row 1"),
    ],
)
def test_bad_vectors_are_refused(vectors, message):
    with pytest.raises(DecoderError, match=message):
        check_vectors(vectors, 3)


@pytest.mark.parametrize("steps", [0, 1, 5, 50, np.int64(3)])
def test_usual_steps_pass(steps):
    assert check_steps(steps) == steps


@pytest.mark.parametrize("steps", [-1, 51, 1000, 1.5, True, "3"])
def test_other_steps_are_refused(steps):
    with pytest.raises(SettingsError, match=r"expected 0 \(the first hypothesis\) to 50"):
        check_steps(steps)
