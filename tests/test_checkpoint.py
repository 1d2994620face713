"""Models on disk come back whole, or a message says what is wrong."""

import json

import numpy as np
import pytest
import torch

from lvm_core import checkpoint, forecast
from lvm_core.baselines import build_baseline
from lvm_core.checkpoint import UNFITTED, find_model, list_models, load_model, save_model
from lvm_core.errors import ModelError, SpaceMismatch
from lvm_core.nets import build_model
from lvm_core.training_titles import save_titles, training_titles
from lvm_core.workspace import Workspace
from tests.nets.toy import DIM, ENCODER, walk

X = torch.from_numpy(walk([8]))[None]


def write(workspace: Workspace, run: str, half: bool = False, encoder: str = ENCODER, created: float = 1.0):
    torch.manual_seed(3)
    model = build_model("gru", DIM, d_model=16, n_layers=1, residual=True).eval()
    torch.nn.init.normal_(model.last_layer().weight, std=0.1)
    config = {"encoder_id": encoder, "context": 5, "created": created}
    save_model(workspace.run(run), model, config, half=half)
    return model


@torch.inference_mode()
def test_a_model_comes_back_as_it_was(workspace: Workspace) -> None:
    model = write(workspace, "one")
    loaded = load_model(workspace, "one", ENCODER)
    assert torch.equal(loaded.model(X), model(X))
    assert not loaded.model.training
    info = loaded.info
    assert (info.ref, info.name, info.kind, info.context, info.shipped) == ("one", "gru", "net", 5, False)
    assert info.n_parameters == model.n_parameters()


@torch.inference_mode()
def test_half_precision_takes_half_the_room_and_hardly_changes_a_prediction(workspace: Workspace) -> None:
    model = write(workspace, "half", half=True)
    write(workspace, "full")
    size = {run: (workspace.run(run) / "model.safetensors").stat().st_size for run in ("half", "full")}
    assert size["half"] < 0.75 * size["full"]
    assert float((load_model(workspace, "half").model(X) * model(X)).sum(-1).min()) > 0.9999


def test_another_encoder_is_refused_by_both_names(workspace: Workspace) -> None:
    write(workspace, "one", encoder="other@111111111111")
    with pytest.raises(SpaceMismatch, match=r"model 'one' belongs to the space of encoder 'other@111111111111'.*toy@0"):
        load_model(workspace, "one", ENCODER)


def test_runs_are_listed_newest_first_and_by_encoder_and_damaged_ones_hide_nothing(workspace: Workspace) -> None:
    write(workspace, "old", created=1.0)
    write(workspace, "new", created=2.0)
    write(workspace, "else", encoder="other@111111111111")
    write(workspace, "broken")
    (workspace.run("broken") / "config.json").write_text("{")
    (workspace.run("empty")).mkdir()
    found = [info.ref for info in list_models(workspace, ENCODER) if not info.shipped]
    assert found == ["new", "old"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda folder: (folder / "config.json").write_text("{"),
            "cannot be read: .*config.json is missing or damaged",
        ),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no weights yet"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "cannot be read"),
        (lambda folder: edit(folder, {"options": {"d_model": 8}}), "does not hold the net that config.json"),
        (lambda folder: edit(folder, {"model": "titans"}), "describes no net that can be built"),
    ],
)
def test_a_damaged_run_says_what_is_wrong(workspace: Workspace, spoil, message: str) -> None:
    write(workspace, "one")
    spoil(workspace.run("one"))
    with pytest.raises(ModelError, match=message):
        load_model(workspace, "one")


def edit(folder, changes) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_unknown_model_is_answered_with_those_there_are(workspace: Workspace) -> None:
    write(workspace, "one")
    with pytest.raises(ModelError, match=r"There is no model '\.\./x'; expected one of .*one.*copy-last"):
        load_model(workspace, "../x")


@pytest.mark.parametrize("ref", UNFITTED)
def test_baselines_without_weights_belong_to_every_encoder(workspace: Workspace, ref: str) -> None:
    loaded = load_model(workspace, ref, "any@222222222222")
    assert loaded.info.kind == "baseline"
    assert loaded.info.encoder_id == "any@222222222222"
    assert loaded.model(X).shape == X.shape
    assert training_titles(loaded.info) == []


def test_titles_of_the_training_articles_are_kept(workspace: Workspace) -> None:
    write(workspace, "one")
    assert training_titles(find_model(workspace, "one")) is None
    save_titles(workspace.run("one"), ["Ä b", "C"])
    assert training_titles(find_model(workspace, "one")) == ["Ä b", "C"]


def test_a_run_takes_the_place_of_a_shipped_model_of_its_name(workspace: Workspace, tmp_path, monkeypatch) -> None:
    shipped = Workspace(tmp_path / "elsewhere")
    save_model(shipped.run("amn"), build_baseline("corpus-mean", DIM), {"encoder_id": ENCODER, "context": 1})
    monkeypatch.setattr(checkpoint, "SHIPPED", shipped.runs)
    assert load_model(workspace, "amn").info.shipped
    write(workspace, "amn")
    assert not load_model(workspace, "amn").info.shipped


def test_shipped_models_load_and_say_what_they_were_trained_on(workspace: Workspace) -> None:
    shipped = [info for info in list_models(workspace) if info.shipped]
    for info in shipped:
        model = load_model(workspace, info.ref).model
        context = np.random.default_rng(0).standard_normal((6, model.dim), dtype=np.float32)
        assert np.linalg.norm(forecast.after(model, context).vectors) == pytest.approx(1, abs=1e-5)
        assert training_titles(info)
        assert (info.path / "card.md").read_text().count("digest")
