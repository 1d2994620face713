"""vec2text by its own library on tiny random weights: the same code, files and numbers as with the published ones."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from lvm_core.decode.decoders import decode
from lvm_core.decode.vec2text import load_vec2text
from lvm_core.decode.vec2text_files import EMBEDDER, PAIRS, locate, weights_here
from lvm_core.encoders import load_encoder
from lvm_core.errors import DecoderError, SettingsError, SpaceMismatch
from lvm_core.types import Decoder
from tests.decode.tiny_vec2text import build_hub

TEXTS = ["river stone light", "copper garden winter silver engine", "salt", "north bridge candle paper"]
ENCODER_OF = {"jxm": "gtr-t5-base", "ielab": "gtr-t5-base-st"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Point the hub's cache at tiny checkpoints for this module."""
    cache = tmp_path_factory.mktemp("hub cache")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        build_hub(cache)
    patch = pytest.MonkeyPatch()
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    patch.delenv("LVM_VEC2TEXT", raising=False)
    yield cache
    patch.undo()


@pytest.fixture(scope="module")
def encoders(hub):
    return {pair: load_encoder(name, "cpu") for pair, name in ENCODER_OF.items()}


@pytest.fixture(scope="module")
def decoders(encoders):
    return {pair: load_vec2text(pair, encoder, self_test=False) for pair, encoder in encoders.items()}


@pytest.fixture(params=["jxm", "ielab"])
def pair(request):
    return request.param


@pytest.fixture
def decoder(decoders, pair):
    decoders[pair]._runs.clear()
    return decoders[pair]


@pytest.fixture
def vectors(encoders, pair):
    return encoders[pair].encode(TEXTS)


def library_says(decoder, vectors, steps):
    """Return what `vec2text.invert_embeddings` says, of vectors of the length that the decoder gives them.

    One vector at a time: random weights turn the rounding of a batch's sums into another text.
    """
    import torch
    import vec2text

    scaled = torch.from_numpy(vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * decoder.norm)
    with torch.no_grad():
        texts = [vec2text.invert_embeddings(row[None], decoder._corrector, num_steps=steps)[0] for row in scaled]
    return [text.strip() for text in texts]


def test_it_loads_and_is_a_decoder(decoder, encoders, pair, hub):
    assert isinstance(decoder, Decoder)
    assert decoder.encoder_id == encoders[pair].id
    assert decoder.id.startswith(f"vec2text-{pair}@")
    assert weights_here(PAIRS[pair])
    assert (decoder.norm == 1) == encoders[pair].unit_norm
    assert not Path("tmp_trainer").exists()


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_it_says_what_the_library_says(decoder, vectors, steps):
    ours = [decode(decoder, vector[None], steps)[0].text for vector in vectors]
    assert ours == library_says(decoder, vectors, steps)
    assert len(set(ours)) > 1


def test_the_first_hypothesis_is_the_librarys(decoder, vectors):
    """Asked for 0 steps the library makes one, and without steps it may speak on to 128 tokens: ours ends at 32."""
    ours = [decode(decoder, vector[None], 0)[0].text for vector in vectors]
    for mine, theirs in zip(ours, library_says(decoder, vectors, None), strict=True):
        assert theirs.startswith(mine)


def test_all_steps_come_from_one_run(decoder, vectors):
    (texts,) = decoder.decode_all(vectors[:1], 5)
    assert [text.steps for text in texts] == [0, 1, 2, 3, 4, 5]
    for steps in (0, 1, 3, 5):
        decoder._runs.clear()
        assert decode(decoder, vectors[:1], steps)[0] == texts[steps]


def test_more_steps_go_on_where_fewer_ended(decoder, vectors, monkeypatch):
    calls = []
    step = type(decoder)._correct
    monkeypatch.setattr(type(decoder), "_correct", lambda self, runs: (calls.append(len(runs)), step(self, runs)))
    decode(decoder, vectors[:2], 1)
    decode(decoder, vectors[:2], 3)
    assert len(calls) == 3


def test_batched_equals_single(decoder, vectors):
    together = decoder.decode_all(vectors, 1)
    decoder._runs.clear()
    for vector, texts in zip(vectors, together, strict=True):
        (alone,) = decoder.decode_all(vector[None], 1)
        assert [t.text for t in alone] == [t.text for t in texts]
        assert [t.round_trip_cosine for t in alone] == pytest.approx([t.round_trip_cosine for t in texts], abs=1e-4)


def test_the_cosine_is_that_of_the_text_encoded_again(decoder, encoders, pair, vectors):
    for vector, decoded in zip(vectors, decode(decoder, vectors, 1), strict=True):
        again = encoders[pair].encode([decoded.text])[0]
        cosine = again @ vector / np.linalg.norm(again) / np.linalg.norm(vector)
        assert decoded.round_trip_cosine == pytest.approx(float(cosine), abs=0.02)


def test_a_direction_is_enough(decoder, vectors):
    expected = [decoded.text for decoded in decode(decoder, vectors, 1)]
    assert [decoded.text for decoded in decode(decoder, vectors / 7, 1)] == expected


def test_a_correction_that_changes_nothing_ends_the_run(decoder, vectors, monkeypatch):
    note = type(decoder)._note

    def unchanged(self, runs, ids, embeddings):
        import torch

        if runs[0].texts:
            ids, embeddings = torch.stack([r.ids for r in runs]), torch.stack([r.embedding for r in runs])
        note(self, runs, ids, embeddings)

    calls = []
    step = type(decoder)._correct
    monkeypatch.setattr(type(decoder), "_note", unchanged)
    monkeypatch.setattr(type(decoder), "_correct", lambda self, runs: (calls.append(1), step(self, runs)))
    (texts,) = decoder.decode_all(vectors[:1], 50)
    assert len(calls) == 1
    assert [text.steps for text in texts] == list(range(51))
    assert len({text.text for text in texts}) == 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((1, 768), np.nan), "NaN or infinite"),
        (np.zeros((1, 768)), "nothing but zeros"),
        (np.ones((1, 384)), r"expected \(N, 768\)"),
    ],
)
def test_bad_vectors_are_refused(decoder, bad, message):
    with pytest.raises(DecoderError, match=message):
        decode(decoder, bad, 1)


@pytest.mark.parametrize("steps", [-1, 51, 1000])
def test_steps_out_of_bounds_are_refused(decoder, vectors, steps):
    with pytest.raises(SettingsError, match=rf"steps is {steps}; expected 0 \(the first hypothesis\) to 50"):
        decode(decoder, vectors, steps)


def test_a_pair_that_does_not_belong_together_is_refused_before_any_text(encoders):
    with pytest.raises(SpaceMismatch, match=r"'vec2text-jxm' belongs to the space of encoder 'gtr-t5-base'.*'gtr-t5-b"):
        load_vec2text("jxm", encoders["ielab"])
    with pytest.raises(SpaceMismatch, match=r"'vec2text-ielab' belongs to the space of encoder 'gtr-t5-base-st'"):
        load_vec2text("ielab", encoders["jxm"])


def test_the_same_name_with_other_weights_is_refused(encoders):
    class Other:
        id, dim, unit_norm = "gtr-t5-base@ffffffffffff", 768, False
        encode = encoders["jxm"].encode

    with pytest.raises(SpaceMismatch, match="gtr-t5-base@ffffffffffff"):
        load_vec2text("jxm", Other())


def test_weights_that_do_not_find_their_way_back_are_refused(encoders, pair, monkeypatch):
    monkeypatch.setattr("lvm_core.decode.vec2text.MIN_ROUND_TRIP", 0.999)
    with pytest.raises(DecoderError, match=r"does not find its way back: 'The first railway.* expected at least 0\.9"):
        load_vec2text(pair, encoders[pair])
    monkeypatch.setattr("lvm_core.decode.vec2text.MIN_ROUND_TRIP", -1.0)
    assert decode(load_vec2text(pair, encoders[pair]), encoders[pair].encode(["salt"]), 0)


def test_a_damaged_checkpoint_is_refused(hub, encoders, tmp_path, monkeypatch):
    import torch

    corrector = tmp_path / PAIRS["jxm"].corrector
    corrector.mkdir(parents=True)
    original = locate(PAIRS["jxm"])[PAIRS["jxm"].corrector]
    (corrector / "config.json").write_bytes((original / "config.json").read_bytes())
    weights = torch.load(original / "pytorch_model.bin", weights_only=True)
    torch.save({k: v for k, v in weights.items() if "embedding_transform_2" not in k}, corrector / "pytorch_model.bin")
    monkeypatch.setenv("LVM_VEC2TEXT", str(tmp_path))
    with pytest.raises(DecoderError, match=r"lacks 4 of the net's weights \(embedding_transform_2"):
        load_vec2text("jxm", encoders["jxm"], self_test=False)
    (corrector / "pytorch_model.bin").write_bytes(b"no weights")
    with pytest.raises(DecoderError, match=r"cannot be loaded: .* Fetch them again; transformers must be 4\.49\.0"):
        load_vec2text("jxm", encoders["jxm"], self_test=False)


def test_missing_weights_say_which_files_to_put_where(encoders, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    assert not weights_here(PAIRS["jxm"])
    monkeypatch.setenv("LVM_VEC2TEXT", str(tmp_path / "mine"))
    with pytest.raises(DecoderError, match="lacks weights that are not on this machine") as caught:
        load_vec2text("jxm", encoders["jxm"])
    for repository in PAIRS["jxm"].repositories:
        assert f"{tmp_path / 'mine'}/{repository}/ with config.json, model.safetensors" in str(caught.value)
    assert "huggingface-cli download" in str(caught.value)


def test_a_folder_of_ones_own_serves_without_any_hub(hub, encoders, tmp_path, monkeypatch):
    for repository, folder in locate(PAIRS["ielab"]).items():
        target = tmp_path / "own folder" / repository
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("LVM_VEC2TEXT", str(tmp_path / "own folder"))
    assert weights_here(PAIRS["ielab"])
    decoder = load_vec2text("ielab", encoders["ielab"], self_test=False)
    assert decode(decoder, encoders["ielab"].encode(["salt"]), 1)


def test_an_unknown_checkpoint_is_refused(encoders):
    with pytest.raises(SettingsError, match="vec2text decoder is 'ada'; expected one of jxm, ielab"):
        load_vec2text("ada", encoders["jxm"])


def test_the_library_leaves_nothing_behind(decoder, hub):
    import evaluate
    import transformers.trainer

    assert evaluate.load.__module__.startswith("evaluate")
    assert transformers.trainer.TrainingArguments is transformers.TrainingArguments
    inversion = sys.modules["vec2text.models.inversion"]
    assert inversion.load_embedder_and_tokenizer.__module__ == "vec2text.models.model_utils"
    assert EMBEDDER in PAIRS["jxm"].repositories
