"""The Predict page while it works and around it: first texts, Stop, leaving and coming back, undo, many models."""

import re
import threading
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lvm_core.decode.decoders import DECODERS
from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.library import worked
from lvm_core.types import Decoded, Vectors
from lvm_core.workspace import Workspace
from pages import PAGES
from pages.shared import glossary
from pages.views.predict import results
from pages.views.predict.origin import examples
from pages.views.predict.run import RUN, Run
from tests.app.conftest import Open, press, shown

CHUNKS = [
    "The moon is the only natural satellite of the Earth.",
    "It orbits at an average distance of 384,400 kilometres.",
    "The moon always shows the same face to the Earth.",
    "Its gravity causes the tides of the oceans.",
    "In 1969 people walked on the moon for the first time.",
]
GERMAN = "Der Rhein ist ein Fluss in Europa. Er entspringt in den Alpen und mündet in die Nordsee."
FIRST = "The moon hangs over some seven quiet villages near the sea."
BETTER = "The moon moves the water of all seven seas twice every day."


class Slow:
    """Says its first text at once, and waits for `go` before any better one."""

    id = "slow"
    go = threading.Event()
    reached = threading.Event()
    calls: list[int] = []  # noqa: RUF012 - one for all, as each page opens its own

    def __init__(self, opening: Opening) -> None:
        self.encoder_id = opening.encoder.id

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        self.calls.append(steps)
        if steps:
            self.reached.set()
            assert self.go.wait(60)
        return [[Decoded(BETTER if s else FIRST, "slow", s, 0.5 + s / 10) for s in range(steps + 1)] for _ in vectors]


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kind = DecoderKind("slow", "waits", "slow", "Said slowly.", lambda *_: True, lambda _: "", Slow)
    monkeypatch.setitem(DECODERS, "slow", kind)
    monkeypatch.setattr("pages.shared.asked.warm", lambda models: None)
    Slow.go.clear()
    Slow.reached.clear()
    Slow.calls.clear()
    yield
    Slow.go.set()


def opened(open_page: Open, workspace: Workspace, **query: str) -> AppTest:
    asked = {"p_models": "copy-last,passthrough", "p_snap": "off", "p_decoder": "slow", **query}
    app = open_page(workspace, **asked)
    for i, chunk in enumerate(CHUNKS):
        app.text_area(key=f"context_box_{i}").set_value(chunk)
    return app


def run_of(app: AppTest) -> Run:
    run: Run = app.session_state[RUN]
    return run


def look(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Look at the page once while it works, as somebody does who comes by."""
    run = run_of(app)
    with monkeypatch.context() as patch:
        patch.setattr(results, "_follow", lambda run, top, draw: draw())
        text = shown(app.run())
    assert run_of(app) is run, "to look begins nothing"
    return text


def test_first_texts_stand_there_while_better_ones_are_written(
    seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(open_page, seeded)
    monkeypatch.setattr(results, "_follow", lambda run, top, draw: draw())
    press(app, "Predict")
    assert Slow.reached.wait(60)
    text = look(app, monkeypatch)
    assert text.count(FIRST) == 2
    assert "being written" in text
    assert "0.5" not in re.sub(r"<[^>]*>", "", text).split(FIRST)[1][:40], "no figure of a text that may still go"
    Slow.go.set()
    monkeypatch.undo()


def test_a_prediction_goes_on_when_the_page_is_left(
    seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(open_page, seeded)
    with monkeypatch.context() as patch:
        patch.setattr(results, "_follow", lambda run, top, draw: draw())
        press(app, "Predict")
    assert Slow.reached.wait(60)
    app.switch_page("pages/system.py").run()
    Slow.go.set()
    app.switch_page("pages/predict.py").run()
    assert not app.exception
    assert shown(app).count(BETTER) >= 2
    assert Slow.calls == [0, 1], "nothing was asked twice"


@pytest.mark.parametrize("other", [name for name in PAGES if name != "predict"])
def test_a_prediction_under_way_is_found_from_every_page(
    other: str, seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(open_page, seeded)
    monkeypatch.setattr(results, "_follow", lambda run, top, draw: draw())
    press(app, "Predict")
    assert Slow.reached.wait(60)
    run = run_of(app)
    for page in (other, "predict"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
    assert run_of(app) is run
    assert not run.finished
    text = shown(app)
    assert text.count(FIRST) == 2
    assert "being written" in text
    assert [app.text_area(key=f"context_box_{i}").value for i in range(5)] == CHUNKS
    Slow.go.set()


def test_a_press_is_not_lost_when_the_run_of_the_page_is_broken_off(
    seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    Slow.go.set()
    app = opened(open_page, seeded)
    with monkeypatch.context() as patch:
        patch.setattr("pages.views.predict.form.show", lambda at: st.stop())  # as a box that is left breaks it off
        press(app, "Predict")
    assert RUN not in app.session_state
    app.run()
    assert not app.exception
    assert BETTER in shown(app)


def test_stop_ends_it_and_says_what_is_there_and_go_on_goes_on(
    seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(open_page, seeded)
    with monkeypatch.context() as patch:
        patch.setattr(results, "_follow", lambda run, top, draw: draw())
        press(app, "Predict")
    assert Slow.reached.wait(60)
    run_of(app).stop()
    Slow.go.set()
    text = shown(app.run())
    assert "Stopped: 0 of 2 texts are final." in text
    assert FIRST in text
    press(app, "Go on")
    assert not app.exception
    assert "Stopped" not in shown(app)
    assert BETTER in shown(app)


def test_what_the_encoder_does_not_know_is_said_before_and_written_once(seeded: Workspace, open_page: Open) -> None:
    Slow.go.set()
    app = opened(open_page, seeded)
    for i in range(5):
        app.text_area(key=f"context_box_{i}").set_value(GERMAN)
    app.run()
    assert "This looks like German. all-MiniLM-L6-v2 knows English" in shown(app)
    press(app, "Predict")
    assert Slow.calls == [0, 1]
    assert all(p.method != "extractive" for p in run_of(app).predictions.values())


# ---------------------------------------------------------------- what was typed


def mode(app: AppTest, name: str) -> AppTest:
    (control,) = [group for group in app.get("button_group") if group.label == "Context"]
    return control.set_value(name).run()


def test_chunks_and_one_text_carry_over_both_ways(seeded: Workspace, open_page: Open) -> None:
    Slow.go.set()
    app = opened(open_page, seeded).run()
    two = "Two sentences. In one chunk."
    app.text_area(key="context_box_0").set_value(two).run()
    mode(app, "One text")
    assert app.text_area(key="context_text").value.splitlines() == [two, *CHUNKS[1:]]
    press(app, "Predict")
    mode(app, "Chunks")
    assert [app.text_area(key=f"context_box_{i}").value for i in range(5)] == [two, *CHUNKS[1:]]


def test_clear_and_an_example_can_be_undone(seeded: Workspace, open_page: Open) -> None:
    app = opened(open_page, seeded).run()
    press(app, "Clear")
    assert app.text_area(key="context_box_0").value == ""
    press(app, "Undo")
    assert [app.text_area(key=f"context_box_{i}").value for i in range(5)] == CHUNKS


def test_five_pasted_lines_become_five_chunks(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace)
    app.text_area(key="context_box_0").set_value("\n".join(CHUNKS)).run()
    assert [app.text_area(key=f"context_box_{i}").value for i in range(5)] == CHUNKS


def test_a_text_can_be_appended_and_gone_on_from(seeded: Workspace, open_page: Open) -> None:
    Slow.go.set()
    app = press(opened(open_page, seeded, p_models="copy-last"), "Predict")
    press(app, "Append and go on")
    assert not app.exception
    assert app.text_area(key="context_box_5").value == BETTER
    assert run_of(app).texts == (*CHUNKS, BETTER)
    assert app.get("popover") or "Before" in shown(app)


# ---------------------------------------------------------------- many models, before, away


def test_many_models_stand_in_a_table_and_one_can_be_looked_at(seeded: Workspace, open_page: Open) -> None:
    Slow.go.set()
    many = "amn,gru,lstm,mlp,transformer,ensemble,copy-last,passthrough"
    app = press(opened(open_page, seeded, p_models=many, p_snap="both"), "Predict")
    assert not app.exception
    text = shown(app)
    assert "lvm-many" in text
    assert text.count(BETTER) >= 15
    (closer,) = [box for box in app.selectbox if box.label == "Look closer at"]
    closer.select("gru").run()
    assert not app.exception
    assert "How it came about" in shown(app)


def test_earlier_predictions_come_back_with_their_context(seeded: Workspace, open_page: Open) -> None:
    Slow.go.set()
    app = press(opened(open_page, seeded), "Predict")
    first = run_of(app)
    app.text_area(key="context_box_4").set_value("Nobody has been there since 1972.")
    press(app, "Predict")
    assert run_of(app) is not first
    (back,) = [b for b in app.button if b.key == "before-0"]
    back.click().run()
    assert not app.exception
    assert run_of(app) is first
    assert app.text_area(key="context_box_4").value == CHUNKS[4]


def test_a_corpus_that_becomes_ready_is_no_change_of_the_question(
    seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    Slow.go.set()
    with monkeypatch.context() as patch:
        patch.setattr("pages.shared.state.encoded_corpora", lambda space=None: [])
        app = press(opened(open_page, seeded, p_snap="both"), "Predict")
    assert "have changed since" not in shown(app.run())


# ---------------------------------------------------------------- first sight


def test_first_sight_says_what_this_is_beside_a_prediction_made_before(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace)
    text = shown(app)
    stored = worked.load()
    name, predictions = stored.example, stored.predictions
    assert examples()[name].target in text
    assert all(prediction.text in text for prediction in predictions)
    assert "reads the vectors of the last few" in text
    wanted = set(re.findall(r'popovertarget="([^"]+)"', text))
    assert wanted
    assert wanted <= set(re.findall(r'popover[^>]* id="([^"]+)"', text))
    assert {glossary.identity(name) for name in ("snap", "encoder", "decoder", "chunk")} <= wanted


def test_the_worked_example_becomes_live_with_a_press(seeded: Workspace, open_page: Open) -> None:
    app = press(open_page(seeded, p_models="copy-last", p_decoder="none"), "Predict it now")
    assert not app.exception
    assert run_of(app).truth == examples()[worked.load().example].target
