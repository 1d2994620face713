import numpy as np
import pytest
import torch
from torch import Tensor

from lvm_core.baselines import build_baseline
from lvm_core.errors import ModelError
from lvm_core.evaluate.predictions import predict_windows
from lvm_core.nets import build_model
from lvm_core.nets.base import SequenceModel
from tests.evaluate.worlds import DIM, make_world


@pytest.mark.parametrize("context", [1, 3, 5, 12])
def test_batches_give_what_each_window_alone_gives(context: int) -> None:
    test, _ = make_world([9, 30, 14])
    torch.manual_seed(0)
    model = build_model("gru", DIM).eval()
    found = predict_windows(model, test, context)
    for i in range(test.n_windows):
        start = max(int(test.starts[test.article[i]]), int(test.targets[i]) - context)
        alone = model.predict_next(torch.from_numpy(test.vectors[start : test.targets[i]])[None])[0].numpy()
        assert found[i] == pytest.approx(alone, abs=1e-5)


def test_copy_last_says_the_chunk_before() -> None:
    test, _ = make_world([9, 30])
    found = predict_windows(build_baseline("copy-last", DIM), test, 5)
    assert found == pytest.approx(test.vectors[test.targets - 1], abs=1e-6)


class Broken(SequenceModel):
    name = "broken"

    def forward(self, x: Tensor) -> Tensor:
        return x * float("nan")


def test_a_model_that_diverged_is_named() -> None:
    test, _ = make_world([9])
    with pytest.raises(ModelError, match=r"Model 'broken' predicted .* not finite"):
        predict_windows(Broken(DIM), test, 5)


def test_progress_ends_at_one() -> None:
    test, _ = make_world([9, 30])
    shares: list[float] = []
    predict_windows(build_baseline("copy-last", DIM), test, 5, lambda share, _: shares.append(share))
    assert shares[-1] == 1.0
    assert np.all(np.diff(shares) >= 0)
