import pytest
import torch

from lvm_core.baselines import build_baseline
from lvm_core.nets import MODELS, build_model
from lvm_core.nets.fast import fast_predictor

DIM = 32


@pytest.mark.parametrize("name", list(MODELS))
def test_the_fast_prediction_is_the_plain_one_but_for_rounding(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, DIM, residual=True).eval()
    torch.nn.init.normal_(model.last_layer().weight, std=0.02)
    fast = fast_predictor(model)
    for length in (1, 3, 5, 8):
        context = torch.nn.functional.normalize(torch.randn(1, length, DIM), dim=-1)
        plain, quick = model.predict_next(context), fast.predict_next(context)
        assert torch.cosine_similarity(plain, quick).item() > 0.995
        assert quick.norm().item() == pytest.approx(1.0, abs=1e-4)


def test_the_plain_model_stays_as_it_was() -> None:
    model = build_model("amn", DIM).eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fast_predictor(model).predict_next(torch.randn(1, 5, DIM))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_another_context_of_the_same_length_is_not_answered_with_the_first() -> None:
    fast = fast_predictor(build_baseline("copy-last", DIM))
    one, other = torch.randn(1, 4, DIM), torch.randn(1, 4, DIM)
    assert not torch.allclose(fast.predict_next(one), fast.predict_next(other))
    assert torch.allclose(fast.predict_next(other), torch.nn.functional.normalize(other[:, -1], dim=-1), atol=1e-6)


def test_batches_go_through_the_plain_model() -> None:
    model = build_model("gru", DIM).eval()
    batch = torch.randn(3, 5, DIM)
    assert torch.equal(fast_predictor(model).predict_next(batch), model.predict_next(batch))


def test_lengths_are_kept_up_to_a_bound() -> None:
    fast = fast_predictor(build_baseline("copy-last", DIM))
    for length in range(1, 25):
        assert fast.predict_next(torch.randn(1, length, DIM)).shape == (1, DIM)
    assert len(fast._graphs) == 16
