"""A chunk's influence is what changes without it."""

import numpy as np
import pytest

from lvm_core.errors import SettingsError
from lvm_core.nets import build_model
from lvm_core.study.influence import attention, influence
from tests.test_rollout import DIM, MeanNet, contexts


def test_influence_is_largest_for_the_chunk_that_differs() -> None:
    same = contexts(1, 1)[0, 0]
    other = -same + 0.5 * contexts(1, 1, seed=3)[0, 0]
    context = np.stack([same, same, other / np.linalg.norm(other), same])
    assert influence(MeanNet(DIM), context).argmax() == 2


def test_attention_has_a_weight_for_each_chunk() -> None:
    weights = attention(build_model("amn", DIM), contexts(1, 4)[0])
    assert weights.shape == (4,)
    assert weights.sum() == pytest.approx(1, abs=1e-5)


def test_one_chunk_cannot_be_left_out() -> None:
    with pytest.raises(SettingsError, match="at least 2 chunks"):
        influence(MeanNet(DIM), contexts(1, 1)[0])
