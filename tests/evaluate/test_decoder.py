"""Decoders on unseen chunks: the numbers are those of the texts, and the bar is another article's chunk."""

import json

import numpy as np
import pytest

from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents
from lvm_core.encoders import load_encoder
from lvm_core.errors import CorpusError, DecoderError
from lvm_core.evaluate.cases import DecoderSettings, gather_cases
from lvm_core.evaluate.decoder import evaluate_decoder, token_f1
from lvm_core.types import Decoded, Encoder, Vectors
from lvm_core.workspace import Workspace

SETTINGS = DecoderSettings(n=6, steps=(0, 1))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(device="cpu")


class Parrot:
    """Says what it was told for a vector; at step 0 always the same."""

    id = "parrot"

    def __init__(self, encoder: Encoder, known: dict[bytes, str]) -> None:
        self.encoder_id, self.encoder, self.known = encoder.id, encoder, known

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        return [[self.say(vector, step) for step in range(steps + 1)] for vector in vectors]

    def say(self, vector: Vectors, step: int) -> Decoded:
        text = self.known.get(np.round(vector, 2).tobytes(), "The king.") if step else "The king."
        return Decoded(text, "parrot", step, float(self.encoder.encode([text])[0] @ vector))


def test_a_decoder_that_knows_every_text_scores_one(seeded_once: Workspace, encoder: Encoder) -> None:
    cases = gather_cases(seeded_once, encoder.id, "enwiki-sample", SETTINGS)
    known = {np.round(v, 2).tobytes(): c.text for v, c in zip(cases.vectors, cases.chunks, strict=True)}
    found = evaluate_decoder(seeded_once, encoder, Parrot(encoder, known), "enwiki-sample", SETTINGS)
    first, right, bar = found["rows"]
    assert (first["steps"], right["steps"], bar["steps"]) == (0, 1, "extractive")
    for key in ("round_trip_cosine", "token_f1", "rouge_1", "rouge_2", "rouge_l", "bleu", "exact"):
        assert right[key] == pytest.approx(1, abs=5e-3)
    assert first["round_trip_cosine"] < bar["round_trip_cosine"] < 0.95
    assert found["over_extractive"]["1"]["token_f1"] == pytest.approx(1 - bar["token_f1"], abs=1e-3)
    gains = found["over_extractive_of"]["real vectors"]["1"]
    assert gains["token_f1"] == pytest.approx(1 - bar["token_f1"], abs=1e-3)
    assert (gains["token_f1_ci"] is None) == (found["n_articles"] < 2)
    assert right["perplexity"] == found["true_perplexity"] != first["perplexity"]
    assert right["to_truth"] == pytest.approx(1, abs=5e-3)
    assert (right["name_precision"], right["name_recall"]) == (1, 1)
    assert found["never_falls"] == {"real vectors": True}
    assert right["ms"] > 0
    assert [p["decoded"] for p in found["pairs"]] == [c.text for c in cases.chunks]
    json.dumps(found)


def test_the_bar_is_never_of_the_same_article(seeded_once: Workspace, encoder: Encoder) -> None:
    found = evaluate_decoder(seeded_once, encoder, Parrot(encoder, {}), "enwiki-sample", SETTINGS)
    store = CorpusStore(seeded_once)
    article = {
        text: d.title
        for d in store.documents("enwiki-sample")
        for text in [c.text for c in store.document_chunks(d.document_id)]
    }
    test = {d.title for d in split_documents(store.documents("enwiki-sample"))["test"]}
    for pair in found["pairs"]:
        assert pair["article"] in test
        assert article[pair["nearest"]] != pair["article"]


def test_predictions_are_read_raw_and_snapped(seeded_once: Workspace, encoder: Encoder) -> None:
    found = evaluate_decoder(seeded_once, encoder, "extractive", "enwiki-sample", SETTINGS, models=["copy-last"])
    inputs = list(dict.fromkeys(row["input"] for row in found["rows"]))
    assert inputs == ["real vectors", "prediction of copy-last", "snapped prediction of copy-last"]
    assert found["decoder"] == "extractive"


def test_no_chunk_of_that_length_says_so(seeded_once: Workspace, encoder: Encoder) -> None:
    with pytest.raises(CorpusError, match="no chunk of 9000 to 9001 characters"):
        evaluate_decoder(
            seeded_once, encoder, "extractive", "enwiki-sample", DecoderSettings(min_chars=9000, max_chars=9001)
        )
    with pytest.raises(DecoderError, match="no decoder 'nobody'"):
        evaluate_decoder(seeded_once, encoder, "nobody", "enwiki-sample")


def test_token_f1_counts_shared_words() -> None:
    assert token_f1("the cat sat", "The cat sat!") == 1
    assert token_f1("the the the", "the cat sat") == pytest.approx(1 / 3)
    assert token_f1("", "the cat") == 0
