"""The way over SLURM with submitit's own local executor: processes of this machine instead of a scheduler's."""

from pathlib import Path

import pytest

from lvm_core.corpus.ingest import IngestSettings, ingest
from lvm_core.errors import JobError, SettingsError
from lvm_core.executors.slurm import Slurm
from lvm_core.train import TrainConfig, train
from lvm_core.train.elsewhere import run_sweep_elsewhere
from lvm_core.train.presets import grid
from lvm_core.train.sweep import new_sweep
from lvm_core.types import no_progress
from lvm_core.workspace import Workspace
from tests.executors.worlds import SMALL, encoded_by, encoded_here, weights_of, without_vectors

DATA = Path(__file__).parent.parent / "data"
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def processes_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LVM_SLURM_CLUSTER", "local")


def test_two_slurm_jobs_encode_to_the_same_bytes(seeded_once: Workspace, tmp_path: Path) -> None:
    expected = encoded_here(without_vectors(seeded_once, tmp_path / "one"))
    workspace = without_vectors(seeded_once, tmp_path / "two")
    with Slurm(workspace, 2) as scheduler:
        assert encoded_by(workspace, scheduler) == expected
    assert not list(workspace.cluster.iterdir())


def test_a_sweep_trains_each_run_as_on_this_machine(seeded: Workspace) -> None:
    sweep = new_sweep("s", SMALL, grid({"lr": [0.001, -1.0, 0.002]}))
    with Slurm(seeded, 2) as scheduler:
        found = run_sweep_elsewhere(seeded, sweep, scheduler, no_progress)
    assert [child.state for child in found.children] == ["done", "failed", "done"]
    assert "lr is -1.0" in found.children[1].message
    train(seeded, TrainConfig(**SMALL, lr=0.002), run="here")
    assert weights_of(seeded, found.children[2].run).equal(weights_of(seeded, "here"))


def test_a_machine_without_a_scheduler_says_so(seeded: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LVM_SLURM_CLUSTER")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(JobError, match=r"no srun.*LVM_SLURM_CLUSTER=local"), Slurm(seeded):
        pass
    monkeypatch.setenv("LVM_SLURM_CLUSTER", "local")
    monkeypatch.setenv("LVM_SLURM", "partition")
    with pytest.raises(SettingsError, match="LVM_SLURM is 'partition'; expected NAME=VALUE"):
        Slurm(seeded)


def test_parts_of_a_dump_are_read_side_by_side_into_the_same_corpus(workspace: Workspace, tmp_path: Path) -> None:
    lines = (DATA / "wikipedia.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    parts = [tmp_path / f"part{i}.jsonl" for i in range(3)]
    for i, part in enumerate(parts):
        part.write_text("".join(lines[4 * i : 4 * i + 4]) + ("{damaged\n" if i == 1 else ""), encoding="utf-8")
    names = [str(part) for part in parts]
    with Slurm(workspace, 2) as scheduler:
        there = ingest(workspace, names, "there", elsewhere=scheduler)
    here = ingest(workspace, names, "here")
    assert (there.digest, there.skipped, there.n_chunks) == (here.digest, here.skipped, here.n_chunks)
    assert here.n_documents == 12
    with pytest.raises(SettingsError, match="expected one process for that"), Slurm(workspace, 2) as scheduler:
        ingest(workspace, names, "sampled", IngestSettings(sample=3), elsewhere=scheduler)
    assert not list(workspace.cluster.iterdir())
