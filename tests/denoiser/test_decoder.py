"""The denoiser as a decoder: what people and pages ask of it, on a tiny net trained for seconds."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lvm_core import abandoned
from lvm_core.decode.decoders import available_decoders
from lvm_core.denoiser.config import DenoiserConfig
from lvm_core.denoiser.decoder import DenoisingDecoder, load_denoiser, open_denoiser
from lvm_core.denoiser.train import train_denoiser
from lvm_core.errors import DecoderError, SettingsError, SpaceMismatch
from lvm_core.types import Decoder, Vectors
from lvm_core.workspace import Workspace, read_json
from tests.denoiser.tiny_pieces import tiny_pieces
from tests.inverter.tiny_inverter import DIM, BagEncoder, corpus

TEXTS = ["The Moon is a planet.", "Aristotle was a philosopher of Greece", "Energy equals mass", "The algorithm ends"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = corpus(Workspace(tmp_path_factory.mktemp("decoder") / "work space"))
    config = DenoiserConfig(
        corpus="small", samples=3000, word_samples=600, word_batch=32,
        batch_tokens=600, warmup=5, lr=1e-3, n_layers=2, width=32, max_tokens=64,
        checkpoint_s=1e9, device="cpu",
    )  # fmt: skip
    train_denoiser(workspace, config, "tiny", encoder=BagEncoder(), pieces=tiny_pieces())
    return workspace


@pytest.fixture
def decoder(trained: Workspace) -> DenoisingDecoder:
    return open_denoiser(trained.inverter("tiny"), BagEncoder(), tiny_pieces())


def test_it_is_a_decoder_of_its_space(decoder: DenoisingDecoder, trained: Workspace, workspace: Workspace) -> None:
    assert isinstance(decoder, Decoder)
    assert decoder.encoder_id == BagEncoder.id
    assert decoder.id.startswith("tiny:")
    assert "denoiser" in available_decoders(trained, BagEncoder.id)
    assert "denoiser" not in available_decoders(workspace, BagEncoder.id)


def test_more_steps_never_read_worse(decoder: DenoisingDecoder) -> None:
    vectors = BagEncoder().encode(TEXTS)
    rows = decoder.decode_all(vectors, 4)
    for vector, row in zip(vectors, rows, strict=True):
        cosines = [decoded.round_trip_cosine for decoded in row]
        assert [decoded.steps for decoded in row] == [0, 1, 2, 3, 4]
        assert cosines == sorted(cosines)
        again = BagEncoder().encode([row[-1].text])[0]
        assert float(again @ vector) == pytest.approx(cosines[-1], abs=1e-5)
    gains = [row[-1].round_trip_cosine - row[0].round_trip_cosine for row in rows]
    assert np.mean(gains) > 0.05, "several drafts and corrections find more than the first"


def test_it_reads_more_of_a_vector_than_of_another(decoder: DenoisingDecoder) -> None:
    vectors = BagEncoder().encode(TEXTS)
    again = BagEncoder().encode([row[-1].text for row in decoder.decode_all(vectors, 3)])
    cosines = again @ vectors.T
    assert np.mean(np.diag(cosines)) > np.mean(cosines[~np.eye(len(TEXTS), dtype=bool)]) + 0.1


def test_a_vector_alone_reads_as_it_does_among_others(trained: Workspace) -> None:
    vectors = BagEncoder().encode([*TEXTS, "The algorithm is a list of steps"])
    folder = trained.inverter("tiny")
    together = open_denoiser(folder, BagEncoder(), tiny_pieces()).decode_all(vectors, 3)
    for k in (0, 4):
        alone = open_denoiser(folder, BagEncoder(), tiny_pieces())
        assert alone.decode_all(vectors[k : k + 1], 3) == [together[k]]
        assert alone.decode_all(vectors[k : k + 1] * 2, 3) == [together[k]]  # a vector's length says nothing


def test_steps_in_turn_equal_steps_at_once(trained: Workspace) -> None:
    vectors = BagEncoder().encode(TEXTS[:2])
    folder = trained.inverter("tiny")
    at_once = open_denoiser(folder, BagEncoder(), tiny_pieces()).decode_all(vectors, 3)
    decoder = open_denoiser(folder, BagEncoder(), tiny_pieces())
    assert decoder.decode_all(vectors[:1], 0) == [at_once[0][:1]]
    assert decoder.decode_all(vectors, 1) == [row[:2] for row in at_once]
    assert decoder.decode_all(vectors, 3) == at_once


class GivingUp(BagEncoder):
    """As encoders do, it asks whether anybody still waits."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        abandoned.check()
        return super().encode(texts)


def test_a_search_that_is_given_up_leaves_nothing_behind(trained: Workspace) -> None:
    vectors, folder = BagEncoder().encode(TEXTS[:2]), trained.inverter("tiny")
    one, other = (open_denoiser(folder, GivingUp(), tiny_pieces()) for _ in range(2))
    expected = one.decode_all(vectors, 3)
    for n_checks in (1, 3, 4, 6):
        left = iter(range(n_checks))
        with pytest.raises(abandoned.Abandoned), abandoned.unless(lambda left=left: next(left, None) is not None):
            other.decode_all(vectors, 3)
    assert other.decode_all(vectors, 3) == expected


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.full((1, DIM), np.nan), "NaN or infinite"),
        (np.zeros((1, DIM)), "nothing but zeros"),
        (np.ones((1, DIM + 1)), r"expected \(N, 24\)"),
    ],
)
def test_bad_vectors_are_refused(decoder: DenoisingDecoder, vectors: np.ndarray, message: str) -> None:
    with pytest.raises(DecoderError, match=message):
        decoder.decode_all(vectors, 1)


def test_bad_steps_are_refused_and_nothing_gives_nothing(decoder: DenoisingDecoder) -> None:
    with pytest.raises(SettingsError, match="expected 0"):
        decoder.decode_all(BagEncoder().encode(TEXTS[:1]), 51)
    assert decoder.decode_all(np.zeros((0, DIM), dtype=np.float32), 1) == []


class OtherEncoder(BagEncoder):
    id = "other@111111111111"


def test_another_space_is_refused_before_any_text(trained: Workspace, workspace: Workspace) -> None:
    with pytest.raises(SpaceMismatch, match="train-inverter --kind denoiser --corpus NAME --encoder other"):
        load_denoiser(trained, OtherEncoder())
    with pytest.raises(SpaceMismatch, match="denoiser 'tiny'"):
        open_denoiser(trained.inverter("tiny"), OtherEncoder(), tiny_pieces())
    with pytest.raises(DecoderError, match="There is no denoiser for 'other@111111111111'"):
        load_denoiser(workspace, OtherEncoder())


def test_damaged_files_say_what_to_do(trained: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(trained.inverter("tiny"), folder)
    config = read_json(folder / "config.json")
    (folder / "config.json").write_text(json.dumps({**config, "size": {**config["size"], "n_layers": 3}}))
    with pytest.raises(DecoderError, match=r"does not hold the weights its config\.json speaks of"):
        open_denoiser(folder, BagEncoder(), tiny_pieces())
    (folder / "inverter.safetensors").write_bytes(b"torn")
    with pytest.raises(DecoderError, match=r"inverter\.safetensors cannot be read"):
        open_denoiser(folder, BagEncoder(), tiny_pieces())
