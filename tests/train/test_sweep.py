from typing import Any

import pytest

from lvm_core.errors import JobError, ModelError, SettingsError
from lvm_core.train import TrainConfig
from lvm_core.train.presets import grid
from lvm_core.train.sweep import check_sweep, new_sweep, read_sweep, run_sweep, settings_of
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace, write_json


class Trainer:
    """Trains in no time; stops where it is told to."""

    def __init__(self, workspace: Workspace, stop_at: int = -1) -> None:
        self.workspace, self.stop_at, self.calls = workspace, stop_at, []

    def __call__(self, config: TrainConfig | None, run: str, resume: bool, progress: Progress) -> dict[str, Any]:
        self.calls.append((run, resume))
        progress(0.5, "half way")
        if config is not None:
            write_json(self.workspace.run_config(run), {"lr": config.lr})
        if len(self.calls) == self.stop_at:
            raise KeyboardInterrupt
        if config is not None and config.lr > 1:
            raise ModelError("The training diverged at step 3", "numbers", "Start again.")
        result = {"stopped": "finished", "val_cosine": 0.5 if config is None else 0.5 + config.lr}
        write_json(self.workspace.run_result(run), result)
        return result


def test_a_sweep_goes_through_its_grid_and_ranks_it(workspace: Workspace) -> None:
    said: list[str] = []
    sweep = new_sweep("s", {}, grid({"lr": [0.01, 0.03, 0.02]}))
    trainer = Trainer(workspace)
    run_sweep(workspace, sweep, trainer, lambda share, message: said.append(f"{share:.2f} {message}"))
    assert [c.settings["lr"] for c in read_sweep(workspace, "s").ranked()] == [0.03, 0.02, 0.01]
    assert said[1].startswith("0.50 run 2 of 3, amn-s-002: half way; best so far 0.5100 (amn-s-001)")
    assert said[-1].startswith("1.00 3 runs, 0 failed; amn-s-002 leads with 0.53")


def test_copies_of_one_model_lead_no_sweep(workspace: Workspace) -> None:
    messages: list[str] = []
    sweep = new_sweep("s", {}, grid({"lr": [1e-9, 2e-9]}))
    run_sweep(workspace, sweep, Trainer(workspace), lambda _, message: messages.append(message))
    assert messages[-1] == "2 runs, 0 failed; amn-s-002 and amn-s-001 are level with 0.5000"


def test_a_stopped_sweep_resumes_the_run_at_hand_and_skips_what_is_done(workspace: Workspace) -> None:
    sweep = new_sweep("s", {}, grid({"lr": [0.01, 0.02, 0.03]}))
    with pytest.raises(KeyboardInterrupt):
        run_sweep(workspace, sweep, Trainer(workspace, stop_at=2), no_progress)
    trainer = Trainer(workspace)
    found = run_sweep(workspace, read_sweep(workspace, "s"), trainer, no_progress)
    assert trainer.calls == [("amn-s-002", True), ("amn-s-003", False)]
    assert [c.state for c in found.children] == ["done"] * 3


def test_a_run_that_fails_is_noted_and_the_next_one_starts(workspace: Workspace) -> None:
    found = run_sweep(workspace, new_sweep("s", {}, grid({"lr": [5.0, 0.01]})), Trainer(workspace), no_progress)
    assert [c.state for c in found.children] == ["failed", "done"]
    assert found.children[0].message == "The training diverged at step 3; expected numbers. Start again."


def test_the_best_architectures_are_trained_again(workspace: Workspace) -> None:
    runs = [{"model": "amn", "lr": 0.01}, {"model": "gru", "lr": 0.02}, {"best": 2, "seed": 7}, {"best": 9, "seed": 1}]
    found = run_sweep(workspace, new_sweep("s", {}, runs), Trainer(workspace), no_progress)
    again = settings_of(found, found.children[2])
    assert (again.model, again.lr, again.seed) == ("amn", 0.01, 7)
    assert settings_of(found, found.children[3]).model == "amn"


def test_every_run_is_checked_before_the_first_starts(seeded_once: Workspace) -> None:
    runs = [{"lr": 0.01}, {"epochs": 0}, {"model": "transformer", "n_heads": 7}, {"best": 1, "seed": 1}]
    with pytest.raises(SettingsError, match=r"amn-s-002: epochs is 0.*transformer-s-003: .*n_heads is 7"):
        check_sweep(seeded_once, new_sweep("s", {}, runs), 384)
    with pytest.raises(SettingsError, match="The sweep has no runs"):
        check_sweep(seeded_once, new_sweep("s", {}, []), 384)


def test_an_unknown_sweep_names_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(JobError, match=r"There is no sweep 'x'; expected one of none yet"):
        read_sweep(workspace, "x")
