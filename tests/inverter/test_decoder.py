"""The inverter as a decoder: what people and pages ask of it, on a tiny net and on the shipped one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm_core import abandoned
from lvm_core.decode.decoders import decode
from lvm_core.errors import DecoderError, SettingsError, SpaceMismatch
from lvm_core.evaluate.decoder import token_f1
from lvm_core.inverter.config import InverterConfig
from lvm_core.inverter.decoder import PART, Inverter, load_inverter, open_inverter
from lvm_core.inverter.files import find_inverter
from lvm_core.inverter.smollm import LanguageModel
from lvm_core.inverter.train import train_inverter
from lvm_core.types import Decoder
from lvm_core.workspace import SHIPPED, Workspace, read_json
from tests.inverter.tiny_inverter import DIM, BagEncoder, corpus, tiny_language

TEXTS = ["The Moon is a planet.", "Aristotle was a philosopher of Greece", "Energy equals mass", "The algorithm ends"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = corpus(Workspace(tmp_path_factory.mktemp("decoder") / "work space"))
    config = InverterConfig(
        corpus="small", samples=64, batch_size=8, word_epochs=4, word_batch=32, max_tokens=60, checkpoint_s=1e9
    )
    train_inverter(workspace, config, "tiny", encoder=BagEncoder(), language=tiny_language())
    return workspace


@pytest.fixture(scope="module")
def language() -> LanguageModel:
    return tiny_language()


@pytest.fixture
def inverter(trained: Workspace, language: LanguageModel) -> Inverter:
    return load_inverter(trained, BagEncoder(), language=lambda: language)


def test_it_is_a_decoder_of_its_space(inverter: Inverter) -> None:
    assert isinstance(inverter, Decoder)
    assert inverter.encoder_id == BagEncoder.id
    assert inverter.id.startswith("tiny:")


def test_more_steps_never_read_worse(inverter: Inverter) -> None:
    vectors = BagEncoder().encode(TEXTS)
    for vector, row in zip(vectors, inverter.decode_all(vectors, 3), strict=True):
        cosines = [decoded.round_trip_cosine for decoded in row]
        assert [decoded.steps for decoded in row] == [0, 1, 2, 3]
        assert cosines == sorted(cosines)
        again = BagEncoder().encode([row[-1].text])[0]
        assert float(again @ vector) == pytest.approx(cosines[-1], abs=1e-5)


def test_a_vector_alone_reads_as_it_does_among_others(trained: Workspace, language: LanguageModel) -> None:
    vectors = BagEncoder().encode([*TEXTS, "The algorithm is a list of steps"])
    together = decode(load_inverter(trained, BagEncoder(), language=lambda: language), vectors, 2)
    for k in (0, 4):
        alone = load_inverter(trained, BagEncoder(), language=lambda: language)
        assert decode(alone, vectors[k : k + 1], 2) == [together[k]]
        assert decode(alone, vectors[k : k + 1] * 2, 2) == [together[k]]  # a vector's length says nothing


def test_a_search_that_is_given_up_leaves_nothing_behind(trained: Workspace, language: LanguageModel) -> None:
    one, other = (load_inverter(trained, BagEncoder(), language=lambda: language) for _ in range(2))
    vectors = BagEncoder().encode(TEXTS[:2])
    expected = [[said.text for said in run] for run in one.decode_all(vectors, 2)]
    for n_checks in (1, 30, 90):
        left = iter(range(n_checks))
        with pytest.raises(abandoned.Abandoned), abandoned.unless(lambda left=left: next(left, None) is not None):
            other.decode_all(vectors, 2)
    assert [[said.text for said in run] for run in other.decode_all(vectors, 2)] == expected


def test_parts_on_threads_of_their_own_read_the_same(trained: Workspace, language: LanguageModel) -> None:
    vectors = BagEncoder().encode([f"{text} {k}" for text in TEXTS for k in "abc"])
    one = decode(load_inverter(trained, BagEncoder(), language=lambda: language), vectors, 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        inverter = load_inverter(trained, BagEncoder(), language=lambda: language)
        assert len(vectors) >= 2 * PART
        assert [d.text for d in decode(inverter, vectors, 2)] == [d.text for d in one]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.full((1, DIM), np.nan), "NaN or infinite"),
        (np.zeros((1, DIM)), "nothing but zeros"),
        (np.ones((1, DIM + 1)), r"expected \(N, 24\)"),
    ],
)
def test_bad_vectors_are_refused(inverter: Inverter, vectors: np.ndarray, message: str) -> None:
    with pytest.raises(DecoderError, match=message):
        decode(inverter, vectors, 1)


@pytest.mark.parametrize("steps", [-1, 51, 1000])
def test_bad_steps_are_refused(inverter: Inverter, steps: int) -> None:
    with pytest.raises(SettingsError, match="expected 0"):
        decode(inverter, BagEncoder().encode(TEXTS[:1]), steps)


def test_nothing_gives_nothing(inverter: Inverter) -> None:
    assert decode(inverter, np.zeros((0, DIM), dtype=np.float32), 1) == []


class OtherEncoder(BagEncoder):
    id = "other@111111111111"


def test_another_space_is_refused_before_any_text(trained: Workspace, language: LanguageModel) -> None:
    assert find_inverter(trained, OtherEncoder.id) is None
    with pytest.raises(SpaceMismatch, match="train-inverter --corpus NAME --encoder other"):
        load_inverter(trained, OtherEncoder())
    with pytest.raises(SpaceMismatch, match="inverter 'tiny'"):
        open_inverter(trained.inverter("tiny"), OtherEncoder(), language)


def test_missing_weights_say_how_to_train_them(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lvm_core.inverter.files.SHIPPED", tmp_path / "none")
    with pytest.raises(DecoderError, match="python -m lvm_core train-inverter --corpus NAME --encoder bag"):
        load_inverter(workspace, BagEncoder())


def test_damaged_files_say_what_to_do(trained: Workspace, tmp_path: Path, language: LanguageModel) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(trained.inverter("tiny"), folder)
    config = read_json(folder / "config.json")
    (folder / "config.json").write_text(json.dumps({**config, "language_model": "another"}))
    with pytest.raises(DecoderError, match="adapts the language model another"):
        open_inverter(folder, BagEncoder(), language)
    (folder / "config.json").write_text(json.dumps({**config, "size": {**config["size"], "rank": 3}}))
    with pytest.raises(DecoderError, match=r"does not hold the weights its config\.json speaks of"):
        open_inverter(folder, BagEncoder(), language)
    (folder / "inverter.safetensors").write_bytes(b"torn")
    with pytest.raises(DecoderError, match=r"inverter\.safetensors cannot be read"):
        open_inverter(folder, BagEncoder(), language)
    (folder / "config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(DecoderError, match="has the format 99"):
        open_inverter(folder, BagEncoder(), language)


def test_the_shipped_inverter_is_small_and_says_what_it_was_made_of() -> None:
    (folder,) = sorted(SHIPPED.glob("inverter-*"))
    assert sum(path.stat().st_size for path in folder.iterdir()) < 25_000_000
    config, card = read_json(folder / "config.json"), (folder / "card.md").read_text("utf-8")
    assert config["command"] in card
    assert all(source["digest"][:16] in card for source in config["sources"])


def test_the_shipped_inverter_reads_what_was_meant(workspace: Workspace) -> None:
    from lvm_core.encoders import load_encoder

    encoder = load_encoder(device="cpu")
    inverter = load_inverter(workspace, encoder)
    texts = [
        "The river flows through the city before it reaches the sea.",
        "He won the Nobel Prize in Physics for his work on quantum theory.",
    ]
    rows = inverter.decode_all(encoder.encode(texts), 1)
    assert np.mean([row[1].round_trip_cosine for row in rows]) > 0.6
    assert np.mean([token_f1(row[1].text, text) for row, text in zip(rows, texts, strict=True)]) > 0.25
    assert all(row[1].round_trip_cosine >= row[0].round_trip_cosine for row in rows)
    for row in rows:
        assert row[0].text[:1].isupper() or row[0].text[:1].isalnum()
