"""Training from settings to result: it learns, stops, resumes bit for bit, and refuses what cannot be."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lvm_core.checkpoint import load_model
from lvm_core.config import typed
from lvm_core.errors import CorpusError, ModelError, SettingsError, SpaceMismatch
from lvm_core.train import TrainConfig, train
from lvm_core.train.card import write_card
from lvm_core.train.config import arguments
from lvm_core.train.schedule import verdict
from lvm_core.training_titles import training_titles
from lvm_core.workspace import Workspace
from tests.nets.toy import ENCODER, add_corpus, sizes

GRU = {"d_model": 16, "n_layers": 2, "dropout": 0.2}
QUICK = {"model": "gru", "corpus": "toy", "batch_size": 8, "epochs": 2, "options": GRU, "log_steps": 5, "lr": 2e-3}


def settings(**changes) -> TrainConfig:
    return TrainConfig(**{**QUICK, **changes})


def weights(workspace: Workspace, run: str) -> dict[str, torch.Tensor]:
    return load_model(workspace, run).model.state_dict()


def last_weights(workspace: Workspace, run: str) -> dict[str, torch.Tensor]:
    return torch.load(workspace.run(run) / "train_state.pt", weights_only=True)["model"]


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def metrics(workspace: Workspace, run: str) -> list[dict]:
    return [json.loads(line) for line in (workspace.run(run) / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def toy(workspace: Workspace) -> Workspace:
    add_corpus(workspace)
    return workspace


def test_a_card_of_a_description_that_was_changed_says_so(toy: Workspace) -> None:
    result = train(toy, settings(), run="one")
    path = toy.run("one") / "config.json"
    whole = json.loads(path.read_text())
    for changed in ({"run": "one"}, {**whole, "corpora": 3}, {**whole, "n_articles": {}}, {**whole, "train": []}):
        path.write_text(json.dumps(changed))
        with pytest.raises(ModelError, match=r"config\.json is damaged, so the run has no card\.md .*; expected"):
            write_card(toy.run("one"), result)


def test_a_run_folder_has_everything(toy: Workspace) -> None:
    told = []
    result = train(toy, settings(), run="one", progress=lambda share, message: told.append((share, message)))
    folder = toy.run("one")
    names = {"config.json", "model.safetensors", "train_state.pt", "metrics.jsonl", "result.json", "card.md"}
    assert names <= {p.name for p in folder.iterdir()}
    assert not list(folder.glob(".*.tmp"))
    assert json.loads((folder / "result.json").read_text()) == result
    assert result["stopped"] == "finished"
    assert set(result["baselines"]) == {"weighted-mean", "linear-filter"}
    assert result["windows"] == 2 * result["n_windows"]
    lines = metrics(toy, "one")
    wanted = {"step", "epoch", "loss", "grad_norm", "val_cosine", "baselines", "lr", "windows_per_s"}
    assert all(wanted <= set(line) for line in lines[1:])
    assert [line["epoch"] for line in lines if line["val_cosine"] is not None] == [0, 1, 2]
    assert told[-1][0] == 1.0
    assert any("windows/s" in m and "left" in m and "weighted mean" in m for _, m in told)
    card = (folder / "card.md").read_text()
    assert ENCODER in card
    assert "python -m lvm_core train --model gru --corpus toy" in card
    titles = training_titles(load_model(toy, "one").info)
    assert titles is not None
    assert len(titles) == result["n_articles"] == 24


def test_every_prefix_learns_and_a_plain_net_beats_its_first_epoch(toy: Workspace) -> None:
    result = train(toy, settings(residual=False, epochs=12, patience=12), run="plain")
    curve = [line["val_cosine"] for line in metrics(toy, "plain") if line["val_cosine"] is not None]
    assert result["val_cosine"] == pytest.approx(max(curve))
    assert max(curve) > curve[0] + 0.03


def test_a_residual_net_never_falls_below_its_filter(toy: Workspace) -> None:
    result = train(toy, settings(lr=0.1, epochs=3), run="wild")
    assert result["val_cosine"] >= result["baselines"]["linear-filter"] - 1e-6


def test_a_residual_net_learns_from_its_first_step(toy: Workspace) -> None:
    train(toy, settings(), run="learns")
    assert all(line["grad_norm_total"] > 0 for line in metrics(toy, "learns") if line["step"])


def test_six_epochs_are_three_and_three_more_bit_for_bit(toy: Workspace) -> None:
    config = settings(epochs=6, patience=6, loss="contrastive")
    train(toy, config, run="whole")
    assert train(toy, config, run="halves", stop_after=3)["stopped"] == "paused"
    train(toy, None, run="halves", resume=True)
    assert equal(last_weights(toy, "whole"), last_weights(toy, "halves"))
    assert equal(weights(toy, "whole"), weights(toy, "halves"))
    keys = ("step", "epoch", "val_cosine", "lr", "loss")
    assert [[m.get(k) for k in keys] for m in metrics(toy, "whole")] == [
        [m.get(k) for k in keys] for m in metrics(toy, "halves")
    ]


def start(workspace: Workspace, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "lvm_core", "train", "--workspace", str(workspace.root), "--json", *words]
    root = Path(__file__).resolve().parent.parent.parent
    return subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


def flags(epochs: int) -> list[str]:
    words = ["--model", "gru", "--corpus", "toy", "--batch-size", "4", "--epochs", str(epochs), "--patience", "999"]
    return [*words, *(w for k, v in GRU.items() for w in ("--option", f"{k}={v}")), "--checkpoint-s", "0.1"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_that_is_killed_goes_on_as_if_it_had_not_been(toy: Workspace, how: signal.Signals) -> None:
    victim = start(toy, *flags(10), "--run", "killed")
    state = toy.run("killed") / "train_state.pt"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (state.exists() and len(step_lines(toy, "killed")) > 3):
        time.sleep(0.01)
    victim.send_signal(how)
    _, errors = victim.communicate(timeout=60)
    assert victim.returncode == (130 if how == signal.SIGTERM else -signal.SIGKILL), errors
    at = torch.load(state, weights_only=True)["position"]
    assert 0 < at["epoch"] < 10
    go_on = start(toy, "--run", "killed", "--resume")
    out, errors = go_on.communicate(timeout=120)
    assert go_on.returncode == 0, errors
    assert json.loads(out)["epochs"] == 10
    train(toy, settings(batch_size=4, epochs=10, patience=999, lr=5e-4, log_steps=50), run="calm")
    assert equal(last_weights(toy, "killed"), last_weights(toy, "calm"))
    assert equal(weights(toy, "killed"), weights(toy, "calm"))


def step_lines(workspace: Workspace, run: str) -> list[str]:
    path = workspace.run(run) / "metrics.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def test_a_learning_rate_without_sense_stops_and_says_when(toy: Workspace) -> None:
    with pytest.raises(ModelError, match=r"no longer a number at step \d+ \(epoch 1, learning rate .*smaller --lr"):
        train(toy, settings(lr=1e9, warmup=0.0), run="nan")
    result = json.loads((toy.run("nan") / "result.json").read_text())
    assert result["stopped"] == "nan"
    assert 1 <= result["nan_step"] <= 60
    assert all(bool(v.isfinite().all()) for v in weights(toy, "nan").values())


def test_training_stops_early_when_validation_no_longer_improves(toy: Workspace) -> None:
    result = train(toy, settings(epochs=50, patience=2, lr=0.05), run="early")
    assert result["stopped"] == "early"
    assert result["epochs"] == result["best_epoch"] + 2


def test_the_same_seed_gives_the_same_net_and_another_seed_another(toy: Workspace) -> None:
    for run, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(toy, settings(seed=seed, epochs=1), run=run)
    assert equal(last_weights(toy, "a"), last_weights(toy, "b"))
    assert not equal(last_weights(toy, "a"), last_weights(toy, "c"))


@pytest.mark.parametrize("model", ["linear-filter", "weighted-mean", "corpus-mean", "copy-last"])
def test_baselines_are_trained_by_the_same_command(toy: Workspace, model: str) -> None:
    result = train(toy, settings(model=model, options={}), run=model)
    assert result["val_cosine"] == pytest.approx(float(result["val_cosine"]))
    assert load_model(toy, model, ENCODER).info.kind == "baseline"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"context": 40}, SettingsError, "context is 40 chunks, and the longest training article of toy has 28"),
        ({"corpus": "nowhere"}, CorpusError, "nowhere"),
        ({"corpus": " "}, SettingsError, "corpus is empty"),
        ({"model": "titans"}, SettingsError, "model is 'titans'; expected one of amn, .*linear-filter"),
        ({"model": "transformer", "options": {"n_heads": 7}}, SettingsError, "n_heads is 7, which does not divide"),
        ({"options": {"heads": 7}}, SettingsError, "Unknown setting 'heads'"),
        ({"epochs": 0, "lr": -1.0}, SettingsError, "epochs is 0.*lr is -1.0"),
        ({"loss": "l1"}, SettingsError, "loss is 'l1'; expected one of mse, cosine"),
        ({"encoder": "gtr-t5-base"}, CorpusError, "not encoded with 'gtr-t5-base'"),
        ({"device": "cuda:7"}, SettingsError, "device is 'cuda:7'; expected cpu"),
    ],
)
def test_what_cannot_be_is_refused(toy: Workspace, changes: dict, error: type[Exception], message: str) -> None:
    if "device" in changes and torch.cuda.is_available():
        changes = {"device": "xla:7"}
        message = "device is 'xla:7'"
    with pytest.raises(error, match=message):
        train(toy, settings(**changes), run="x")
    assert not (toy.run("x") / "config.json").exists()


def test_a_corpus_that_is_not_encoded_names_the_command(workspace: Workspace) -> None:
    add_corpus(workspace)
    for path in workspace.corpus_dir("toy").iterdir():
        path.unlink()
    with pytest.raises(CorpusError, match=r"toy: not encoded; .*python -m lvm_core encode --corpus toy"):
        train(workspace, settings())


def test_corpora_of_two_encoders_do_not_mix(workspace: Workspace) -> None:
    add_corpus(workspace)
    add_corpus(workspace, "other", encoder="other@111111111111")
    with pytest.raises((CorpusError, SpaceMismatch), match="not encoded"):
        train(workspace, settings(corpus="toy,other"))


def test_two_corpora_train_together(workspace: Workspace) -> None:
    add_corpus(workspace)
    add_corpus(workspace, "other", sizes(20), titles=[f"Other {i}" for i in range(20)], seed=4)
    result = train(workspace, settings(corpus="toy,other", epochs=1), run="both")
    assert result["n_articles"] == 24 + 16
    assert [c["name"] for c in json.loads((workspace.run("both") / "config.json").read_text())["corpora"]] == [
        "toy",
        "other",
    ]


def test_a_run_is_not_overwritten_nor_resumed_from_nothing_nor_on_another_corpus(toy: Workspace) -> None:
    train(toy, settings(epochs=4), run="one", stop_after=1)
    with pytest.raises(ModelError, match="The run 'one' exists already"):
        train(toy, settings(), run="one")
    with pytest.raises(ModelError, match="There is no run 'two' to resume"):
        train(toy, None, run="two", resume=True)
    with pytest.raises(SettingsError, match="--resume was given without a run"):
        train(toy, None, resume=True)
    (toy.run("one") / "train_state.pt").write_bytes(b"cut short")
    with pytest.raises(ModelError, match=r"train_state.pt cannot be resumed from"):
        train(toy, None, run="one", resume=True)
    path = toy.run("one") / "config.json"
    path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    with pytest.raises(ModelError, match="corpus toy has changed since this run began"):
        train(toy, None, run="one", resume=True)


def test_event_files_for_tensorboard(toy: Workspace) -> None:
    train(toy, settings(epochs=1, tensorboard=True), run="events")
    files = list((toy.run("events") / "events").iterdir())
    assert files
    assert files[0].stat().st_size > 100


def test_bf16_trains_too(toy: Workspace) -> None:
    result = train(toy, settings(precision="bf16"), run="bf16")
    assert result["val_cosine"] > 0


def test_the_command_line_has_what_differs_from_the_defaults() -> None:
    config = TrainConfig(model="gru", corpus="a b", lr=1e-3, residual=False, options={"d_model": 8})
    assert typed(arguments(config)) == (
        "python -m lvm_core train --model gru --corpus 'a b' --no-residual --lr 0.001 --option d_model=8"
    )


def test_bad_options_on_the_command_line(toy: Workspace) -> None:
    bad = start(toy, "--option", "d_model")
    _, errors = bad.communicate(timeout=60)
    assert bad.returncode == 2
    assert "--option is 'd_model'; expected NAME=VALUE" in errors


def test_trained_models_are_joined_by_name_and_an_exchanged_member_is_noticed(toy: Workspace) -> None:
    for run, seed in (("a", 1), ("b", 2)):
        train(toy, settings(seed=seed, epochs=1, residual=False), run=run)
    members = {"members": "a,b,copy-last", "weights": "1,1,0.5"}
    result = train(toy, settings(model="ensemble", options=members), run="both")
    loaded = load_model(toy, "both", ENCODER)
    x = torch.nn.functional.normalize(torch.randn(1, 6, 16), dim=-1)
    said = [load_model(toy, run).model(x) for run in ("a", "b")]
    expected = torch.nn.functional.normalize(said[0] + said[1] + 0.5 * x, dim=-1)
    torch.testing.assert_close(loaded.model(x), expected)
    assert result["n_parameters"] == 2 * load_model(toy, "a").info.n_parameters
    assert training_titles(loaded.info) == sorted(training_titles(load_model(toy, "a").info) or [])
    path = toy.run("a") / "model.safetensors"
    path.write_bytes((toy.run("b") / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match="'both' was made of another 'a' than is there now"):
        load_model(toy, "both")


def test_an_ensemble_of_nothing_is_refused(toy: Workspace) -> None:
    with pytest.raises(ModelError, match="0 members of"):
        train(toy, settings(model="ensemble", options={}), run="none")


def test_epochs_can_be_chosen_by_cosine_and_recall(toy: Workspace) -> None:
    result = train(toy, settings(loss="cosine+infonce", select="cosine+recall"), run="recall")
    assert 0 < result["val_recall_at_5"] <= 1
    assert any(line.get("val_recall_at_5") is not None for line in metrics(toy, "recall"))


def test_the_curve_begins_with_the_filter_and_the_verdict_says_whether_it_was_beaten(toy: Workspace) -> None:
    shares: list[float] = []
    result = train(toy, settings(epochs=2, lr=1e-9), run="still", progress=lambda share, _: shares.append(share))
    first = metrics(toy, "still")[0]
    assert (first["step"], first["epoch"]) == (0, 0)
    assert first["val_cosine"] == pytest.approx(result["baselines"]["linear-filter"], abs=1e-5)
    if result["best_epoch"] == 0:
        assert result["verdict"] == "no epoch beat the fitted filter: this model is the filter"
    else:
        assert result["verdict"].endswith("over the fitted filter")
    assert result["val_cosine"] >= first["val_cosine"]
    assert shares == sorted(shares), "one bar, filled once"
    assert shares[-1] == 1.0


def test_a_model_that_is_the_filter_says_so() -> None:
    assert verdict(0, 0.51, 0.51) == "no epoch beat the fitted filter: this model is the filter"
    assert verdict(3, 0.5185, 0.5176) == "+0.0009 over the fitted filter"
