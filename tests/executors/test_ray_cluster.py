"""On a real cluster of two nodes: the same bytes and rows as on one machine, whatever is lost on the way."""

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm_core.checkpoint import STATE
from lvm_core.errors import ExecutorLost, JobError
from lvm_core.evaluate.rows import Row
from lvm_core.evaluate.run import evaluate
from lvm_core.executors import Task, facts
from lvm_core.executors.facts import versions
from lvm_core.executors.ray_cluster import Ray
from lvm_core.jobs.runner import LOST
from lvm_core.jobs.store import Job, JobStore
from lvm_core.train import TrainConfig, train
from lvm_core.train.config import arguments
from lvm_core.train.elsewhere import run_sweep_elsewhere, train_together
from lvm_core.train.presets import grid
from lvm_core.train.sweep import new_sweep, read_sweep
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace
from tests.executors.conftest import TwoNodes
from tests.executors.worlds import CORPUS, SMALL, Seen, encoded_by, encoded_here, weights_of, without_vectors

pytestmark = pytest.mark.filterwarnings("ignore")

TIMED = ("latency_ms", "latency_p95_ms", "batch_latency_ms", "batch_speedup", "efficiency")


PATIENCE_S = 400.0
"""A command that joins a cluster begins in ten seconds, on a crowded machine in some minutes."""


def plain(row: Row) -> dict[str, Any]:
    """Return what a row says but for its id, when it was made, and how quick the machine was."""
    values = {name: value for name, value in row.values.items() if name not in TIMED}
    return dataclasses.asdict(dataclasses.replace(row, id=None, created=0.0, values=values))


def until(check: Callable[[], object], timeout_s: float) -> None:
    stop = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < stop, "waited too long"
        time.sleep(0.1)


def wait_after(job: str, store: JobStore) -> Job:
    """Wait until a job has ended."""
    until(lambda: store.get(job).state not in ("queued", "running"), PATIENCE_S)
    return store.get(job)


def test_two_nodes_encode_to_the_same_bytes(two_nodes: TwoNodes, seeded_once: Workspace, tmp_path: Path) -> None:
    expected = encoded_here(without_vectors(seeded_once, tmp_path / "one"))
    workspace = without_vectors(seeded_once, tmp_path / "two")
    with Ray(workspace) as cluster:
        seen = Seen(cluster)
        assert encoded_by(workspace, seen) == expected
    assert seen.places == {"one", "two"}
    assert len(seen.outcomes) == len(seen.asked)


def test_a_node_lost_in_the_middle_costs_what_it_was_at(
    two_nodes: TwoNodes, seeded_once: Workspace, tmp_path: Path
) -> None:
    expected = encoded_here(without_vectors(seeded_once, tmp_path / "one"))
    workspace = without_vectors(seeded_once, tmp_path / "two")
    with Ray(workspace) as cluster:
        seen = Seen(cluster, after=2, then=lambda: two_nodes.lose(two_nodes.two))
        assert encoded_by(workspace, seen) == expected
    assert len(seen.outcomes) == len(seen.asked)


def test_a_sweep_and_its_evaluation_give_the_same_weights_and_rows(two_nodes: TwoNodes, seeded: Workspace) -> None:
    sweep = new_sweep("s", SMALL, grid({"lr": [0.001, 0.002, 0.003]}))
    with Ray(seeded) as cluster:
        found = run_sweep_elsewhere(seeded, sweep, cluster, no_progress)
        assert [child.state for child in found.children] == ["done"] * 3
        train(seeded, TrainConfig(**SMALL, lr=0.002), run="here")
        assert weights_of(seeded, found.children[1].run).equal(weights_of(seeded, "here"))
        runs = [child.run for child in found.children]
        seen = Seen(cluster)
        rows = evaluate(seeded, [*runs, "linear-filter"], CORPUS, elsewhere=seen).rows
    here = evaluate(seeded, [*runs, "linear-filter"], CORPUS).rows
    assert [row.model for row in rows] == [row.model for row in here] == ["linear-filter", *runs]
    assert [plain(row) for row in rows] == [plain(row) for row in here]
    assert seen.places == {"one", "two"}


def epochs_of(workspace: Workspace, sweep: str) -> list[int]:
    """Return the epochs that the checkpoints of both runs of a sweep are at."""
    states = [workspace.run(f"lstm-{sweep}-00{i}") / STATE for i in (1, 2)]
    return [torch.load(state)["position"]["epoch"] if state.exists() else 0 for state in states]


def test_a_job_that_is_cancelled_or_loses_its_head_has_its_checkpoints_and_goes_on(
    two_nodes: TwoNodes, seeded: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JobStore(seeded)
    settings = TrainConfig(**{**SMALL, "epochs": 150, "patience": 150, "checkpoint_s": 0.5, "query": False})
    argv = ["sweep", *arguments(settings)[1:], "--vary", "lr=0.001,0.002", "--name", "long", "--on", "ray"]
    job = store.submit(argv)

    def trained_further(before: list[int]) -> bool:
        further = [now > then for now, then in zip(epochs_of(seeded, "long"), before, strict=True)]
        assert store.get(job).ended is None, store.get(job).message
        return all(further)

    until(lambda: trained_further([0, 0]), PATIENCE_S)
    stopped = wait_after(store.cancel(job).id, store)
    assert (stopped.state, stopped.cancelling) == ("cancelled", False)
    before = epochs_of(seeded, "long")
    store.resume(job)
    until(lambda: trained_further(before), PATIENCE_S)
    two_nodes.lose_head()
    lost = wait_after(job, store)
    two_nodes.start_again()
    assert (lost.state, lost.exit_code) == ("interrupted", LOST), lost.message
    assert f"The head of the Ray cluster at {os.environ['LVM_RAY_ADDRESS']} is gone" in lost.message
    assert "resume" in lost.message
    monkeypatch.setenv("LVM_RAY_ADDRESS", two_nodes.address)
    store.resume(job)
    ended = wait_after(job, store)
    assert (ended.state, ended.attempt) == ("done", 3), ended.message
    assert [child.state for child in read_sweep(seeded, "long").children] == ["done"] * 2


def test_two_nodes_train_one_net_as_one_process_does(two_nodes: TwoNodes, seeded: Workspace) -> None:
    config = TrainConfig(**SMALL, query=False)
    train(seeded, config, run="here")
    with Ray(seeded, 2) as cluster:
        there = train_together(seeded, config, "there", False, cluster, 2, no_progress)
    assert there["stopped"] == "finished"
    assert torch.allclose(weights_of(seeded, "there"), weights_of(seeded, "here"), rtol=0, atol=1e-5)


def test_a_node_lost_while_two_train_leaves_their_checkpoint(two_nodes: TwoNodes, seeded: Workspace) -> None:
    config = TrainConfig(**{**SMALL, "epochs": 10_000, "patience": 10_000, "checkpoint_s": 0.0, "query": False})
    with Ray(seeded, 2) as cluster:
        lose = once_it_trains(lambda: two_nodes.lose(two_nodes.two))
        with pytest.raises(ExecutorLost, match=r"was lost|is gone"):
            train_together(seeded, config, "both", False, cluster, 2, lose)
        at = torch.load(seeded.run("both") / STATE)["position"]["step"]
        two_nodes.whole()
        until(lambda: cluster.n_workers == 2, PATIENCE_S)
        with pytest.raises(KeyboardInterrupt):
            train_together(seeded, None, "both", True, cluster, 2, once_it_trains(interrupt))
    assert torch.load(seeded.run("both") / STATE)["position"]["step"] > at > 0


def once_it_trains(then: Callable[[], object]) -> Progress:
    """Return a progress that calls `then` once, when an epoch is told of."""
    done: list[bool] = []

    def progress(_share: float, message: str) -> None:
        if message.startswith("epoch ") and not done:
            done.append(True)
            then()

    return progress


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_node_that_cannot_do_the_work_is_named_at_the_start(
    two_nodes: TwoNodes, seeded: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task("a task", "lvm_core.executors.facts:this_place")
    (tmp_path / "other").mkdir()
    with Ray(seeded) as cluster:
        two_nodes.lose(two_nodes.two)
        until(lambda: cluster.n_workers == 1, PATIENCE_S)
        other = two_nodes.add("stranger", LVM_MOUNT=str(tmp_path / "other"))
        try:
            until(lambda: cluster.n_workers == 2, PATIENCE_S)
            with (
                pytest.raises(JobError, match=r"other on .*stranger has not the file that .*LVM_MOUNT"),
                contextlib.closing(cluster.run([task] * 40, lambda *_: None)) as outcomes,
            ):
                list(outcomes)
        finally:
            two_nodes.lose(other)
    monkeypatch.setattr(facts, "versions", lambda: {**versions(), "torch": "9.9"})
    with (
        Ray(seeded) as cluster,
        pytest.raises(JobError, match=r"/one has torch .* instead of 9\.9.*make venv"),
        contextlib.closing(cluster.run([task], lambda *_: None)) as outcomes,
    ):
        list(outcomes)


def test_a_node_whose_disk_is_full_is_done_without(
    two_nodes: TwoNodes, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    call = "tests.executors.worlds:note_place"
    tasks = [Task(f"task {i}", call, {"file": str(workspace.root / f"{i}.txt")}) for i in range(6)]
    with Ray(workspace) as cluster:
        until(lambda: cluster.n_workers == 2, PATIENCE_S)
        seen = Seen(cluster)
        assert all(outcome.error is None for outcome in seen.run(tasks, lambda *_: None))
        assert seen.places == {"one"}
        assert cluster.n_workers == 1
    assert "going on without" in capfd.readouterr().err
