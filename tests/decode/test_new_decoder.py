"""A decoder from outside: one kind, and it is offered wherever decoders are."""

import json

import pytest

from lvm_core.__main__ import main
from lvm_core.decode.decoders import DECODERS
from lvm_core.decode.kind import DecoderKind, Opening
from lvm_core.types import Decoded, Vectors
from lvm_core.workspace import Workspace
from tests.app.conftest import Open, open_page, press, shown  # noqa: F401 - a fixture

TEXT = "The moon is what this toy says of each vector that it was ever given"


class Toy:
    """Says one sentence."""

    id = "toy"

    def __init__(self, opening: Opening) -> None:
        self.encoder_id = opening.encoder.id

    def decode_all(self, vectors: Vectors, steps: int) -> list[list[Decoded]]:
        return [[Decoded(TEXT, "toy", step, 0.5) for step in range(steps + 1)] for _ in vectors]


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = DecoderKind(
        "a toy", "one sentence for all", "toy", "Said by a toy.", lambda *_: True, lambda _: "make toy", Toy
    )
    monkeypatch.setitem(DECODERS, "toy", kind)


def test_the_command_line_offers_it_and_answers_with_it(seeded: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    assert "extractive, toy" in " ".join(capsys.readouterr().out.split())
    asked = ["--workspace", str(seeded.root), "--chunk", "Moon.", "--model", "copy-last", "--decoder", "toy", "--json"]
    assert main(["predict", *asked]) == 0
    (prediction,) = json.loads(capsys.readouterr().out)["predictions"]
    assert (prediction["text"], prediction["decoder"]) == (TEXT, "toy")


def test_the_predict_page_offers_it_and_says_how_the_text_came_about(seeded: Workspace, open_page: Open) -> None:  # noqa: F811
    app = open_page(seeded, p_models="copy-last", p_snap="off")
    (box,) = [b for b in app.selectbox if b.label == "Decoder"]
    box.select("toy").run()
    app.text_area(key="context_box_0").set_value("Moon.")
    press(app, "Predict")
    assert not app.exception
    assert TEXT in shown(app)
    assert "Said by a toy." in shown(app)


def test_the_system_page_says_whether_it_is_here(seeded: Workspace, open_page: Open) -> None:  # noqa: F811
    assert "one sentence for all" in shown(open_page(seeded, "system"))
