"""An inverter carried to another encoder: what is fitted, what the card says, and that it reads that space."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from lvm_core.decode.decoders import decode
from lvm_core.errors import DecoderError
from lvm_core.inverter.align import align_inverter, fit
from lvm_core.inverter.align_config import AlignConfig
from lvm_core.inverter.config import InverterConfig
from lvm_core.inverter.decoder import load_inverter
from lvm_core.inverter.files import find_inverter, training_kind
from lvm_core.inverter.train import train_inverter
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace
from tests.inverter.tiny_inverter import DIM, BagEncoder, corpus, tiny_language

WIDER = 40


class TurnedEncoder(BagEncoder):
    """The bag of words in another space: turned, with 40 dimensions."""

    id = "turned@000000000000"
    dim = WIDER

    def encode(self, texts: Sequence[str]) -> Vectors:
        turn = np.linalg.qr(np.random.default_rng(5).standard_normal((WIDER, DIM)))[0].T.astype(np.float32)
        return unit_rows(super().encode(texts) @ turn)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    found = corpus(Workspace(tmp_path_factory.mktemp("align") / "work space"))
    config = InverterConfig(
        corpus="small", samples=64, batch_size=8, word_epochs=4, word_batch=32, max_tokens=60, checkpoint_s=1e9
    )
    train_inverter(found, config, "tiny", encoder=BagEncoder(), language=tiny_language())
    return found


def test_the_map_finds_a_turned_space_and_ridge_holds_noise_down() -> None:
    rng = np.random.default_rng(0)
    target = unit_rows(rng.standard_normal((400, 12)).astype(np.float32))
    turn = rng.standard_normal((12, 30)).astype(np.float32)
    noise = rng.standard_normal((400, 30)).astype(np.float32)
    for loud, least in ((0.0, 0.99), (0.3, 0.9)):
        source = unit_rows(target @ turn + loud * noise)
        alignment, _ = fit(source[:100], target[:100])
        mapped = alignment(torch.from_numpy(source[100:])).numpy()
        assert (mapped * target[100:]).sum(1).mean() > least
    _, quiet = fit(unit_rows(target @ turn)[:40], target[:40])
    _, strong = fit(unit_rows(target @ turn + 3 * noise)[:40], target[:40])
    assert strong > quiet


def test_it_reads_the_other_space_and_says_where_it_comes_from(workspace: Workspace) -> None:
    config, turned = AlignConfig(corpus="small", encoder="turned", pairs=150), TurnedEncoder()
    about = align_inverter(workspace, config, "carried", encoder=turned, known=BagEncoder())
    aligned = about["aligned"]
    assert (about["encoder_id"], aligned["encoder_id"], aligned["inverter"]) == (turned.id, BagEncoder.id, "tiny")
    assert aligned["held_out_cosine"] > 0.95 > aligned["mean_cosine"]
    card = (workspace.inverter("carried") / "card.md").read_text()
    assert f"`{turned.id}`" in card
    assert "`tiny`" in card
    assert f"{aligned['held_out_cosine']:.3f}" in card
    assert training_kind(workspace, "carried") == "aligned"

    texts = ["The Moon is a planet.", "Aristotle was a philosopher of Greece"]
    language = tiny_language()
    own = decode(load_inverter(workspace, BagEncoder(), language=lambda: language), BagEncoder().encode(texts), 2)
    carried = load_inverter(workspace, turned, language=lambda: language)
    read = decode(carried, turned.encode(texts), 2)
    again = turned.encode([one.text for one in read])
    for vector, text, encoded, other in zip(turned.encode(texts), read, again, own, strict=True):
        assert float(encoded @ vector) == pytest.approx(text.round_trip_cosine, abs=1e-5)
        assert text.round_trip_cosine > other.round_trip_cosine - 0.15


def test_one_that_was_trained_for_its_space_comes_first(workspace: Workspace) -> None:
    turned = TurnedEncoder()
    config = AlignConfig(corpus="small", encoder="turned", pairs=50)
    align_inverter(workspace, config, "again", encoder=turned, known=BagEncoder())
    assert find_inverter(workspace, BagEncoder.id) == workspace.inverter("tiny")
    with pytest.raises(DecoderError, match="carry"):
        align_inverter(workspace, config, "twice", encoder=BagEncoder(), known=turned)
    with pytest.raises(DecoderError, match="two encoders"):
        align_inverter(workspace, config, "same", encoder=turned, known=turned)
    assert not workspace.inverter("twice").exists()
