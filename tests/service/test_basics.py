"""What every program asks first: whether it lives, which models there are, and vectors of texts."""

import numpy as np

from lvm_core.encoders import load_encoder
from tests.service.conftest import CONTEXT, Service


def test_it_lives(service: Service) -> None:
    answer = service.get("/health").json()
    assert answer["status"] == "ok"
    assert answer["waiting"] == {"quick": 0, "words": 0}


def test_models_are_listed_with_those_asked_by_default(service: Service) -> None:
    answer = service.get("/models").json()
    assert {"mlp", "linear-filter-5"} <= {model["ref"] for model in answer["models"]}
    assert set(answer["default"]) <= {model["ref"] for model in answer["models"]}


def test_vectors_are_those_of_the_encoder(service: Service) -> None:
    answer = service.post("/encode", {"texts": CONTEXT}).json()
    encoder = load_encoder(device="cpu")
    assert answer["encoder"] == encoder.id
    assert answer["dim"] == 384
    np.testing.assert_allclose(answer["vectors"], encoder.encode(CONTEXT), atol=1e-6)
