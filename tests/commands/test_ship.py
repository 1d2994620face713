"""`ship`: a trained run becomes a model that comes with the studio, in half the size, saying what it read."""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from lvm_core import checkpoint
from lvm_core.__main__ import main
from lvm_core.checkpoint import load_model
from lvm_core.shipped import ship
from lvm_core.train import TrainConfig, train
from lvm_core.training_titles import TITLES, training_titles
from lvm_core.workspace import Workspace
from tests.nets.toy import add_corpus

GRU = {"d_model": 16, "n_layers": 2}


@pytest.fixture
def trained(workspace: Workspace) -> Workspace:
    add_corpus(workspace)
    train(workspace, TrainConfig(model="gru", corpus="toy", epochs=1, options=GRU), run="one")
    return workspace


def test_a_run_is_shipped_and_loads_from_there(
    trained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    argv = ["--folder", str(models), "--workspace", str(trained.root)]
    assert main(["ship", "one", "gru-toy", "--json", *argv]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(models / "gru-toy")
    monkeypatch.setattr(checkpoint, "SHIPPED", models)
    loaded = load_model(trained, "gru-toy")
    assert loaded.info.shipped
    assert training_titles(loaded.info) == training_titles(load_model(trained, "one").info)
    assert (models / "gru-toy" / "card.md").read_text().startswith("# gru-toy")
    size = (models / "gru-toy" / "model.safetensors").stat().st_size
    assert size < 0.7 * (trained.run("one") / "model.safetensors").stat().st_size
    assert main(["ship", "one", "gru-toy", *argv]) == 2
    assert "There is a shipped model 'gru-toy'" in capsys.readouterr().err
    assert main(["ship", "one", "gru-toy", "--replace", *argv]) == 0
    assert "Commit that folder." in capsys.readouterr().out


def ship_killed(trained: Workspace, models: Path, at: int) -> bool:
    """Ship over what is there in a process that is killed at its change number `at` below `models`; False: at none."""
    pid = os.fork()
    if pid == 0:
        count = [0]

        def watch(event: str, args: tuple) -> None:
            if event in ("open", "os.rename", "os.mkdir", "shutil.rmtree") and str(args[0]).startswith(str(models)):
                count[0] += 1
                if count[0] == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        with contextlib.suppress(BaseException):
            ship(trained, "one", "gru-toy", models, replace=True)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_a_kill_leaves_a_whole_model_or_none_and_shipping_again_works(trained: Workspace, tmp_path: Path) -> None:
    models, at = tmp_path / "models", 1
    models.mkdir()
    while ship_killed(trained, models, at):
        there = {path.name for path in models.glob("gru-toy/*")}
        assert there in (set(), {"card.md", "config.json", "model.safetensors", "result.json", TITLES})
        if at % 8 == 0:
            ship(trained, "one", "gru-toy", models, replace=True)
            assert [path.name for path in models.iterdir()] == ["gru-toy"]
        at += 3
    assert at > 10


def test_what_cannot_be_shipped_is_refused(
    trained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--folder", str(tmp_path / "models"), "--workspace", str(trained.root)]
    (trained.run("one") / "card.md").unlink()
    for words, message in [
        (["nobody", "x"], "There is no run 'nobody'"),
        (["one", "../x"], "'../x' is no name for a model"),
        (["one", "x"], "has no card.md yet"),
    ]:
        assert main(["ship", *words, *argv]) == 2
        assert message in capsys.readouterr().err
    (trained.run("one") / TITLES).unlink()
    assert main(["ship", "one", "x", *argv]) == 2
    assert "must say what it was trained on" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
