"""A residual memory: what it adds, where it adds nothing, how it is made, kept, and refused."""

import io
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch

from lvm_core import forecast
from lvm_core.baselines import build_baseline
from lvm_core.checkpoint import load_model
from lvm_core.config import from_dict
from lvm_core.dataset import evaluation_windows
from lvm_core.errors import ModelError, SettingsError, SpaceMismatch
from lvm_core.nets.residual_memory import (
    FILES,
    INDEX,
    RESIDUALS,
    ROWS,
    ResidualMemory,
    ResidualMemoryOptions,
    Store,
    empty_index,
)
from lvm_core.predict.memory import remembered
from lvm_core.predict.model import PredictingModel, load_predicting_model
from lvm_core.shipped import ship
from lvm_core.train import TrainConfig, train
from lvm_core.train.memory import fill_memory, fit_shares
from lvm_core.types import no_progress
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace
from tests.nets.toy import ENCODER, Rows, add_corpus, documents

DIM = 12


def habit(n_articles: int, seed: int) -> tuple[Rows, list]:
    """Articles that walk through a few fixed pairs of chunks: what follows can be looked up, no line predicts it."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    words = fixed.normal(size=(24, DIM))
    follows = fixed.permutation(24)
    parts = []
    for _ in range(n_articles):
        at = int(rng.integers(24))
        for _ in range(20):
            parts.append(words[at] + 0.1 * rng.normal(size=DIM))
            at = int(follows[at]) if rng.random() < 0.9 else int(rng.integers(24))
    x = np.array(parts)
    return Rows((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)), documents([20] * n_articles)


def cosine(model, source, windows) -> float:
    truth = source.rows(windows.targets)
    return float((forecast.over_windows(model, source, windows).vectors * truth).sum(1).mean())


def filled(folder: Path, n_articles: int = 60) -> ResidualMemory:
    source, articles = habit(n_articles, 1)
    model = ResidualMemory(build_baseline("copy-last", DIM), from_dict(ResidualMemoryOptions, {"neighbours": 8}))
    fill_memory(model, source, articles, folder, no_progress)
    held_out, others = habit(20, 2)
    fit_shares(model, held_out, evaluation_windows(others, 5))
    return model


def test_a_memory_adds_what_a_rule_misses_every_time(tmp_path: Path) -> None:
    model = filled(tmp_path)
    source, articles = habit(20, 3)
    windows = evaluation_windows(articles, 5)
    assert cosine(model, source, windows) > cosine(model.member, source, windows) + 0.3
    assert len(model.store) == 60 * 19
    assert float(model.shares.max()) > 0.5


def test_what_is_like_nothing_remembered_stays_as_it_was(tmp_path: Path) -> None:
    model = filled(tmp_path)
    model.adapt(float(model.length), [0.9, 0.9, 0.9], [0.0, 1.0, 1.0, 1.0])
    x = torch.nn.functional.normalize(torch.randn(3, 4, DIM), dim=-1)
    assert torch.allclose(model(x), model.member(x), atol=1e-6)


def test_a_window_alone_says_what_a_batch_of_articles_says(tmp_path: Path) -> None:
    model = filled(tmp_path)
    source, articles = habit(5, 4)
    windows = evaluation_windows(articles, 5)
    together = forecast.over_windows(model, source, windows).vectors
    alone = forecast.after(model, source.rows(windows.contexts[7, : windows.lengths[7]])).vectors
    np.testing.assert_allclose(together[7], alone, atol=1e-4)


def test_product_codes_find_what_the_exact_search_finds() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 256))
    keys = (centres[rng.integers(40, size=21_000)] + 0.3 * rng.normal(size=(21_000, 256))).astype(np.float32)
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    index = empty_index(256, len(keys), keys[::4])
    index.add(keys)
    residuals = np.zeros((len(keys), 1), dtype=np.float16)
    found = Store(index, residuals, np.arange(len(keys))).search(keys[:50], 8, 0.05)
    assert (found.places[:, 0] == np.arange(50)).mean() > 0.9
    assert found.cosines[:, 0].mean() > 0.9
    assert np.allclose(found.weights.sum(1), 1, atol=1e-5)


class Space:
    """An encoder, as far as a model asks for it."""

    id, dim = ENCODER, DIM


def predicted(workspace: Workspace, model: PredictingModel) -> forecast.Forecast:
    ((said, _),) = model.predict([open_matrix(workspace, "toy", ENCODER).slice(0, 5)])
    return said


@pytest.fixture
def toy(workspace: Workspace) -> Workspace:
    add_corpus(workspace)
    return workspace


def settings(**options) -> TrainConfig:
    return TrainConfig(model="residual-memory", corpus="toy", options=options)


def test_a_run_is_given_a_memory_and_loads_again(toy: Workspace) -> None:
    train(toy, TrainConfig(model="linear-filter", corpus="toy"), run="rule")
    result = train(toy, settings(member="rule", neighbours=4), run="with-memory")
    loaded = load_model(toy, "with-memory", ENCODER)
    assert isinstance(loaded.model, ResidualMemory)
    assert set(FILES) <= {path.name for path in toy.run("with-memory").iterdir()}
    assert result["val_cosine"] >= load_model(toy, "rule").info.validation_cosine - 1e-4
    assert "a memory of" in (toy.run("with-memory") / "card.md").read_text()
    assert len(loaded.model.store) == result["n_windows"]
    with pytest.raises(ModelError, match="Ship its member 'rule'"):
        ship(toy, "with-memory", "remembering", root=toy.root / "shipped")


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def hnsw(dim: int) -> bytes:
    index = faiss.IndexHNSWFlat(dim, 4, faiss.METRIC_INNER_PRODUCT)
    index.add(np.eye(dim, dtype=np.float32))
    return faiss.serialize_index(index).tobytes()


def test_a_damaged_or_missing_memory_is_named(toy: Workspace) -> None:
    train(toy, TrainConfig(model="linear-filter", corpus="toy"), run="rule")
    train(toy, settings(member="rule"), run="m")
    folder = toy.run("m")
    whole = {name: (folder / name).read_bytes() for name in FILES}
    for name, junk in (*((name, b"junk") for name in FILES), (INDEX, hnsw(2 * DIM)), (INDEX, hnsw(6)),
                       (RESIDUALS, npy(np.zeros((9, 9), np.float16))), (ROWS, npy(np.full(4, "x")))):  # fmt: skip
        (folder / name).write_bytes(junk)
        with pytest.raises(ModelError, match=r"The memory .* make the memory again"):
            load_model(toy, "m")
        (folder / name).write_bytes(whole[name])
    (folder / FILES[0]).unlink()
    with pytest.raises(ModelError, match=r"lacks memory\.faiss; expected"):
        load_model(toy, "m")


@pytest.mark.parametrize("options", [{}, {"member": "a,b"}, {"member": "none"}, {"member": "x", "neighbours": 0}])
def test_a_memory_of_no_model_is_refused(toy: Workspace, options: dict) -> None:
    with pytest.raises((SettingsError, ModelError, SpaceMismatch)):
        train(toy, settings(**options), run="m")
    assert not (toy.run("m") / "config.json").exists()


def test_a_prediction_says_which_places_it_went_by(toy: Workspace) -> None:
    train(toy, TrainConfig(model="linear-filter", corpus="toy"), run="rule")
    train(toy, settings(member="rule", neighbours=8), run="m")
    model = load_predicting_model(toy, "m", Space())
    said = predicted(toy, model)
    places = model.remembered(toy, said)
    assert 1 <= len(places) <= 3
    assert len({place.next.article for place in places}) == len(places)
    assert all(place.next.position == place.last.position + 1 for place in places)
    assert [place.weight for place in places] == sorted((place.weight for place in places), reverse=True)
    assert remembered(toy, [{**model.corpora[0], "digest": "another"}], said.recalled) == ()


def test_a_prediction_searches_its_memory_once_for_each_context(
    toy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(toy, TrainConfig(model="linear-filter", corpus="toy"), run="rule")
    train(toy, settings(member="rule", neighbours=8), run="m")
    searched, search = [], Store.search
    monkeypatch.setattr(
        Store, "search", lambda self, keys, *how: searched.append(len(keys)) or search(self, keys, *how)
    )
    model = load_predicting_model(toy, "m", Space())
    rows = open_matrix(toy, "toy", ENCODER)
    for said, _ in model.predict([rows.slice(0, 5), rows.slice(7, 12)]):
        assert model.remembered(toy, said)
    assert searched == [2]


def test_an_ensemble_can_have_a_member_with_a_memory(toy: Workspace) -> None:
    train(toy, TrainConfig(model="linear-filter", corpus="toy"), run="rule")
    train(toy, settings(member="rule", neighbours=8), run="m")
    joined = TrainConfig(model="ensemble", corpus="toy", options={"members": "m,copy-last", "weights": "0.8,0.2"})
    train(toy, joined, run="both")
    model, alone = (load_predicting_model(toy, ref, Space()) for ref in ("both", "m"))
    said, own = predicted(toy, model), predicted(toy, alone)
    last = open_matrix(toy, "toy", ENCODER).slice(4, 5)[0]
    mixed = 0.8 * own.vectors + 0.2 * last / np.linalg.norm(last)
    np.testing.assert_allclose(said.vectors, mixed / np.linalg.norm(mixed), atol=1e-5)
    assert model.remembered(toy, said) == alone.remembered(toy, own) != ()
    windows = evaluation_windows(documents([20]), 5)
    together = forecast.over_windows(model.net, open_matrix(toy, "toy", ENCODER), windows).vectors
    np.testing.assert_allclose(together[windows.targets == 5][0], said.vectors, atol=1e-4)
    with pytest.raises(ModelError, match="Ship its member 'rule'"):
        ship(toy, "both", "remembering", root=toy.root / "shipped")
