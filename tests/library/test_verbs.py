"""The verbs of a `Studio` give what the engine and the commands give, and say what was expected of a mistake."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from lvm_core import Studio
from lvm_core.__main__ import main
from lvm_core.encoders import load_encoder
from lvm_core.errors import CorpusError, EncoderError, JobError, LvmError, ModelError, SettingsError
from lvm_core.workspace import Workspace
from tests.library.serving import served

CHUNKS = ["Anarchism is a political philosophy.", "It is sceptical of authority.", "It calls for stateless societies."]
QUICK: dict[str, Any] = {"models": ["lstm", "copy-last"], "decoder": "extractive", "snap": "both"}


@pytest.fixture(scope="module")
def here(seeded_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a copy of the articles, because texts and results are kept beside them."""
    import shutil

    root = tmp_path_factory.mktemp("library") / "work space"
    shutil.copytree(seeded_once.root, root)
    return Workspace(root)


@pytest.fixture(scope="module")
def address(here: Workspace) -> Iterator[str]:
    with served(here) as url:
        yield url


@pytest.fixture(scope="module", params=["here", "over HTTP"])
def studio(request: pytest.FixtureRequest, here: Workspace) -> Studio:
    """Return a studio that answers by itself, and one that asks a service: what they give must be the same."""
    return Studio(here.root if request.param == "here" else request.getfixturevalue("address"))


def command(capsys: pytest.CaptureFixture[str], here: Workspace, name: str, *words: str) -> Any:
    capsys.readouterr()
    assert main([name, "--workspace", str(here.root), "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def without_times(value: Any) -> Any:
    """Return JSON without what no two runs have in common."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in ("timings_ms", "ms", "cached", "seconds")}
    return [without_times(one) for one in value] if isinstance(value, list) else value


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are the same but for the last digits of their numbers.

    Another process, and texts encoded in other company, round differently.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < 1e-4
    return bool(one == other)


def test_many_contexts_have_what_each_has_alone_and_a_bad_one_its_error(studio: Studio) -> None:
    contexts = [CHUNKS, ["  "], CHUNKS[:1], CHUNKS[1:]]
    first, bad, *rest = studio.predict_all(contexts, targets=["It rejects the state.", "", "", ""], **QUICK)
    assert isinstance(bad, EncoderError)
    assert "holds no text" in str(bad)
    alone = studio.predict(CHUNKS, target="It rejects the state.", **QUICK)
    assert [(p.model, p.snap_on, p.text) for p in first] == [(p.model, p.snap_on, p.text) for p in alone]
    assert first[0].cosine_to_target == pytest.approx(alone[0].cosine_to_target, abs=2e-3)
    assert [len(one) for one in rest] == [4, 4]
    with pytest.raises(SettingsError, match="2 targets for 1 contexts; expected one for each"):
        studio.predict_all([CHUNKS], targets=["a", "b"])


def test_importing_the_package_loads_nothing() -> None:
    look = "import sys, lvm_core; print(sorted({'torch', 'numpy', 'httpx', 'lvm_core.library'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_predictions_are_those_of_the_command(
    studio: Studio, here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    said = studio.predict(CHUNKS, **QUICK)
    words = [word for chunk in CHUNKS for word in ("--chunk", chunk)]
    words += ["--model", "lstm", "--model", "copy-last", "--decoder", "extractive", "--snap", "both"]
    assert same(without_times(said.to_json()), without_times(command(capsys, here, "predict", *words)))
    assert [(p.model, p.snap_on) for p in said] == [(m, on) for m in QUICK["models"] for on in (False, True)]
    assert said.of("lstm", snapped=True).vector.shape == (384,)
    assert list(said.frame()["model"]) == ["lstm", "lstm", "copy-last", "copy-last"]


def test_rows_of_a_corpus_bring_the_truth(studio: Studio) -> None:
    said = studio.predict(rows=range(2, 7), corpus="enwiki-sample", models=["copy-last"], decoder="none")
    target = said[0].context.target
    assert target is not None
    assert target.row == 7
    assert said[0].cosine_to_target is not None


def test_predictions_come_as_they_grow(studio: Studio) -> None:
    seen = list(studio.watch(CHUNKS, **QUICK))
    assert not seen[0].done
    assert seen[0].neighbours
    assert {(p.model, p.snap_on) for p in seen if p.done} == {(p.model, p.snap_on) for p in seen}
    assert all(p.text for p in seen if p.done)


def test_text_becomes_vectors_and_text_again(studio: Studio) -> None:
    vectors = studio.encode(CHUNKS)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, load_encoder().encode(CHUNKS))
    known = studio.search("Aristotle", k=1)[0].chunk.text
    (text,) = studio.decode(studio.encode([known])[0], decoder="extractive")
    assert text.text == known
    assert text.round_trip_cosine == pytest.approx(1, abs=1e-3)


def test_vectors_in_vectors_out(studio: Studio) -> None:
    vectors = studio.encode(CHUNKS)
    one = studio.infer(vectors, "lstm")
    many = studio.infer(np.stack([vectors, vectors[::-1]]), "lstm")
    assert one.vectors.shape == (384,)
    assert many.vectors.shape == (2, 384)
    np.testing.assert_allclose(many.vectors[0], one.vectors, atol=1e-6)
    raw = studio.predict(CHUNKS, ["lstm"], snap="off", decoder="none")[0].raw
    np.testing.assert_allclose(raw, one.vectors, atol=1e-5)


def test_what_there_is(studio: Studio, here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert [info.name for info in studio.corpora()] == ["enwiki-sample"]
    space = studio.space()
    assert space.encoder.startswith("all-MiniLM-L6-v2@")
    assert {model.ref for model in space.models} >= {"lstm", "gru", "mlp-100"}
    assert "extractive" in space.decoders
    assert [info.name for info in space.corpora] == ["enwiki-sample"]
    rows = command(capsys, here, "leaderboard")["rows"]
    board = studio.leaderboard()
    assert [row["model"] for row in board.rows()] == [row["model"] for row in rows]
    assert "cosine" in board.frame().columns
    assert str(len(studio.search("philosophy", k=3, words=True))) in "0123"
    near = studio.search("a philosophy against the state", k=3)
    assert [hit.cosine for hit in near] == sorted((hit.cosine or 0 for hit in near), reverse=True)


def test_rollouts_are_those_of_the_command(studio: Studio, here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for chunk in CHUNKS for word in ("--chunk", chunk)]
    expected = command(capsys, here, "rollout", *words, "--model", "lstm", "--steps", "3")
    assert same(studio.rollout(CHUNKS, ["lstm"], steps=3), expected)


def test_train_evaluate_drift_and_map(studio: Studio) -> None:
    told: list[tuple[float, str]] = []
    run = "here" if studio.place.startswith("/") else "elsewhere"
    watched = Studio(studio.place, progress=lambda share, text: told.append((share, text)))
    result = watched.train("linear-filter", run=run, context=3)
    assert result["stopped"] == "finished"
    assert told[-1][0] == 1
    evaluated = studio.evaluate([run, "copy-last"], twins=False)
    assert {row.model for row in evaluated.rows} == {run, "copy-last"}
    assert {"cosine", "recall_at_5"} <= set(evaluated.rows[0].values)
    assert run in repr(evaluated)
    drift = studio.drift([run], steps=2, articles=2)
    assert [row["variant"] for row in drift["rows"]] == ["raw", "snapped"]
    made = studio.project([run], windows=5, corpus_points=20)
    assert made.coordinates["target"].shape[1] == 2
    assert made.numbers[0]["name"] == "target"


def test_what_is_made_as_it_is_asked_for_is_asked_once(studio: Studio) -> None:
    said = studio.predict((text for text in CHUNKS), (name for name in ("copy-last", "lstm")), decoder="none")
    assert [prediction.model for prediction in said.predictions] == ["copy-last", "lstm"]


def test_a_notebook_shows_text_as_text(studio: Studio) -> None:
    said = studio.predict(["<b>bold</b> words"], ["copy-last"], target="<i>x</i>", decoder="none")
    assert "<i>" not in said._repr_html_()
    assert "&lt;i&gt;x" in said._repr_html_()
    assert "copy-last" in repr(said)
    assert "<table>" in studio.leaderboard()._repr_html_()


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda s: s.predict([" "]), EncoderError, "The context holds no text"),
        (lambda s: s.predict("one text"), EncoderError, "chunks is 'one text'; expected a list of texts"),
        (lambda s: s.predict(["a"], ["nonesuch"]), ModelError, "There is no model 'nonesuch'"),
        (lambda s: s.predict(["a"], ["lstm"], steps=1000), SettingsError, "steps is 1000; expected 0 to 50"),
        (lambda s: s.predict(["a"], ["lstm"], stepz=1), SettingsError, "There is no setting 'stepz'; expected one of"),
        (lambda s: s.predict(["a"], ["lstm"], corpus="nowhere"), CorpusError, "nowhere"),
        (lambda s: s.predict(rows=[1, 2]), SettingsError, "expected its name as corpus=NAME"),
        (lambda s: s.encode(["a"], encoder="nonesuch"), EncoderError, "There is no encoder 'nonesuch'"),
        (lambda s: s.infer(np.zeros((2, 3)), "lstm"), ModelError, "are of shape"),
        (lambda s: s.infer([["a"]], "lstm"), EncoderError, "no array of numbers"),
        (lambda s: s.decode(np.full(384, np.nan), decoder="extractive"), LvmError, "NaN"),
        (lambda s: s.search(" "), SettingsError, "query is empty"),
        (lambda s: s.search("a", k=0), SettingsError, "k is 0; expected 1 to 1,000"),
        (lambda s: s.infer(3.0, "lstm"), ModelError, "are of shape"),
        (lambda s: s.leaderboard(by="beauty"), ModelError, "has no number 'beauty'"),
        (lambda s: s.train("lstm", nonesuch=1), SettingsError, "train has no setting 'nonesuch'; expected one of"),
        (lambda s: s.train("lstm", epochs="many"), SettingsError, "epochs"),
        (lambda s: s.predict(["a"], None), SettingsError, "models is None; expected a name, or a list of names"),
        (lambda s: s.predict(5), EncoderError, "chunks is 5; expected a list of texts"),
        (lambda s: s.predict(["a"], corpus=5), SettingsError, "predict: corpus is 5; expected text or None"),
        (lambda s: s.predict(["a"], settings={}), SettingsError, "settings is {}; expected PredictSettings or None"),
        (lambda s: s.predict(rows=["a"], corpus="b"), SettingsError, "rows is list of str; expected whole numbers"),
        (lambda s: s.predict_all(None), EncoderError, "contexts is None; expected a list of contexts"),
        (lambda s: s.search("a", k="x"), SettingsError, "search: k is 'x'; expected a whole number"),
        (lambda s: s.ingest(5), SettingsError, "ingest: source is 5; expected text or a path"),
        (lambda s: s.predict_all([["a"]], targets=None), SettingsError, "targets is None; expected a list of texts"),
        (lambda s: s.predict_all([["a"]], targets=[5]), SettingsError, "targets is list of int; expected a list"),
        (lambda s: s.predict_all([["a"]], targets=["b", "c"]), SettingsError, "2 targets for 1 contexts"),
        (lambda s: s.rollout(), SettingsError, "both chunks and a row, or neither"),
    ],
)
def test_a_mistake_is_the_house_s_own_error(
    studio: Studio, ask: Callable[[Studio], object], error: type[LvmError], message: str
) -> None:
    with pytest.raises(error, match=message):
        ask(studio)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"where": 5}, "Studio: where is 5; expected text or a path or None"),
        ({"where": b"x"}, "Studio: where is b'x'; expected text"),
        ({"where": "http://127.0.0.1:1", "timeout_s": "x"}, "timeout_s is 'x'; expected a number"),
        ({"where": "http://127.0.0.1:1", "timeout_s": -1}, "timeout_s is -1; expected seconds above 0"),
        ({"where": "http://127.0.0.1:1", "timeout_s": float("nan")}, "timeout_s is nan; expected seconds above 0"),
        ({"where": "http://127.0.0.1:1", "key": "hidd\u00e9n"}, "The key of the service has letters that no key has"),
        ({"where": "http://127.0.0.1:1", "key": b"hidden"}, "key is a bytes; expected text"),
    ],
)
def test_a_studio_of_an_impossible_place_is_refused_in_words(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        Studio(**given)
    assert "hidd" not in str(refusal.value)


def test_what_a_long_verb_finds_wrong_only_at_work_is_said_in_the_same_words(studio: Studio) -> None:
    # at a service it is a job that fails, not the asking
    expected = JobError if studio.place.startswith("http") else ModelError
    with pytest.raises(expected, match="There is no model 'nonesuch'"):
        studio.evaluate(["nonesuch"])
