"""A new encoder is one file and one line: the command line knows it at once (tests/app/test_system.py: the page)."""

from pathlib import Path

import pytest

from lvm_core.__main__ import main
from lvm_core.encoders import ENCODERS, encoder_for, encoder_id, load_encoder
from lvm_core.types import Encoder
from lvm_core.vectors.matrix import encoded_with
from lvm_core.workspace import Workspace
from tests.encoders.contract import EncoderContract
from tests.encoders.toy import toy_kind
from tests.vectors.worlds import small_corpus


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(ENCODERS, "toy", toy_kind(tmp_path / "toy"))
    return "toy"


class TestToy(EncoderContract):
    @pytest.fixture
    def encoder(self, toy: str) -> Encoder:
        return load_encoder(toy)

    def test_a_hundred_thousand_characters_are_cut_as_the_model_does(self, encoder: Encoder) -> None:
        assert encoder.encode(["river stone " * 8_333]).shape == (1, encoder.dim), "a toy reads all of it"


def test_the_command_line_offers_and_uses_it(
    toy: str, workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["encode", "--help"])
    assert "toy (16-D)" in " ".join(capsys.readouterr().out.split())
    small_corpus(workspace, tmp_path)
    assert main(["encode", "--corpus", "tiny", "--encoder", toy, "--workspace", str(workspace.root)]) == 0
    assert encoded_with(workspace, "tiny") == [encoder_id(toy)]
    assert encoder_for(encoder_id(toy)).id == encoder_id(toy)
    assert main(["encode", "--corpus", "tiny", "--encoder", "nonsense", "--workspace", str(workspace.root)]) == 2
    assert "gtr-t5-base, toy" in capsys.readouterr().err
