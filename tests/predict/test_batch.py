"""A file of contexts: what is read of it, what is refused and where, and that each is predicted as one alone."""

import csv
import io
import json

import pytest

from lvm_core.encoders import load_encoder
from lvm_core.errors import ModelError, SourceError
from lvm_core.predict import Ask, Predictor, PredictSettings
from lvm_core.predict.batch import (
    Here,
    NamedContext,
    batch_csv,
    batch_json,
    batch_report,
    predict_batch,
    quick_decoder,
    read_batch,
    seconds_per_text,
)
from lvm_core.workspace import Workspace

MOON = ("The moon orbits the Earth.", "Its gravity causes the tides.")
RHINE = ("The Rhine is a river.",)
LINES = (
    json.dumps({"chunks": MOON, "target": "The tides rise twice a day.", "name": "moon"})
    + "\n\n"
    + json.dumps({"chunks": RHINE})
    + "\n"
)
QUICK = PredictSettings(snap="both", decoder="extractive")


def test_a_line_is_a_context_with_its_target_and_name() -> None:
    assert read_batch(LINES.encode(), "mine.jsonl") == [
        NamedContext(MOON, "The tides rise twice a day.", "moon"),
        NamedContext(RHINE, "", "context 2"),
    ]


def test_a_list_holds_lists_or_objects() -> None:
    data = json.dumps([MOON, {"chunks": RHINE, "name": "rhine"}]).encode("utf-8-sig")
    assert read_batch(data, "mine.JSON") == [NamedContext(MOON, "", "context 1"), NamedContext(RHINE, "", "rhine")]


def test_blank_lines_divide_the_contexts_of_a_text() -> None:
    data = f"\r\n{MOON[0]}\r\n{MOON[1]}\r\n \r\n\r\n{RHINE[0]}".encode()
    assert [context.chunks for context in read_batch(data, "mine.txt")] == [MOON, RHINE]


def test_half_characters_become_whole_ones() -> None:
    (context,) = read_batch(b'{"chunks": ["moon \\ud800"]}', "mine.jsonl")
    assert context.chunks == ("moon \ufffd",)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"x", r"'a.csv' is no batch of contexts by its name; expected .jsonl, .json, .txt"),
        ("a.jsonl", b'{"chunks": ["a"]}\n{"chunks": "b"}', r"Line 2 of a.jsonl: chunks is 'b'; expected a list. Give"),
        ("a.jsonl", b'\n{"target": "b"}', r"Line 2 of a.jsonl: chunks is missing; expected a value for it. Give"),
        ("a.jsonl", b'{"chunks": ["a", 7]}', r"Line 1 of a.jsonl: chunks\[1\] is 7; expected text"),
        ("a.jsonl", b'{"chunks": ["a"], "truth": ""}', r"Line 1 of a.jsonl: truth is ''; expected one of the keys"),
        ("a.jsonl", b'{"chunks": ["a"]}\n{"chunks', r"Line 2 of a.jsonl cannot be read as JSON: .* Give"),
        ("a.jsonl", b'{"chunks": [" "]}', r"Line 1 of a.jsonl has 1 chunks without text; expected one or more"),
        ("a.jsonl", b"{}\n" * 0, r"a.jsonl holds no context; expected one or more"),
        ("a.json", b'{"chunks": ["a"]}', r"a.json is no list; expected a list of contexts"),
        ("a.json", b'[["a"], []]', r"Context 2 of a.json has 0 chunks without text"),
        ("a.txt", b"good\nba\xffd", r"Line 2 of a.txt holds the byte 0xff; expected text in UTF-8. Save it as UTF-8"),
        ("a.txt", b"a\n\n" * 10_001, r"a.txt has 10,001 contexts; expected at most 10,000"),
        ("a.txt", b"a" * 10_000_001, r"a.txt has 10.0 MB; expected at most 10 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_what_to_do(name: str, data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_batch(data, name)


def test_each_context_is_predicted_as_one_alone(seeded: Workspace) -> None:
    predictor = Predictor(seeded, encoder=load_encoder(device="cpu"))
    models = ["copy-last", "context-mean"]
    contexts = read_batch(LINES.encode(), "mine.jsonl")
    told: list[float] = []
    batch = list(predict_batch(Here(predictor), contexts, models, QUICK, lambda share, _: told.append(share)))
    assert [one.context.name for one in batch] == ["moon", "context 2"]
    assert told == [1.0]
    for one in batch:
        assert [(p.model, p.snap_on) for p in one.predictions] == [(m, on) for m in models for on in (False, True)]
        alone = {(p.model, p.snap_on): p.text for p in predictor.predict(one.context.chunks, models, QUICK)}
        assert {(p.model, p.snap_on): p.text for p in one.predictions} == alone
    assert all(p.cosine_to_target is not None for p in batch[0].predictions)
    assert all(p.cosine_to_target is None for p in batch[1].predictions)
    assert (seconds_per_text(batch[0].predictions) or 0) > 0

    (first, second) = batch_json(batch, predictor.encoder.id)["batch"]
    assert (first["name"], first["chunks"], first["context"]) == ("moon", list(MOON), 2)
    assert (first["target"], second["target"]) == ("The tides rise twice a day.", None)
    rows = list(csv.DictReader(io.StringIO(batch_csv(batch))))
    assert len(rows) == 8
    assert (rows[0]["name"], rows[0]["last_chunk"], rows[0]["model"]) == ("moon", MOON[1], "copy-last")
    assert rows[0]["text"] == batch[0].predictions[0].text
    assert rows[-1]["cosine_to_target"] == ""


def test_a_context_that_fails_is_noted_and_the_rest_go_on(seeded: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor(seeded, encoder=load_encoder(device="cpu"))
    contexts = read_batch(LINES.encode(), "mine.jsonl")
    foresee = predictor.foresee

    def fails_on_the_moon(asks: list[Ask]) -> object:
        if any(ask.question.context == MOON for ask in asks):
            raise ModelError("The prediction of copy-last is not finite", "numbers", "Train it again.")
        return foresee(asks)

    monkeypatch.setattr(predictor, "foresee", fails_on_the_moon)
    batch = list(predict_batch(Here(predictor), contexts, ["copy-last"], QUICK))
    assert [bool(one.predictions) for one in batch] == [False, True]
    report = batch_json(batch, predictor.encoder.id)
    assert [one["error"] for one in report["batch"]] == [
        "The prediction of copy-last is not finite; expected numbers. Train it again.",
        None,
    ]
    assert "moon: Its gravity causes the tides.\n  not predicted: The prediction" in batch_report(report)
    (failed, *others) = csv.DictReader(io.StringIO(batch_csv(batch)))
    assert (failed["name"], failed["text"]) == ("moon", "")
    assert failed["error"].startswith("The prediction of copy-last")
    assert {row["error"] for row in others} == {""}


def test_contexts_are_encoded_predicted_and_searched_together(
    seeded: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load_encoder(device="cpu")
    predictor = Predictor(seeded, encoder=encoder)
    asked, foresee = [], predictor.foresee
    monkeypatch.setattr(predictor, "foresee", lambda asks: asked.append(len(asks)) or foresee(asks))
    contexts = [NamedContext((f"Sentence {i} of a text.", "It goes on.")) for i in range(40)]
    batch = list(predict_batch(Here(predictor), contexts, ["context-mean"], QUICK))
    assert [bool(one.predictions) for one in batch] == [True] * 40
    assert asked == [32, 8]


def test_what_fails_every_context_is_said_at_once(seeded: Workspace) -> None:
    predictor = Predictor(seeded, encoder=load_encoder(device="cpu"))
    contexts = read_batch(LINES.encode(), "mine.jsonl")
    with pytest.raises(ModelError, match="no-such-model"):
        next(predict_batch(Here(predictor), contexts, ["no-such-model"], QUICK))


def test_a_batch_goes_on_after_what_is_done(seeded: Workspace) -> None:
    predictor = Predictor(seeded, encoder=load_encoder(device="cpu"))
    told: list[float] = []
    contexts = read_batch(LINES.encode(), "mine.jsonl")
    rest = predict_batch(Here(predictor), contexts, ["copy-last"], QUICK, lambda share, _: told.append(share), 1)
    assert [one.context.name for one in rest] == ["context 2"]
    assert told == [1.0]


def test_without_a_corpus_a_batch_has_vectors_and_no_text(workspace: Workspace) -> None:
    assert quick_decoder(Predictor(workspace, encoder=load_encoder(device="cpu")).corpus is not None) == "none"
