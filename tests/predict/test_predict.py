"""From chunks to text, with everything between: who is a neighbour, what is excluded, what is said when parts lack."""

import json
import time

import numpy as np
import pytest
import torch

from lvm_core import forecast
from lvm_core.checkpoint import load_model, save_model
from lvm_core.decode.checks import PRESETS, AdaptiveSettings
from lvm_core.errors import CorpusError, DecoderError, EncoderError, ModelError, SettingsError, SpaceMismatch
from lvm_core.nets import build_model
from lvm_core.nets.query import QueryHead
from lvm_core.predict import Predictor, PredictSettings, Question, to_json
from lvm_core.predict.corpus import OpenCorpus
from lvm_core.predict.report import report, to_csv, to_markdown
from lvm_core.snap import SnapSettings, snap
from lvm_core.types import Chunk, CorpusInfo, Decoded, DocumentInfo
from tests.decode.fakes import TinyIndex

DIM = 48
N_ARTICLES, N_CHUNKS = 6, 20
TOPICS = ("volcano", "orchestra", "glacier", "parliament", "molecule", "harbour")
WORDS = [
    "old",
    "new",
    "large",
    "small",
    "north",
    "south",
    "early",
    "late",
    "quiet",
    "bright",
    "common",
    "strange",
    "heavy",
    "light",
    "deep",
    "high",
]
CONTEXT = ["The volcano erupted early.", "A bright volcano glowed.", "People fled north from the volcano."]


class WordEncoder:
    """A bag of words at random directions: real geometry, no net to load."""

    id, dim, unit_norm = "words@000000000000", DIM, True

    def __init__(self):
        self.calls = 0

    def encode(self, texts):
        self.calls += 1
        vectors = np.stack([sum(self.word(word) for word in text.lower().split()) for text in texts])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    @staticmethod
    def word(word):
        seed = int.from_bytes(word.strip(".,").encode()[:8].ljust(8, b"\0"), "little")
        return np.random.default_rng(seed).standard_normal(DIM)


class TinyCorpus:
    """Six articles of twenty chunks, as store and matrix."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.digest, self.texts, self.all = "d1", [], []
        for a, topic in enumerate(TOPICS):
            for p in range(N_CHUNKS):
                words = " ".join(rng.choice(WORDS, 4, replace=False))
                text = f"The {topic} number {p} was {words} in the {topic} region."
                self.all.append(Chunk(len(self.all), len(self.all), a, topic.title(), p, text))
        self.matrix = WordEncoder().encode([chunk.text for chunk in self.all])

    def corpus(self, name):
        return CorpusInfo(1, name, "ready", "s", "l", "sentence", True, N_ARTICLES, len(self.all), self.digest, 0.0)

    def chunks(self, name, rows):
        return [self.all[row] for row in rows]

    def documents(self, name):
        return [DocumentInfo(a, TOPICS[a], a, a * N_CHUNKS, N_CHUNKS, "") for a in range(N_ARTICLES)]

    def rows(self, idx):
        return self.matrix[idx]


@pytest.fixture(scope="module")
def corpus():
    return TinyCorpus()


@pytest.fixture
def ground(corpus):
    return OpenCorpus(corpus.corpus("tiny"), corpus, corpus, TinyIndex(corpus.matrix, WordEncoder.id))


@pytest.fixture
def predictor(workspace, ground, monkeypatch):
    monkeypatch.setattr("lvm_core.predict.pipeline.open_corpus", lambda *_: (ground, ""))
    monkeypatch.setattr("lvm_core.predict.text.available_decoders", lambda *_: ["extractive"])
    return Predictor(workspace, encoder=WordEncoder())


@pytest.fixture
def nowhere(workspace, monkeypatch):
    """Return a predictor without any corpus."""
    monkeypatch.setattr("lvm_core.predict.pipeline.open_corpus", lambda *_: (None, "No corpus is encoded yet."))
    monkeypatch.setattr("lvm_core.predict.text.available_decoders", lambda *_: [])
    return Predictor(workspace, encoder=WordEncoder())


@pytest.fixture
def net(workspace):
    """Return the ref of an untrained net with a context of three."""
    folder = workspace.make(workspace.run("amn-tiny"))
    model = build_model("amn", DIM, d_model=16, d_hidden=16)
    save_model(folder, model, {"encoder_id": WordEncoder.id, "context": 3})
    return "amn-tiny"


SEEDS = PredictSettings(adaptive=PRESETS["seeds"])


def ask(predictor, models, context=CONTEXT, settings=SEEDS, **options):
    found = {p.model: p for p in predictor.predict(context, models, settings, **options)}
    return [found[model] for model in dict.fromkeys(models)]


def test_text_in_text_out_with_everything_between(predictor, net, ground):
    models = ["context-mean", "copy-last", net, "passthrough"]
    predictions = ask(predictor, models)
    assert predictor.encoder.calls == 1, "all chunks are encoded in one call"
    for prediction in predictions:
        assert prediction.text
        assert len(prediction.neighbours) == 16
        assert np.linalg.norm(prediction.raw) == pytest.approx(1, abs=1e-5)
        assert set(prediction.timings.stages()) == {"encode", "predict", "snap", "decode", "total"}
        assert prediction.timings.total == pytest.approx(
            sum(ms for name, ms in prediction.timings.stages().items() if name != "total")
        )
        assert prediction.context.vectors.shape == (3, DIM)
    mean, last, _, through = predictions
    assert mean.method == "extractive"
    assert mean.neighbours[0].chunk.article == "Volcano"
    assert sum(n.weight for n in mean.neighbours) == pytest.approx(1)
    expected = snap(mean.raw, mean.context.vectors, ground.index, ground.vectors)
    np.testing.assert_allclose(mean.vector, expected.vector, atol=1e-5)
    np.testing.assert_allclose(last.raw, mean.context.vectors[-1], atol=1e-6)
    assert (through.method, through.snap_on) == ("passthrough", False)
    np.testing.assert_allclose(through.vector, through.context.vectors[-1], atol=1e-6)


def test_one_search_serves_all_models(predictor, ground):
    ask(predictor, ["copy-last", "context-mean", "random"], settings=PredictSettings(decoder="none"))
    assert ground.index.searches == 1


def test_a_query_finds_the_neighbours_that_are_shown_and_leaves_the_snap_alone(workspace, predictor, ground):
    settings = PredictSettings(snap="both", decoder="none", snapping=SnapSettings(k=6))
    seen = {}
    for ref in ("plain", "asking"):
        torch.manual_seed(0)
        model = build_model("amn", DIM, d_model=16, d_hidden=16)
        if ref == "asking":
            model.query = QueryHead(DIM, 3)
            model.query.shares[1] = -0.8  # the last chunk is taken out
        save_model(workspace.make(workspace.run(ref)), model, {"encoder_id": WordEncoder.id, "context": 3})
        seen[ref] = list(predictor.predict(CONTEXT, [ref], settings))
    searches = ground.index.searches
    (raw, snapped), (plain, plainly_snapped) = seen["asking"], seen["plain"]
    np.testing.assert_allclose(raw.raw, plain.raw, atol=1e-6)
    np.testing.assert_allclose(snapped.vector, plainly_snapped.vector, atol=1e-6)
    assert [n.chunk.row for n in snapped.neighbours] == [n.chunk.row for n in plainly_snapped.neighbours]
    assert [n.chunk.row for n in plain.neighbours] == [n.chunk.row for n in snapped.neighbours]

    query = forecast.after(load_model(workspace, "asking").model, raw.context.vectors).queries
    (hits,) = ground.index.search(query[None], 6, raw.context.rows)
    assert [n.chunk.row for n in raw.neighbours] == [hit.row for hit in hits]
    assert [n.chunk.row for n in raw.neighbours] != [n.chunk.row for n in plain.neighbours]
    for neighbour in raw.neighbours:
        assert neighbour.cosine == pytest.approx(float(neighbour.vector @ raw.raw), abs=1e-5)
        assert neighbour.weight == 0
    assert searches == 2, "prediction and query are one search"


def test_both_is_one_run_of_the_engine_with_two_results(predictor, ground, net, monkeypatch):
    runs = []
    after = forecast.after
    monkeypatch.setattr(forecast, "after", lambda *given: runs.append(1) or after(*given))
    settings = PredictSettings(snap="both", decoder="none")
    predictions = list(predictor.predict(CONTEXT, [net, "copy-last", "passthrough"], settings))
    assert [(p.model, p.snap_on) for p in predictions] == [
        (net, False), (net, True), ("copy-last", False), ("copy-last", True), ("passthrough", False),
    ]  # fmt: skip
    assert (predictor.encoder.calls, ground.index.searches, len(runs)) == (1, 1, 3)
    raw, snapped = predictions[:2]
    assert raw.context is snapped.context
    np.testing.assert_array_equal(raw.raw, snapped.raw)
    np.testing.assert_array_equal(raw.vector, raw.raw)
    (alone,) = predictor.predict(CONTEXT, [net], PredictSettings(snap="on", decoder="none"))
    np.testing.assert_allclose(snapped.vector, alone.vector, atol=1e-6)


def test_a_true_next_chunk_known_as_text_alone_is_aimed_at(predictor):
    text = "The volcano slept again."
    (p,) = predictor.predict(CONTEXT, ["copy-last"], PredictSettings(decoder="none"), target_text=text)
    assert predictor.encoder.calls == 1, "in one call with the context"
    assert p.cosine_to_target == pytest.approx(float(p.vector @ WordEncoder().encode([text])[0]), abs=1e-5)
    assert p.context.target is None


def test_who_watches_sees_vectors_first_then_texts_growing(predictor, storyteller):
    question = Question(CONTEXT)
    seen = list(predictor.watch(question, ["context-mean", "copy-last"], SEEDS))
    assert [p.text for p in seen[:2]] == ["", ""]
    assert all(p.neighbours and not p.done for p in seen[:2])
    assert [(p.model, p.done) for p in seen[-2:]] == [("context-mean", True), ("copy-last", True)]
    waited = [p.timings.waited for p in seen if p.model == "copy-last"]
    assert waited == sorted(waited)


def test_predictions_are_taken_along_as_a_table_and_as_a_note(predictor):
    predictions = list(predictor.predict([], ["copy-last"], SEEDS, target_row=25, context_rows=[22, 23, 24]))
    lines = to_csv(predictions).splitlines()
    assert lines[0].startswith("model,snapped,text,method,steps,round_trip_cosine,cosine_to_target")
    assert len(lines) == 2
    note = to_markdown(predictions)
    assert "1. The orchestra number 2" in note
    assert "## True next chunk\n\nThe orchestra number 5" in note
    assert f"| copy-last | snapped | {predictions[0].text} |" in note


def test_without_snap_the_raw_vector_is_said_and_neighbours_weigh_nothing(predictor):
    (off,) = ask(predictor, ["context-mean"], settings=PredictSettings(snap="off"))
    assert not off.snap_on
    np.testing.assert_array_equal(off.raw, off.vector)
    assert {n.weight for n in off.neighbours} == {0.0}
    assert len(off.neighbours) == 16


def test_a_pasted_chunk_of_the_corpus_is_neither_neighbour_nor_answer(predictor, corpus):
    pasted = [corpus.all[row].text for row in (5, 6, 7)]
    for prediction in ask(predictor, ["copy-last", "passthrough"], context=pasted):
        assert not {n.chunk.row for n in prediction.neighbours} & {5, 6, 7}
        assert prediction.text not in pasted


def test_context_from_the_corpus_knows_the_true_chunk_and_never_reads_it(predictor, corpus):
    (p,) = ask(predictor, ["context-mean"], context=[], context_rows=[22, 23, 24], target_row=25)
    assert predictor.encoder.calls == 0, "the stored vectors are used"
    assert p.context.target.text == corpus.all[25].text
    assert list(p.context.texts) == [corpus.all[row].text for row in (22, 23, 24)]
    assert p.cosine_to_target == pytest.approx(float(p.vector @ corpus.matrix[25]), abs=1e-5)
    assert p.raw_cosine_to_target == pytest.approx(float(p.raw @ corpus.matrix[25]), abs=1e-5)
    assert "Orchestra" not in {n.chunk.article for n in p.neighbours}, "its whole article is out"
    assert "orchestra" not in p.text


@pytest.mark.parametrize(("choice", "out"), [("context", {22, 23, 24, 25}), ("article", set(range(20, 40)))])
def test_what_is_excluded_is_a_choice(predictor, choice, out):
    settings = PredictSettings(exclude=choice, snapping=SnapSettings(k=100))
    (p,) = ask(predictor, ["copy-last"], [], settings, context_rows=[22, 23, 24], target_row=25)
    rows = {n.chunk.row for n in p.neighbours}
    assert not rows & out
    assert rows & set(range(20, 40)) == (set() if choice == "article" else rows & (set(range(20, 40)) - out))


def test_further_rows_are_excluded_in_an_evaluation(predictor):
    (p,) = ask(predictor, ["context-mean"], exclude=np.arange(20))
    assert "Volcano" not in {n.chunk.article for n in p.neighbours}


def test_a_context_that_is_too_long_is_cut_and_says_so(predictor, net):
    long = [*CONTEXT, "A glacier moved.", "The harbour froze."]
    cut, same = ask(predictor, [net], long)[0], ask(predictor, [net], long[-3:])[0]
    assert "has 5 chunks; amn-tiny reads the last 3" in cut.note
    np.testing.assert_allclose(cut.raw, same.raw, atol=1e-5)
    assert not same.note
    assert ask(predictor, [net], long[:1])[0].text


def test_without_corpus_and_decoder_vectors_still_come(nowhere, net):
    raw, through = ask(nowhere, [net, "passthrough"])
    assert raw.text == through.text == ""
    assert "No corpus is encoded yet." in raw.note
    assert "no decoder is here" in raw.note
    assert not raw.snap_on
    np.testing.assert_array_equal(raw.raw, raw.vector)
    with pytest.raises(DecoderError, match="extractive decoder needs a corpus"):
        ask(nowhere, [net], settings=PredictSettings(decoder="extractive"))
    with pytest.raises(CorpusError, match=r"Rows name chunks of a corpus, but there is none; .*No corpus"):
        ask(nowhere, [net], [], context_rows=[1])


def test_a_corpus_that_appears_later_is_found(workspace, ground, monkeypatch):
    there = []
    monkeypatch.setattr(
        "lvm_core.predict.pipeline.open_corpus", lambda *_: (ground, "") if there else (None, "None yet.")
    )
    monkeypatch.setattr("lvm_core.predict.text.available_decoders", lambda *_: [])
    predictor = Predictor(workspace, encoder=WordEncoder())
    assert "None yet." in ask(predictor, ["copy-last"])[0].note
    there.append(True)
    assert ask(predictor, ["copy-last"])[0].neighbours


def test_a_corpus_that_changed_is_opened_again(predictor, corpus, ground, monkeypatch):
    ask(predictor, ["copy-last"])
    opened = []
    monkeypatch.setattr("lvm_core.predict.pipeline.open_corpus", lambda *_: (opened.append(1) or ground, ""))
    ask(predictor, ["copy-last"])
    assert not opened
    monkeypatch.setattr(corpus, "digest", "d2")
    ask(predictor, ["copy-last"])
    assert opened


@pytest.mark.parametrize("context", [[], [""], ["  ", "\n\t"]])
def test_a_context_without_text_is_refused(predictor, context):
    with pytest.raises(EncoderError, match=r"context holds no text .* at least one chunk with a word"):
        ask(predictor, ["copy-last"], context)


def test_odd_chunks_are_taken_and_noted(predictor):
    (word,) = ask(predictor, ["copy-last"], ["volcano"])
    assert word.text
    (some,) = ask(predictor, ["copy-last"], ["", "volcano", " "])
    assert "2 empty of 3 chunks left out" in some.note
    (huge,) = ask(predictor, ["copy-last"], ["volcano", "volcano " * 12_500])
    assert "Of chunk 2 (99,999 characters) the encoder reads only the beginning" in huge.note


def test_bad_requests_are_refused(predictor, workspace, net):
    with pytest.raises(SettingsError, match="No model was chosen"):
        ask(predictor, [])
    with pytest.raises(ModelError, match="There is no model 'nonesuch'"):
        ask(predictor, ["nonesuch"])
    with pytest.raises(CorpusError, match=r"Row 120 is not in corpus 'tiny'; .* 120 chunks, rows 0 to 119"):
        ask(predictor, [net], [], context_rows=[119, 120])
    with pytest.raises(CorpusError, match="Row -1 is not in corpus"):
        ask(predictor, [net], target_row=-1)
    with pytest.raises(EncoderError, match="no rows were given"):
        ask(predictor, [net], [], context_rows=[])
    with pytest.raises(SpaceMismatch, match=r"(?s)encoder 'words@0.*'other@1"):
        Predictor(workspace, "other@111111111111", encoder=WordEncoder())


def test_a_model_of_another_encoder_is_refused(predictor, workspace):
    folder = workspace.make(workspace.run("foreign"))
    save_model(folder, build_model("amn", DIM, d_model=8, d_hidden=8), {"encoder_id": "other@11", "context": 5})
    with pytest.raises(SpaceMismatch, match=r"(?s)model 'foreign'.*'other@11'.*'words@000000000000'"):
        ask(predictor, ["foreign"])


def test_a_model_that_says_nan_is_refused(predictor, workspace):
    import torch

    folder = workspace.make(workspace.run("broken"))
    model = build_model("amn", DIM, d_model=8, d_hidden=8)
    torch.nn.init.constant_(next(model.parameters()), float("nan"))
    save_model(folder, model, {"encoder_id": WordEncoder.id, "context": 5})
    with pytest.raises(ModelError, match="'broken' predicts NaN"):
        ask(predictor, ["broken"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (PredictSettings(steps=1000), "steps is 1000; expected 0 to 50"),
        (PredictSettings(snapping=SnapSettings(k=0)), "k is 0"),
        (PredictSettings(adaptive=AdaptiveSettings(ladder=(5, 1))), "ladder is"),
        (PredictSettings(exclude="nothing"), "exclude is 'nothing'"),
        (PredictSettings(smooth="magic"), "smooth is 'magic'"),
    ],
)
def test_settings_out_of_bounds_are_refused(predictor, settings, message):
    with pytest.raises(SettingsError, match=message):
        ask(predictor, ["copy-last"], settings=settings)


class Storyteller:
    """Says the steps it took; on the topic from step 3 on."""

    id, encoder_id = "storyteller", WordEncoder.id

    def __init__(self):
        self.calls = []

    def decode_all(self, vectors, steps):
        self.calls.append((len(vectors), steps))
        return [[self.text(s) for s in range(steps + 1)] for _ in vectors]

    @staticmethod
    def text(steps):
        subject = "volcano" if steps >= 3 else "xylophone"
        text = f"Yesterday some {subject} near seven quiet villages produced {steps} enormous noises overnight"
        return Decoded(text, "inverter", steps, 0.5 + steps / 20)


@pytest.fixture
def storyteller(predictor, monkeypatch):
    teller = Storyteller()
    monkeypatch.setattr("lvm_core.predict.text.available_decoders", lambda *_: ["inverter", "extractive"])
    monkeypatch.setattr("lvm_core.opened.load_decoder", lambda *_, **__: teller)
    return teller


def test_the_ladder_decodes_all_models_in_one_batch(predictor, storyteller):
    first, second = ask(predictor, ["context-mean", "copy-last"])
    assert storyteller.calls == [(2, 1), (2, 3)]
    assert [(a.decoded.steps, a.accepted) for a in first.decoding.attempts] == [(1, False), (3, True)]
    assert "off the topic" in first.decoding.attempts[0].reason
    assert (first.steps, first.method, first.round_trip_cosine) == (3, "inverter", 0.65)
    assert [t.steps for t in second.decoding.hypotheses] == [0, 1, 2, 3]


def test_steps_asked_for_are_the_steps_taken(predictor, storyteller):
    (p,) = ask(predictor, ["copy-last"], settings=PredictSettings(steps=1))
    assert (p.steps, p.method) == (1, "inverter")
    assert not p.decoding.attempts[0].accepted, "the checks stand beside the text, which is shown all the same"
    assert storyteller.calls == [(1, 1)]
    (again,) = ask(predictor, ["copy-last"], settings=PredictSettings(steps=1))
    assert again.timings.cached
    assert again.text == p.text
    assert len(storyteller.calls) == 1
    ask(predictor, ["copy-last"], settings=PredictSettings(steps=1, use_cache=False))
    assert len(storyteller.calls) == 2


def test_a_decoder_that_cannot_be_used_is_replaced_only_where_nobody_asked_for_it(predictor, storyteller, monkeypatch):
    def refuse(*_, **__):
        raise DecoderError("Its weights are missing", "all", "Fetch them.")

    monkeypatch.setattr("lvm_core.opened.load_decoder", refuse)
    (p,) = ask(predictor, ["copy-last"])
    assert p.method == "extractive"
    assert "Decoder 'inverter' cannot be used, so another answers: Its weights are missing; expected all." in p.note
    with pytest.raises(DecoderError, match="Its weights are missing"):
        ask(predictor, ["copy-last"], settings=PredictSettings(decoder="inverter"))


def test_no_decoder_leaves_the_text_out(predictor):
    (p,) = ask(predictor, ["copy-last"], settings=PredictSettings(decoder="none"))
    assert (p.text, p.method, p.round_trip_cosine, p.decoding.attempts) == ("", "none", None, ())


def test_json_has_the_fields_that_others_build_on(predictor, net):
    predictions = ask(predictor, [net, "passthrough"], [], context_rows=[22, 23, 24], target_row=25)
    found = json.loads(json.dumps(to_json(predictions, 3, predictor.encoder.id), allow_nan=False))
    assert (found["context"], found["encoder"]) == (3, WordEncoder.id)
    one = found["predictions"][0]
    wanted = [
        "model",
        "text",
        "method",
        "steps",
        "round_trip_cosine",
        "cosine_to_target",
        "snap",
        "attempts",
        "timings_ms",
    ]
    assert set(wanted) <= set(one)
    assert set(one["snap"]["neighbours"][0]) == {"chunk_id", "article", "position", "text", "cosine", "weight"}
    assert {"steps", "text", "repeated_bigrams", "entropy", "keyword", "accepted"} <= set(one["attempts"][0])
    assert set(one["timings_ms"]) == {"encode", "predict", "snap", "decode", "total"}
    assert one["target"]["article"] == "Orchestra"
    text = report(found)
    assert "true next chunk (Orchestra, chunk 5)" in text
    assert "amn-tiny: extractive" in text


def test_people_read_why_texts_were_rejected_each_once(predictor, storyteller, monkeypatch):
    monkeypatch.setattr(storyteller, "text", lambda steps: Decoded("Seven xylophones.", "inverter", steps, 0.3))
    text = report(to_json(ask(predictor, ["copy-last"]), 3, WordEncoder.id))
    assert "- rejected at 1, 3, 5 steps: 'Seven xylophones.' (says little: word entropy 1.00 bits" in text
    assert text.count("xylophones") == 1


def test_a_warm_prediction_takes_less_than_fifty_milliseconds(predictor, net):
    """Five encoded chunks to a snapped vector."""
    options = {"context": [], "settings": PredictSettings(decoder="none"), "context_rows": [0, 1, 2, 3, 4]}
    ask(predictor, [net], **options)
    times = []
    for _ in range(9):
        begun = time.perf_counter()
        ask(predictor, [net], **options)
        times.append((time.perf_counter() - begun) * 1000)
    assert np.median(times) < 50
