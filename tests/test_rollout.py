"""Rollouts feed back what they say, and the drift measures mean what they are called."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lvm_core.errors import ModelError, SettingsError
from lvm_core.nets.base import SequenceModel
from lvm_core.rollout import drift, rollout

DIM = 8


class MeanNet(SequenceModel):
    """The causal mean of the context: simple enough to know every answer."""

    name = "mean"

    def unscaled(self, x: Tensor) -> Tensor:
        counts = torch.arange(1, x.shape[1] + 1)[None, :, None]
        return x.cumsum(dim=1) / counts


def contexts(n: int, t: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((n, t, DIM)).astype(np.float32)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_each_step_reads_the_steps_before_it() -> None:
    model, context = MeanNet(DIM), contexts(3, 4)
    result = rollout(model, context, steps=3)
    by_hand = context
    for step in range(3):
        said = model(torch.from_numpy(by_hand))[:, -1].numpy()
        np.testing.assert_allclose(result.vectors[:, step], said, atol=1e-6)
        by_hand = np.concatenate([by_hand, said[:, None]], axis=1)


def test_batch_equals_single() -> None:
    model, context = MeanNet(DIM), contexts(3, 4)
    together = rollout(model, context, steps=5).vectors
    alone = np.concatenate([rollout(model, c[None], steps=5).vectors for c in context])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_old_chunks_fall_out_of_the_window() -> None:
    model, context = MeanNet(DIM), contexts(2, 6)
    np.testing.assert_allclose(
        rollout(model, context, 4, max_context=3).vectors, rollout(model, context[:, -3:], 4, max_context=3).vectors
    )


def test_the_snapped_vector_is_fed_back_and_the_raw_one_kept() -> None:
    model, context = MeanNet(DIM), contexts(2, 3)
    anchor = contexts(1, 1, seed=9)[0]

    def snap(said: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.repeat(anchor, len(said), axis=0), np.array([True] * len(said))

    result = rollout(model, context, 2, snap=snap)
    np.testing.assert_array_equal(result.vectors[:, 0], np.repeat(anchor, 2, axis=0))
    assert result.clamped.all()
    assert not np.allclose(result.raw[:, 0], result.vectors[:, 0])


def test_drift_measures_on_a_rollout_that_repeats_itself() -> None:
    context = contexts(1, 1)
    result = rollout(MeanNet(DIM), context, 3)
    measures = drift(result, context, truth=context.repeat(2, axis=1))
    np.testing.assert_allclose(measures.to_start, 1, atol=1e-5)
    np.testing.assert_allclose(measures.to_previous, 1, atol=1e-5)
    np.testing.assert_allclose(measures.to_truth[:, :2], 1, atol=1e-5)
    assert np.isnan(measures.to_truth[:, 2]).all()


def test_mistakes_are_named() -> None:
    with pytest.raises(ModelError, match=r"expected \(B, T, 8\)"):
        rollout(MeanNet(DIM), np.ones((1, 3, 5), dtype=np.float32))
    with pytest.raises(ModelError, match="NaN"):
        rollout(MeanNet(DIM), np.full((1, 3, DIM), np.nan, dtype=np.float32))
    with pytest.raises(SettingsError, match="expected 1 to 50 chunks"):
        rollout(MeanNet(DIM), contexts(1, 3), steps=51)
