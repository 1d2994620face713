"""What a net says while it trains."""

import json
from pathlib import Path

import numpy as np
import pytest

from lvm_core.exchange.files import import_npz
from lvm_core.train import train
from lvm_core.train.samples import N_SAMPLES, read_samples
from lvm_core.workspace import Workspace
from tests.nets.toy import add_corpus
from tests.train.test_train import equal, last_weights, settings, weights


@pytest.fixture
def toy(workspace: Workspace) -> Workspace:
    add_corpus(workspace)
    return workspace


def test_three_windows_are_put_into_words_after_every_epoch(toy: Workspace) -> None:
    train(toy, settings(epochs=3, patience=3), run="one")
    every = read_samples(toy.run_samples("one"))
    assert [sample.epoch for sample in every] == [epoch for epoch in range(4) for _ in range(N_SAMPLES)]
    first = every[:N_SAMPLES]
    assert len({sample.truth for sample in first}) == N_SAMPLES
    for epoch in range(4):
        same = every[epoch * N_SAMPLES : (epoch + 1) * N_SAMPLES]
        assert [(s.context, s.truth) for s in same] == [(s.context, s.truth) for s in first]
    for sample in every:
        article, place = sample.context.removesuffix(".").rsplit(" ", 1)
        assert sample.truth == f"{article} {int(place) + 1}."
        assert sample.text.startswith("toy Article ")
        assert sample.text != sample.context
        assert -1 <= sample.cosine <= 1
    assert {sample.cosine for sample in every[:N_SAMPLES]} != {sample.cosine for sample in every[-N_SAMPLES:]}


def test_the_cosine_is_that_of_the_prediction_and_the_lines_are_plain_json(toy: Workspace) -> None:
    result = train(toy, settings(epochs=1), run="one")
    lines = [json.loads(line) for line in toy.run_samples("one").read_text().splitlines()]
    assert all(set(line) == {"epoch", "context", "truth", "text", "cosine"} for line in lines)
    assert np.mean([line["cosine"] for line in lines]) == pytest.approx(result["val_cosine"], abs=0.35)


def test_they_change_neither_weights_nor_what_a_resumed_training_says(
    toy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(epochs=4, patience=4)
    train(toy, config, run="whole")
    train(toy, config, run="halves", stop_after=2)
    train(toy, None, run="halves", resume=True)
    assert read_samples(toy.run_samples("halves")) == read_samples(toy.run_samples("whole"))
    monkeypatch.setenv("LVM_INDEX", "postgres")
    monkeypatch.delenv("LVM_DATABASE_URL", raising=False)
    told = []
    train(toy, config, run="silent", progress=lambda _, message: told.append(message))
    assert not toy.run_samples("silent").exists()
    assert any("no samples in words while it trains" in message for message in told)
    assert equal(weights(toy, "whole"), weights(toy, "silent"))
    assert equal(last_weights(toy, "whole"), last_weights(toy, "silent"))


def test_vectors_without_texts_write_none(workspace: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    points = np.cumsum(rng.standard_normal((12, 20, 16)), axis=1).astype(np.float32).reshape(-1, 16)
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    np.savez(
        tmp_path / "own.npz", vectors=points, article_ids=np.repeat(np.arange(12), 20),
        chunk_indices=np.tile(np.arange(20), 12),
    )  # fmt: skip
    import_npz(workspace, tmp_path / "own.npz", "own")
    told = []
    train(workspace, settings(corpus="own", yes=True), run="bare", progress=lambda _, message: told.append(message))
    assert not workspace.run_samples("bare").exists()
    assert any("has vectors without texts" in message for message in told)
