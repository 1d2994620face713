"""The Predict page: what a user pastes, sees, and gets back after a refresh."""

from pathlib import Path

import pytest

from lvm_core.corpus.store import CorpusStore
from lvm_core.workspace import Workspace
from pages.shared import packed
from pages.views.predict.origin import examples
from tests.app.conftest import Open, press, shown

CHUNKS = [
    "The moon is the only natural satellite of the Earth.",
    "It orbits at an average distance of 384,400 kilometres.",
    "The moon always shows the same face to the Earth.",
    "Its gravity causes the tides of the oceans.",
    "In 1969 people walked on the moon for the first time.",
]


def test_an_example_is_one_click_away(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, p_models="context-mean", p_decoder="extractive")
    (pills,) = [group for group in app.get("button_group") if group.label == "Examples"]
    pills.set_value("Abraham Lincoln").run()
    assert not app.exception
    text = shown(app)
    assert "Elected to the United States House of Representatives in 1846" in text
    assert "context-mean" in text
    assert "to true next" in text
    assert "extractive" in text


def test_five_chunks_give_a_text_with_everything_that_led_there(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, p_models="context-mean", p_snap="both", p_decoder="extractive")
    for i, chunk in enumerate(CHUNKS):
        app.text_area(key=f"context_box_{i}").set_value(chunk)
    press(app, "Predict")
    assert not app.exception
    text = shown(app)
    for part in ("raw", "snapped", "Neighbours (16)", "round trip", "encode", "entropy", "keyword"):
        assert part in text, part
    assert any(chunk.text in text for chunk in CorpusStore(seeded).chunks("enwiki-sample", range(100)))


def test_one_text_is_split_and_predicted(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, p_models="copy-last", p_snap="off", p_decoder="none")
    (mode,) = [group for group in app.get("button_group") if group.label == "Context"]
    mode.set_value("One text").run()
    app.text_area(key="context_text").set_value(" ".join(CHUNKS))
    press(app, "Predict")
    assert "5 chunks" in shown(app)
    assert "copy-last" in shown(app)


def test_what_was_typed_comes_back_after_a_refresh(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace)
    app.text_area(key="context_box_0").set_value(CHUNKS[0]).run()
    kept = app.query_params["t"]
    again = open_page(workspace, t=kept[0] if isinstance(kept, list) else kept)
    assert again.text_area(key="context_box_0").value == CHUNKS[0]


def test_another_page_and_back_keeps_text_and_choices(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded)
    app.text_area(key="context_box_0").set_value(CHUNKS[0]).run()
    app.multiselect(key="predict:p_models").set_value(["copy-last"]).run()
    app.switch_page("pages/system.py").run()
    app.switch_page("pages/predict.py").run()
    assert not app.exception
    assert app.text_area(key="context_box_0").value == CHUNKS[0]
    assert app.multiselect(key="predict:p_models").value == ["copy-last"]


def test_a_place_in_the_corpus_comes_back_with_its_true_next_chunk(seeded: Workspace, open_page: Open) -> None:
    app = open_page(
        seeded,
        p_models="context-mean",
        p_decoder="none",
        t=packed.pack({"from": ["enwiki-sample", [0, 1, 2]], "run": True}),
    )
    following = CorpusStore(seeded).chunks("enwiki-sample", [3])[0]
    assert following.text in shown(app)
    assert "chunks 1 to 3" in shown(app)


def test_an_address_of_a_corpus_that_is_gone_says_so(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace, t=packed.pack({"from": ["lost", [0]]}))
    assert not app.exception
    assert any("cannot be shown" in warning.value for warning in app.warning)


@pytest.mark.parametrize("damaged", ["", "%%%", "~0123", "eNoDAAAAAAE"])
def test_a_damaged_address_opens_the_page_all_the_same(damaged: str, workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace, t=damaged)
    assert not app.exception
    assert not app.error


def test_nothing_pasted_is_said_in_plain_words(seeded: Workspace, open_page: Open) -> None:
    app = press(open_page(seeded), "Predict")
    assert not app.exception
    assert any("no text" in error.value for error in app.error)


def test_a_chunk_of_100_000_characters_is_read_and_noted(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, p_models="copy-last", p_snap="off", p_decoder="none")
    app.text_area(key="context_box_0").set_value("moon " * 20_000)
    press(app, "Predict")
    assert not app.exception
    assert "the encoder reads only the beginning" in shown(app)


def test_text_is_shown_as_text_never_as_markup(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, p_models="copy-last", p_snap="off", p_decoder="none")
    app.text_area(key="context_box_0").set_value("<script>alert(1)</script> **bold** $x$")
    press(app, "Predict")
    assert not app.exception
    assert all("<script>" not in element.proto.body for element in app.get("html"))


def test_models_predict_before_any_corpus_is_there(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace, p_models="context-mean", p_decoder="none")
    app.text_area(key="context_box_0").set_value(CHUNKS[0])
    press(app, "Predict")
    assert not app.exception
    assert "No corpus is encoded" in shown(app)


def test_a_workspace_that_cannot_be_written_says_so_and_models_predict(tmp_path: Path, open_page: Open) -> None:
    (tmp_path / "file").write_text("in the way")
    app = open_page(
        Workspace(tmp_path / "file" / "work"), first="enwiki-sample", p_models="context-mean", p_decoder="none"
    )
    assert not app.exception
    assert any("Cannot write" in error.value for error in app.error)
    app.text_area(key="context_box_0").set_value(CHUNKS[0])
    press(app, "Predict")
    assert not app.exception
    assert "predict" in shown(app)


def test_long_drafts_are_named_and_short_ones_carried() -> None:
    short, long = {"chunks": CHUNKS}, {"text": "".join(chr(33 + i * 7919 % 20_000) for i in range(20_000))}
    assert packed.unpack(packed.pack(short)) == short
    assert len(packed.pack(long)) < 20
    assert packed.unpack(packed.pack(long)) == long


def test_examples_name_their_split_and_their_next_chunk() -> None:
    found = examples()
    assert {origin.split for origin in found.values()} == {"train", "validation", "test"}
    assert all(origin.target and 1 <= len(origin.texts) <= 5 for origin in found.values())
