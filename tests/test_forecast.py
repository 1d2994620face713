"""One way to run a model: however contexts are batched, each gets what it would get alone."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lvm_core import forecast
from lvm_core.baselines import LinearFilter, build_baseline
from lvm_core.baselines.linear_filter import LinearFilterOptions
from lvm_core.errors import ModelError
from lvm_core.nets import MODELS, build_model
from lvm_core.nets.base import SequenceModel
from tests.evaluate.worlds import DIM, documents, make_world, walk

RULES = ("copy-last", "context-mean", "weighted-mean", "linear-filter", "random")


def model_called(name: str, context: int = 5) -> SequenceModel:
    torch.manual_seed(0)
    if name in MODELS:
        return build_model(name, DIM, **({"context": context} if MODELS[name].sliding else {}))
    options = {"context": context} if name in ("context-mean", "weighted-mean", "linear-filter") else {}
    return build_baseline(name, DIM, **options)


@pytest.mark.parametrize("context", [1, 3, 5, 12])
@pytest.mark.parametrize("name", [*RULES, "gru", "mlp"])
def test_a_window_is_predicted_as_if_it_were_alone(name: str, context: int) -> None:
    test, _ = make_world([9, 30, 14])
    model = model_called(name)
    together = forecast.over_windows(model, test, test.windows(context))
    for i in range(test.n_windows):
        start = max(int(test.starts[test.article[i]]), int(test.targets[i]) - context)
        alone = forecast.after(model, test.vectors[start : test.targets[i]])
        assert together.vectors[i] == pytest.approx(alone.vectors, abs=1e-5)
        assert together.lengths[i] == pytest.approx(float(alone.lengths), abs=1e-4)


def test_windows_may_be_a_few_of_an_article() -> None:
    test, _ = make_world([40, 9])
    windows = test.windows(5)
    model = model_called("linear-filter")
    some = np.array([30, 3, 17, 36])
    every = forecast.over_windows(model, test, windows).vectors
    np.testing.assert_allclose(forecast.over_windows(model, test, windows.take(some)).vectors, every[some], atol=1e-5)


def test_a_few_windows_of_long_articles_cost_what_they_hold_and_many_what_their_articles_do() -> None:
    test, _ = make_world([200, 200])
    windows = test.windows(5)

    class Counted:
        n_read = 0

        def rows(self, idx: np.ndarray) -> np.ndarray:
            self.n_read += len(idx)
            return test.rows(idx)

        def slice(self, start: int, stop: int) -> np.ndarray:
            self.n_read += stop - start
            return test.slice(start, stop)

    few, many = Counted(), Counted()
    some = np.array([0, 150, 200, 380])
    model = model_called("linear-filter")
    found = forecast.over_windows(model, few, windows.take(some)).vectors
    np.testing.assert_allclose(found, forecast.over_windows(model, many, windows).vectors[some], atol=1e-5)
    assert few.n_read == 4 * 5
    assert many.n_read <= test.n_windows + 2 * 5


@pytest.mark.parametrize("name", [*RULES, "lstm", "transformer"])
def test_articles_are_predicted_from_every_prefix(name: str) -> None:
    vectors = walk(9 + 1 + 4 + 6)

    class Matrix:
        def rows(self, idx: np.ndarray) -> np.ndarray:
            return vectors[idx]

        def slice(self, start: int, stop: int) -> np.ndarray:
            return vectors[start:stop]

    model = model_called(name)
    predicted = {}
    for part in forecast.over_articles(model, Matrix(), documents([9, 1, 4, 6])):
        np.testing.assert_allclose(part.truths[part.mask], vectors[part.rows[part.mask]], atol=1e-6)
        predicted |= dict(zip(part.rows[part.mask].tolist(), part.forecast.vectors[part.mask], strict=True))
    assert sorted(predicted) == [*range(1, 9), *range(11, 14), *range(15, 20)]  # every chunk but an article's first
    for first, row in [(0, 1), (0, 8), (10, 13), (14, 17)]:
        np.testing.assert_allclose(predicted[row], forecast.after(model, vectors[first:row]).vectors, atol=1e-5)


def test_contexts_come_alone_in_a_batch_or_in_any_shape() -> None:
    x = walk(2 * 3 * 4).reshape(2, 3, 4, DIM)
    model = model_called("gru")
    assert forecast.after(model, x).vectors.shape == (2, 3, DIM)
    assert forecast.after(model, x).lengths.shape == (2, 3)
    np.testing.assert_allclose(
        forecast.after(model, x).vectors[1, 2], forecast.after(model, x[1, 2]).vectors, atol=1e-5
    )


def test_a_model_is_shown_unit_vectors_whatever_their_length() -> None:
    x, model = walk(5), model_called("gru")
    np.testing.assert_allclose(forecast.after(model, 3 * x).vectors, forecast.after(model, x).vectors, atol=1e-6)


def test_lengths_are_those_before_the_prediction_was_scaled() -> None:
    x = walk(7)
    rule = LinearFilter(DIM, LinearFilterOptions(context=5))
    assert forecast.after(rule, x[:1]).lengths == pytest.approx(1, abs=1e-5)  # the mean of one chunk is the chunk
    assert forecast.after(rule, x[:5]).lengths == pytest.approx(np.linalg.norm(x[:5].mean(axis=0)), abs=1e-5)
    assert forecast.after(build_baseline("corpus-mean", DIM), x).lengths == pytest.approx(1, abs=1e-5)


def test_a_model_in_training_is_asked_without_dropout_and_goes_on_training() -> None:
    model = build_model("lstm", DIM, dropout=0.9)
    x = walk(6)
    first, second = forecast.after(model, x).vectors, forecast.after(model, x).vectors
    np.testing.assert_array_equal(first, second)
    assert model.training


def test_copy_last_says_the_chunk_before() -> None:
    test, _ = make_world([9, 30])
    predictions = forecast.over_windows(build_baseline("copy-last", DIM), test, test.windows(5)).vectors
    assert predictions == pytest.approx(test.vectors[test.targets - 1], abs=1e-6)


class Broken(SequenceModel):
    name = "broken"

    def unscaled(self, x: Tensor) -> Tensor:
        return x * float("nan")


def test_a_model_that_diverged_is_named() -> None:
    test, _ = make_world([9])
    with pytest.raises(ModelError, match=r"Model 'broken' predicts NaN: .* not finite"):
        forecast.over_windows(Broken(DIM), test, test.windows(5))
    with pytest.raises(ModelError, match=r"Model 'amn-7' predicts NaN: 16 of 16 values"):
        forecast.after(Broken(DIM), test.vectors[:5], name="amn-7")


def test_contexts_that_cannot_be_read_are_refused() -> None:
    model = model_called("copy-last")
    with pytest.raises(ModelError, match=r"of shape \(2, 0, 16\); expected \(B, T, 16\) with T of at least 1"):
        forecast.after(model, np.ones((2, 0, DIM), dtype=np.float32))
    with pytest.raises(ModelError, match="context vectors hold NaN"):
        forecast.after(model, np.full((3, DIM), np.nan, dtype=np.float32))


def test_progress_ends_at_one() -> None:
    test, _ = make_world([9, 30])
    shares: list[float] = []
    rule = build_baseline("copy-last", DIM)
    forecast.over_windows(rule, test, test.windows(5), progress=lambda share, _: shares.append(share))
    assert shares[-1] == 1.0
    assert np.all(np.diff(shares) >= 0)
