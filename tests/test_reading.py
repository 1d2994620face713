"""A text read chunk by chunk says what the whole text says, and a recurrent net takes one step a chunk for it."""

import numpy as np
import pytest
import torch

from lvm_core import forecast
from lvm_core.baselines import build_baseline
from lvm_core.errors import ModelError
from lvm_core.nets import MODELS, build_model
from lvm_core.nets.base import Recurrent, SequenceModel
from lvm_core.nets.query import QueryHead
from lvm_core.reading import Reading
from lvm_core.rollout import rollout
from tests.nets.test_nets import SMALL, wake
from tests.nets.toy import DIM, Rows, documents, sizes, walk

RECURRENT = (
    "lstm",
    "gru",
    "latent-mamba",
    "mamba",
    "mamba2",
    "hybrid",
    "s4d",
    "rwkv",
    "retnet",
    "performer",
    "lcm",
    "llama",
)


def net(name: str, **options) -> SequenceModel:
    torch.manual_seed(0)
    lengths = sizes(12)
    fitted = build_baseline("linear-filter", DIM, context=12)
    fitted.fit(Rows(walk(lengths)), documents(lengths))
    made = build_model(name, DIM, fitted, **{**SMALL[name], **options}).eval()
    wake(made)
    return made


def texts(length: int) -> np.ndarray:
    return walk([length] * 2, seed=5).reshape(2, length, DIM)


def test_nets_that_can_go_on_are_those_that_say_so() -> None:
    made = {name: net(name) for name in MODELS}
    assert {name for name, one in made.items() if isinstance(one, Recurrent) and one.recurrent} == set(RECURRENT)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("name", RECURRENT)
def test_chunk_by_chunk_is_all_at_once(name: str, residual: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made, x = net(name, residual=residual), texts(40)
    made.query = QueryHead(DIM, 12)
    made.query.shares[1] = 0.3
    whole = [forecast.after(made, x[:, : t + 1]) for t in range(40)]
    monkeypatch.setattr(type(made), "correction", None)  # the form for whole texts is not run
    reading = Reading(made)
    parts = [reading.read(x[:, :7]), *(reading.read(x[:, t : t + 1]) for t in range(7, 40))]
    for said, expected in zip(parts, whole[6:], strict=True):
        np.testing.assert_allclose(said.vectors, expected.vectors, atol=1e-5)
        np.testing.assert_allclose(said.queries, expected.queries, atol=2e-5)


@pytest.mark.parametrize("name", ["transformer", "mlp", "linformer", "gpt2", "mamba2"])
def test_past_the_longest_context_the_last_chunks_are_read_as_a_window(name: str) -> None:
    made, x = net(name), texts(20)
    reading = Reading(made, most=6)
    for t in range(20):
        said = reading.read(x[:, t : t + 1])
        expected = forecast.after(made, x[:, max(0, t - 5) : t + 1])
        np.testing.assert_allclose(said.vectors, expected.vectors, atol=1e-5)


@pytest.mark.parametrize("name", ["gru", "mamba2"])
def test_a_rollout_by_steps_is_the_rollout_of_whole_contexts(name: str) -> None:
    made, x = net(name, residual=True), texts(9)
    history = x
    for vector in rollout(made, x, 12).vectors.transpose(1, 0, 2):
        np.testing.assert_allclose(vector, forecast.after(made, history).vectors, atol=1e-5)
        history = np.concatenate([history, vector[:, None]], axis=1)


def test_chunks_of_another_encoder_are_refused() -> None:
    with pytest.raises(ModelError, match=r"of shape \(1, 1, 3\); expected \(B, T, 16\)"):
        Reading(net("gru")).read(np.zeros((1, 1, 3), dtype=np.float32))
