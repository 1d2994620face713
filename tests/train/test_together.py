"""One training by two processes of this machine: the steps that one process takes, whatever stops it."""

import json
from typing import Any

import pytest
import torch

from lvm_core.checkpoint import METRICS, STATE
from lvm_core.errors import ExecutorLost, ModelError, SettingsError
from lvm_core.executors.local import Processes
from lvm_core.train import TrainConfig, train
from lvm_core.train.elsewhere import train_together
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace
from tests.executors.worlds import SMALL, weights_of

TOLERANCE = 1e-5


def together(
    workspace: Workspace, run: str, progress: Progress = no_progress, resume: bool = False, **settings: Any
) -> Any:
    """Train by two processes; settings are those of SMALL but for `settings`."""
    config = None if resume else TrainConfig(**{**SMALL, "query": False, **settings})
    with Processes(workspace, 2) as two:
        return train_together(workspace, config, run, resume, two, 2, progress)


def losses(workspace: Workspace, run: str) -> list[list[float]]:
    lines = [json.loads(line) for line in (workspace.run(run) / METRICS).read_text().splitlines()]
    return [list(line["loss"].values()) + list(line["grad_norm"].values()) for line in lines if "loss" in line]


@pytest.mark.parametrize("loss", ["mse", "mse+infonce"])
def test_two_processes_take_the_steps_of_one(seeded: Workspace, loss: str) -> None:
    alone = train(seeded, TrainConfig(**SMALL, query=False, loss=loss), run="alone")
    both = together(seeded, "both", loss=loss)
    assert torch.allclose(weights_of(seeded, "both"), weights_of(seeded, "alone"), rtol=0, atol=TOLERANCE)
    assert torch.allclose(
        torch.tensor(losses(seeded, "both")), torch.tensor(losses(seeded, "alone")), rtol=1e-4, atol=TOLERANCE
    )
    assert both["val_cosine"] == pytest.approx(alone["val_cosine"], abs=TOLERANCE)
    assert (both["steps"], both["windows"]) == (alone["steps"], alone["windows"])
    assert not list(seeded.cluster.iterdir())


def stop_at(epoch: int, then: Any) -> Progress:
    """Return a progress that calls `then` once the training is behind so many epochs."""

    def progress(_share: float, message: str) -> None:
        words = message.split()
        if words[0] == "epoch" and int(words[1]) >= epoch:
            then()

    return progress


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_stopped_training_goes_on_as_if_it_had_not_been(seeded: Workspace) -> None:
    settings = {"epochs": 24, "patience": 24, "options": {"d_hidden": 16, "n_layers": 1, "dropout": 0.2}}
    together(seeded, "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        together(seeded, "parts", stop_at(1, interrupt), **settings)
    assert torch.load(seeded.run("parts") / STATE)["position"]["step"] > 0
    assert not (seeded.run("parts") / "result.json").exists()
    assert together(seeded, "parts", resume=True)["stopped"] == "finished"
    assert weights_of(seeded, "parts").equal(weights_of(seeded, "whole"))


def test_a_lost_process_leaves_the_last_checkpoint(seeded: Workspace) -> None:
    settings = {**SMALL, "query": False, "epochs": 10_000, "patience": 10_000, "checkpoint_s": 0.0}
    two = Processes(seeded, 2)

    def lose() -> None:
        for seat in two._seats[1:]:  # none, once it is known to be gone
            seat.process._process.kill()

    with two, pytest.raises(ExecutorLost, match=r"process 2 of 2 was ended|Another process of this training is gone"):
        train_together(seeded, TrainConfig(**settings), "lost", False, two, 2, stop_at(1, lose))
    assert (seeded.run("lost") / STATE).exists()
    assert not list(seeded.cluster.iterdir())


def test_what_cannot_be_trained_together_is_refused(seeded: Workspace) -> None:
    with pytest.raises(SettingsError, match="workers is 2, and linear-filter is fitted in one go; expected 1"):
        together(seeded, "b", model="linear-filter", options={})
    with pytest.raises(ModelError, match="no run 'nothing' to resume"):
        together(seeded, "nothing", resume=True)
    with pytest.raises(SettingsError, match="context is 900 chunks"):  # said by a process, in its own words
        together(seeded, "c", context=900)
    assert not seeded.run_config("c").exists()
