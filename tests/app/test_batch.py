"""A file of contexts on the Predict page: read, predicted, shown as a table, taken along; stopped half way."""

import json
import threading

import pytest
from streamlit.testing.v1 import AppTest

from lvm_core.decode.decoders import DECODERS
from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.predict.batch import NamedContext, PredictedContext
from lvm_core.types import Decoded, Vectors
from lvm_core.workspace import Workspace
from pages.views.predict import batch
from pages.views.predict.batch import BATCH, BatchRun
from tests.app.conftest import Open, press, shown

LINES = [
    {"chunks": ["The moon orbits the Earth."], "target": "The tides follow the moon.", "name": "moon <b>"},
    {"chunks": ["The Rhine is a river.", "It rises in the Alps."]},
]


def upload(app: AppTest, name: str = "mine.jsonl", data: bytes | None = None) -> AppTest:
    content = data if data is not None else "\n".join(map(json.dumps, LINES)).encode()
    return app.file_uploader(key="batch-file").set_value((name, content, "application/octet-stream")).run()


def run_of(app: AppTest) -> BatchRun:
    run: BatchRun = app.session_state[BATCH]
    return run


def test_a_file_becomes_a_table_of_real_chunks_to_take_along(seeded: Workspace, open_page: Open) -> None:
    app = upload(open_page(seeded, p_models="copy-last,context-mean", p_snap="both"))
    press(app, "Predict 2 contexts")
    assert not app.exception
    text = shown(app)
    for part in ("moon &lt;b&gt;", "context 2", "It rises in the Alps.", "copy-last, raw", "context-mean, snapped"):
        assert part in text, part
    assert {p.method for one in run_of(app).batch for p in one.predictions} == {"extractive"}
    for one in run_of(app).batch:
        for p in one.predictions:
            assert p.text.split()[0] in text
            assert (p.cosine_to_target is not None) == (one.context.name == "moon <b>")
    assert {"JSON", "CSV"} <= {button.label for button in app.get("download_button")}
    app.switch_page("pages/system.py").run()
    app.switch_page("pages/predict.py").run()
    assert "moon &lt;b&gt;" in shown(app), "it stands there on coming back"


def test_a_file_that_cannot_be_read_says_which_line(seeded: Workspace, open_page: Open) -> None:
    app = upload(open_page(seeded, p_models="copy-last"), data=b'{"chunks": ["a"]}\n{"chunks": "b"}')
    assert not app.exception
    (error,) = app.error
    assert "Line 2 of mine.jsonl: chunks is 'b'; expected a list." in error.value.replace("\\", "")
    assert not [button for button in app.button if button.key == "batch-predict"]


def test_without_a_corpus_it_says_why_there_is_no_text(workspace: Workspace, open_page: Open) -> None:
    app = upload(open_page(workspace, p_models="copy-last"))
    text = shown(press(app, "Predict 2 contexts"))
    assert not app.exception
    assert "(no text)" in text
    assert "No corpus is encoded with this encoder yet" in text


class Slow:
    """Writes once `go` says so."""

    id = "slow"
    go, reached = threading.Event(), threading.Event()

    def __init__(self, opening: Opening) -> None:
        self.encoder_id = opening.encoder.id

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        self.reached.set()
        assert self.go.wait(60)
        return [[Decoded("Seven quiet villages.", "slow", s, 0.5) for s in range(steps + 1)] for _ in vectors]


def test_the_decoder_is_a_switch_and_stop_keeps_what_has_come(
    seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    Slow.go.clear()
    monkeypatch.setitem(
        DECODERS, "slow", DecoderKind("slow", "waits", "slow", "Slow.", lambda *_: True, lambda _: "", Slow)
    )
    monkeypatch.setattr("pages.shared.asked.warm", lambda models: None)
    app = upload(open_page(seeded, p_models="copy-last", p_snap="off", p_decoder="slow", p_steps="1"))
    (switch,) = [toggle for toggle in app.toggle if toggle.key == "batch-writes"]
    switch.set_value(True).run()
    assert "2 texts. How long one takes is not measured yet" in shown(app)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "_follow", lambda run: None)
        press(app, "Predict 2 contexts")
    assert Slow.reached.wait(60)
    run_of(app).stop()
    Slow.go.set()
    text = shown(app.run())
    assert not app.exception
    assert "Stopped: 1 of 2 contexts are predicted." in text
    assert "Seven quiet villages." in text
    press(app, "Go on")
    assert not app.exception
    assert "Stopped" not in shown(app)
    assert [one.context.name for one in run_of(app).batch] == ["moon <b>", "context 2"], "nothing is predicted twice"


def test_a_context_that_fails_is_named_in_its_row() -> None:
    one = NamedContext(("The moon.",), "", "moon")
    table = batch.table_html([PredictedContext(one, (), "The prediction <of> it is not finite.")])
    assert "The prediction &lt;of&gt; it is not finite." in table
    assert "lvm-bad" in table


def test_an_estimate_says_on_what_it_stands() -> None:
    assert batch.estimate(10, 2.0) == "10 texts, about 20 s: a text took 2.0 s in the prediction above."
    assert "about 33 min" in batch.estimate(1000, 2.0)
    assert "about 5.6 h" in batch.estimate(10_000, 2.0)
