from typing import Any

import pytest

from lvm_core.errors import JobError, ModelError, SettingsError
from lvm_core.train import TrainConfig
from lvm_core.train.budget import fit_into
from lvm_core.train.plan import option_names
from lvm_core.train.presets import grid, hundred
from lvm_core.train.sweep import check_sweep, epochs_left, new_sweep, read_sweep, run_sweep, settings_of
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


def test_the_schedule_is_complete_and_its_ensembles_join_the_best_before_the_final_runs(workspace: Workspace) -> None:
    runs, left_out = hundred(option_names())
    assert (len(runs), left_out) == (100, [])
    assert [sum(run["week"] == week for run in runs) for week in range(1, 6)] == [15, 30, 20, 20, 15]
    assert {"mamba2", "s4d", "rwkv", "hybrid", "lcm", "lcm-one-tower", "lcm-two-tower"} <= {
        str(run.get("model")) for run in runs
    }
    children = [*({"model": net, "lr": lr} for net, lr in (("amn", 0.1), ("amn", 0.2), ("gru", 0.3), ("lstm", 0.15)))]
    sweep = new_sweep(
        "s", {"corpus": "toy"}, [*children, {"best": 1, "seed": 5}, *({"ensemble": k} for k in (1, 2, 3))]
    )
    found = run_sweep(workspace, sweep, Trainer(workspace), no_progress)
    each, any_net, all_of_them = (settings_of(found, child) for child in found.children[5:])
    assert each.model == "ensemble"
    assert each.corpus == "toy"
    assert each.options == {"members": "gru-s-003,amn-s-002,lstm-s-004"}
    assert any_net.options == {"members": "gru-s-003,amn-s-002,lstm-s-004"}
    assert all_of_them.options == {"members": "gru-s-003,amn-s-002,lstm-s-004,best-s-005"}


def test_a_budget_cuts_every_run_alike_until_all_of_them_fit(seeded_once: Workspace) -> None:
    runs = [{"model": "transformer", "n_layers": 2}, {"model": "gru", "d_model": 256}, {"best": 1, "seed": 1}]
    seconds = []
    for minutes in (1e6, 2.0, 0.6):
        sweep = new_sweep("s", {}, [dict(run) for run in runs])
        cut = fit_into(seeded_once, sweep, 384, minutes)
        check_sweep(seeded_once, sweep, 384)
        assert cut.seconds <= minutes * 60
        assert sweep.base["epochs"] == cut.epochs
        seconds.append((cut.width, cut.epochs))
    assert seconds[0] == (1.0, 20)
    assert sorted(seconds, reverse=True) == seconds
    with pytest.raises(SettingsError, match=r"expected at least \d+ for 3 runs over 2,000"):
        fit_into(seeded_once, new_sweep("s", {}, runs), 384, 0.01)
    with pytest.raises(SettingsError, match="budget is nan"):
        fit_into(seeded_once, new_sweep("s", {}, runs), 384, float("nan"))


def test_runs_that_took_longer_than_reckoned_leave_fewer_passes_to_those_behind_them() -> None:
    sweep = new_sweep("s", {}, grid({"lr": [0.01, 0.02, 0.03]}))
    sweep.budget_s = 60.0
    assert epochs_left(sweep, 10) == 10
    sweep.children[0].state, sweep.children[0].seconds = "done", 40.0
    assert epochs_left(sweep, 10) == 2
    sweep.children[0].seconds = 10.0
    assert epochs_left(sweep, 10) == 10
    sweep.budget_s = None
    assert epochs_left(sweep, 10) == 10
