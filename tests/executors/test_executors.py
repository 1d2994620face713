"""What every executor promises, and what is said where one cannot do the work."""

import argparse
import importlib.util
import os
import shutil
import socket
from pathlib import Path

import pytest

from lvm_core import executors
from lvm_core.command_line import make_parser, spreads
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError, ExecutorLost, JobError, MissingPackage, SettingsError, WorkspaceError
from lvm_core.executors import LOCAL, Task, chosen, default_executor, elsewhere, facts
from lvm_core.executors.facts import check_facts, shared
from lvm_core.executors.local import Local
from lvm_core.executors.ray_joining import Head
from lvm_core.executors.work import Worker
from lvm_core.jobs.store import JobStore
from lvm_core.workspace import Workspace
from tests.executors.worlds import CORPUS, Seen, encoded_by, without_vectors
from tests.jobs.conftest import python, store, until, wait  # noqa: F401 - a fixture


def quietly(_name: str, _share: float, _message: str) -> None: ...


def test_the_flag_wins_over_the_setting_and_both_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LVM_EXECUTOR", raising=False)
    assert chosen(None) == (LOCAL, 0)
    assert chosen("ray:4") == ("ray", 4)
    monkeypatch.setenv("LVM_EXECUTOR", "slurm:2")
    assert (chosen(None), chosen("local"), default_executor()) == (("slurm", 2), ("local", 0), "slurm")
    for wrong in ("dask", "ray:0", "ray:many", "ray 2"):
        with pytest.raises(SettingsError, match=r"--on is .*expected local, ray, slurm"):
            chosen(wrong)
    monkeypatch.setenv("LVM_EXECUTOR", "cloud")
    with pytest.raises(SettingsError, match="LVM_EXECUTOR is 'cloud'"):
        chosen(None)
    assert default_executor() == LOCAL


def test_a_missing_package_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"'ray', which is not installed.*requirements-cluster\.txt"):
        chosen("ray")
    assert chosen("local") == ("local", 0)


def test_commands_whose_work_comes_in_parts_take_the_flag() -> None:
    assert all(spreads(name) for name in ("ingest", "encode", "train", "sweep", "evaluate"))
    assert not spreads("project")
    assert make_parser("encode").parse_args(["encode", "--corpus", "x", "--on", "ray:2"]).on == "ray:2"
    with pytest.raises(SystemExit):
        make_parser("project").parse_args(["project", "--on", "ray"])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "LVM_RAY_ADDRESS is not set.*ray start --head"),
        ("ray://head:10001", "expected HOST:PORT"),
        ("head", "expected HOST:PORT"),
    ],
)
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, address: str, said: str) -> None:
    monkeypatch.setenv("LVM_RAY_ADDRESS", address)
    with pytest.raises(SettingsError, match=said):
        Head()


def test_nothing_at_an_address_is_said_at_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LVM_RAY_ADDRESS", f"127.0.0.1:{free.getsockname()[1]}")
    with (
        pytest.raises(JobError, match=r"Nothing answers at 127\.0\.0\.1:\d+ .*expected the head of a Ray cluster"),
        elsewhere(workspace, "ray"),
    ):
        pass


def test_a_worker_of_other_versions_or_another_folder_is_refused(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shared(workspace) as mine:
        check_facts(mine, workspace)
        with pytest.raises(JobError, match="has not the file that"):
            check_facts(mine, Workspace(tmp_path / "other"))
        (tmp_path / "full").mkdir()
        place, refusal = Worker(str(tmp_path / "full")).arrive(mine)
        assert place == mine.place
        assert "LVM_MOUNT" in str(refusal)
        ours = facts.versions()
        monkeypatch.setattr(facts, "versions", lambda: {**ours, "Python": "3.8", "numpy": "1.0"})
        with pytest.raises(JobError, match=r"has Python 3\.8 instead of 3\.\d+, numpy 1\.0 instead of .*make venv"):
            check_facts(mine, workspace)
    assert not list(workspace.cluster.iterdir()), "the token goes with the work"


def test_workers_on_other_machines_read_a_copy_of_the_database(seeded: Workspace) -> None:
    with shared(seeded, copied=True) as mine:
        worker = Worker(str(seeded.root))
        assert worker.arrive(mine)[1] is None
        seeded.database.rename(seeded.root / "elsewhere.db")
        found, error, _ = worker.run(f"{__name__}:corpora", {})
        (seeded.root / "elsewhere.db").rename(seeded.database)
    assert (found, error) == (["enwiki-sample"], None)
    assert not list(seeded.cluster.iterdir())


def corpora(desk: executors.work.Desk) -> list[str]:
    return [info.name for info in CorpusStore(desk.workspace).corpora()]


def refuse(desk: executors.work.Desk, what: str) -> None:
    desk.progress(0.5, "half way")
    raise {"disk": WorkspaceError("The disk is full", "room", "Free some."), "fault": ZeroDivisionError("x")}[what]


def test_tasks_end_with_a_value_or_with_what_they_refused(workspace: Workspace) -> None:
    said: list[tuple[str, float, str]] = []
    tasks = [Task("a", f"{__name__}:corpora"), Task("b", f"{__name__}:refuse", {"what": "disk"}),
             Task("c", f"{__name__}:refuse", {"what": "fault"})]  # fmt: skip
    with Local(workspace) as here:
        fine, disk, fault = here.run(tasks, lambda *told: said.append(told))
    assert fine.worth() == []
    with pytest.raises(WorkspaceError, match="The disk is full"):
        disk.worth()
    with pytest.raises(RuntimeError, match="ZeroDivisionError: x"):
        fault.worth()
    assert said == [("b", 0.5, "half way"), ("c", 0.5, "half way")]


def end(desk: executors.work.Desk, once: str) -> str:
    """End this process without a word, the first time."""
    file = desk.workspace.root / once
    if not file.exists():
        file.touch()
        os._exit(1)
    return once


def meet(desk: executors.work.Desk, name: str, other: str) -> str:
    """Wait for the task that waits for this one."""
    (desk.workspace.root / name).touch()
    until((desk.workspace.root / other).exists, 300.0)
    return name


def test_processes_of_this_machine_go_on_side_by_side_and_a_lost_one_costs_its_task(workspace: Workspace) -> None:
    workspace.make(workspace.root)
    pair = [Task(f"task {a}", f"{__name__}:meet", {"name": a, "other": b}) for a, b in ("ab", "ba")]
    with elsewhere(workspace, "local:2") as two:
        assert two is not None
        outcomes = list(two.run([*pair, Task("lost", f"{__name__}:end", {"once": "one"})], quietly))
        (alone,) = two.run([Task("alone", f"{__name__}:end", {"once": "another"}, again=False)], quietly)
    assert sorted(outcome.worth() for outcome in outcomes) == ["a", "b", "one"]
    with pytest.raises(ExecutorLost, match="The process that worked on alone was ended"):
        alone.worth()
    refused = pytest.raises(JobError, match="room for 2 workers on local; expected room for 3")
    with refused, elsewhere(workspace, "local:2", 3):
        pass


def test_a_corpus_deleted_while_it_is_encoded_leaves_nothing(seeded_once: Workspace, tmp_path: Path) -> None:
    workspace = without_vectors(seeded_once, tmp_path / "mine")
    seen = Seen(Local(workspace), after=2, then=lambda: shutil.rmtree(workspace.corpus_dir(CORPUS)))
    with pytest.raises(CorpusError, match="was deleted while it was being encoded"):
        encoded_by(workspace, seen)
    assert len(seen.outcomes) == 2
    assert not workspace.corpus_dir(CORPUS).exists()


def test_a_job_whose_cluster_went_away_is_interrupted(store: JobStore) -> None:  # noqa: F811 - the fixture
    lost = wait(store, store.submit(**python("import sys; print('error: The head is gone.'); sys.exit(75)")))
    assert (lost.state, lost.message) == ("interrupted", "The head is gone.")


def test_help_says_where_work_can_be_done() -> None:
    parser = argparse.ArgumentParser()
    executors.add_argument(parser)
    assert "local, ray, slurm; ray:4, local:4 for four workers at most" in " ".join(parser.format_help().split())
