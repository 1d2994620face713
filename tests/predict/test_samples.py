"""Predict shows single samples of a net that predicts a distribution: models of their own, called REF#1, REF#2 ..."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lvm_core import forecast
from lvm_core.checkpoint import save_model
from lvm_core.errors import ModelError
from lvm_core.nets import MODELS, build_model
from lvm_core.nets.distribution import Distribution
from lvm_core.predict.model import SAMPLED, TOLD, load_predicting_model, with_samples
from lvm_core.workspace import Workspace
from tests.nets.test_nets import SMALL, wake
from tests.nets.toy import DIM, ENCODER, walk


@pytest.fixture
def trained(workspace: Workspace) -> Workspace:
    for name in ("energy", "gru"):
        torch.manual_seed(0)
        net = build_model(name, DIM, **SMALL[name])
        wake(net)
        save_model(workspace.run(name), net, {"run": name, "encoder_id": ENCODER, "context": 5, "corpora": []})
    return workspace


def test_a_sample_is_a_prediction_and_the_net_their_mean(trained: Workspace) -> None:
    encoder, x = SimpleNamespace(id=ENCODER, dim=DIM), walk([5])
    mean = load_predicting_model(trained, "energy", encoder)
    ((said, notes),) = mean.predict([x])
    samples = forecast.samples(mean.net, x, 2)
    for number, expected in enumerate(samples, 1):
        ((one, _),) = load_predicting_model(trained, f"energy#{number}", encoder).predict([x])
        np.testing.assert_allclose(one.vectors, expected, atol=1e-6)
        assert one.vectors @ said.vectors < 0.9999
    assert f"their spread is {said.spread:.3f}" in notes[0].text


def test_samples_stand_behind_their_net() -> None:
    refs, nets = ["mine", "gru", "passthrough"], {"mine": "energy", "gru": "gru"}
    assert with_samples(refs, nets, 0) == refs
    assert with_samples(refs, nets, 2) == ["mine", "mine#1", "mine#2", "gru", "passthrough"]


def test_what_pages_know_by_name_is_true_of_the_nets() -> None:
    assert {name for name, cls in MODELS.items() if issubclass(cls, Distribution)} == SAMPLED
    assert {name for name, cls in MODELS.items() if hasattr(cls.Options(), "tmd")} == TOLD


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("gru#1", "There is no model 'gru#1'; expected a net that predicts a distribution. Leave '#1' out"),
        ("energy#0", "There is no model 'energy#0'; expected a sample numbered from 1, such as energy#1"),
        ("energy#x", "There is no model 'energy#x'; expected a sample numbered from 1"),
    ],
)
def test_samples_that_cannot_be_are_refused(trained: Workspace, ref: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_predicting_model(trained, ref, SimpleNamespace(id=ENCODER, dim=DIM))
