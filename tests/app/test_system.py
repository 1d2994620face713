"""The System page says what is here and how to get the rest, and shows no key."""

import dataclasses
from pathlib import Path

import pytest

from lvm_core.encoders import ENCODERS, encoder_id
from lvm_core.workspace import Workspace
from pages.views.system import facts
from tests.app.conftest import Open, shown
from tests.encoders.toy import toy_kind


def test_what_is_missing_comes_with_its_command(workspace: Workspace, open_page: Open) -> None:
    text = shown(open_page(workspace, "system"))
    for part in ("all-MiniLM-L6-v2", "2.13.0", "CC BY-SA", str(workspace.root), "LVM_LLM_KEY"):
        assert part in text, part
    assert "not here" in text
    assert "huggingface-cli download" in text


def test_keys_and_passwords_are_masked(workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LVM_LLM_KEY", "sk-secret")
    monkeypatch.setenv("LVM_DATABASE_URL", "postgresql://me:hush@db.example:5432/lnsp?password=hush")
    text = shown(open_page(workspace, "system"))
    assert "secret" not in text
    assert "hush" not in text
    assert "db.example:5432/lnsp" in text


def test_an_encoder_with_tmd_dimensions_can_be_chosen(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "system")
    (box,) = [b for b in app.selectbox if b.label == "Encoder in use"]
    assert box.options[0] == "all-MiniLM-L6-v2"
    box.select("all-MiniLM-L6-v2+tmd").run()
    assert not app.exception
    assert "all-MiniLM-L6-v2+tmd@" in shown(app).replace("\\", "")
    assert "not encoded" in shown(app), "its vectors are a space of their own"
    app.switch_page("pages/predict.py").run()
    assert not app.exception


def test_a_new_encoder_is_shown_and_offered_where_it_is_here(
    workspace: Workspace, open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "cache"))
    kind = toy_kind(tmp_path / "toy")
    monkeypatch.setitem(ENCODERS, "toy", kind)
    app = open_page(workspace, "system")
    assert not app.exception
    assert "16-D, any language, a toy of sixteen numbers" in shown(app)
    (box,) = [b for b in app.selectbox if b.label == "Encoder in use"]
    assert {"toy", "toy+tmd"} <= set(box.options)
    box.select("toy").run()
    assert not app.exception
    assert encoder_id("toy") in shown(app).replace("\\", "")
    assert "pip install a-toy" not in shown(app)

    monkeypatch.setitem(ENCODERS, "toy", dataclasses.replace(kind, is_here=lambda: False))
    app = open_page(workspace, "system")
    assert "pip install a-toy" in shown(app)
    (box,) = [b for b in app.selectbox if b.label == "Encoder in use"]
    assert "toy" not in box.options


@pytest.mark.parametrize(("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (2.5e9, "2.5 GB")])
def test_sizes_read_well(n_bytes: float, text: str) -> None:
    assert facts.readable(n_bytes) == text


def test_a_broken_address_is_masked_whole() -> None:
    assert facts.mask("LVM_LLM_URL", "http://[broken:hush") == "(set, not shown)"
    assert facts.mask("LVM_DATABASE_URL", "S3cret") == "(set, not shown)"
