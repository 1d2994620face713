"""The decoders by name on real vectors: which are here, what they refuse, what the extractive one says."""

import numpy as np
import pytest

from lvm_core.corpus.store import CorpusStore
from lvm_core.decode.decoders import DECODERS, available_decoders, decode, load_decoder
from lvm_core.decode.vec2text_kinds import mean_norm
from lvm_core.errors import CorpusError, DecoderError, SettingsError, SpaceMismatch
from lvm_core.types import Decoder
from lvm_core.vectors.matrix import encoded_with, open_matrix

CORPUS = "enwiki-sample"


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch, tmp_path):
    monkeypatch.setattr("lvm_core.inverter.files.SHIPPED", tmp_path / "none")


@pytest.fixture(scope="module")
def encoder_id(seeded_once):
    return encoded_with(seeded_once, CORPUS)[0]


@pytest.fixture
def encoder(encoder_id):
    """Return what a decoder needs to know of the encoder, without loading it."""

    class Known:
        id, dim, unit_norm = encoder_id, 384, True

        def encode(self, texts):
            raise AssertionError("nothing is to be encoded")

    return Known()


def test_what_is_here_depends_on_encoder_and_corpus(seeded_once, workspace, encoder_id):
    assert available_decoders(seeded_once, encoder_id) == ["extractive"]
    assert available_decoders(seeded_once, "other@000000000000") == []
    assert available_decoders(workspace, encoder_id) == []
    assert not workspace.root.exists(), "a look writes nothing"


def test_a_trained_inverter_comes_first(seeded, encoder_id):
    from lvm_core.workspace import write_json

    write_json(seeded.inverter("mine") / "config.json", {"encoder_id": encoder_id})
    assert available_decoders(seeded, encoder_id) == ["inverter", "extractive"]


def test_the_extractive_decoder_says_real_chunks(seeded_once, encoder):
    decoder = load_decoder(seeded_once, "extractive", encoder)
    assert isinstance(decoder, Decoder)
    matrix = open_matrix(seeded_once, CORPUS, encoder.id)
    rows = np.array([3, 40, 77])
    said = decode(decoder, matrix.rows(rows), 1)
    assert [d.text for d in said] == [c.text for c in CorpusStore(seeded_once).chunks(CORPUS, rows)]
    assert [d.round_trip_cosine for d in said] == pytest.approx([1, 1, 1], abs=1e-3)
    assert [decode(decoder, vector[None], 1)[0].text for vector in matrix.rows(rows)] == [d.text for d in said]


@pytest.mark.parametrize(
    ("vectors", "steps", "error", "message"),
    [
        (np.full((1, 384), np.nan), 1, DecoderError, "NaN"),
        (np.zeros((1, 384)), 1, DecoderError, "nothing but zeros"),
        (np.ones((1, 384)), 1000, SettingsError, "steps is 1000; expected 0"),
    ],
)
def test_bad_input_is_refused(seeded_once, encoder, vectors, steps, error, message):
    decoder = load_decoder(seeded_once, "extractive", encoder)
    with pytest.raises(error, match=message):
        decode(decoder, vectors, steps)


def test_a_decoder_that_is_not_here_is_refused(seeded_once, workspace, encoder):
    with pytest.raises(DecoderError, match=f"There is no decoder 'magic'; expected one of {', '.join(DECODERS)}"):
        load_decoder(seeded_once, "magic", encoder)
    with pytest.raises(DecoderError, match=r"no corpus is encoded with 'all-MiniLM.* yet; .*Run `ingest` and `encode`"):
        load_decoder(workspace, "extractive", encoder)
    with pytest.raises(CorpusError, match="nowhere"):
        load_decoder(seeded_once, "extractive", encoder, "nowhere")
    with pytest.raises(DecoderError, match="There is no inverter for 'all-MiniLM"):
        load_decoder(seeded_once, "inverter", encoder)


@pytest.mark.parametrize("name", ["vec2text-jxm", "vec2text-ielab"])
def test_a_decoder_of_another_space_is_refused(seeded_once, encoder, name):
    with pytest.raises(SpaceMismatch, match=rf"Decoder '{name}' belongs to the space of encoder 'gtr-t5-base"):
        load_decoder(seeded_once, name, encoder)


def test_the_mean_norm_comes_from_the_corpus_where_vectors_have_none_of_their_own(seeded_once, encoder):
    assert mean_norm(seeded_once, encoder, CORPUS) == 1.0
    encoder.unit_norm = False
    assert mean_norm(seeded_once, encoder, CORPUS) == pytest.approx(1.0, abs=1e-3)
    encoder.id = "other@000000000000"
    assert mean_norm(seeded_once, encoder, None) is None
