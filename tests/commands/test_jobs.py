import json
import sys
from typing import Any

import pytest

from lvm_core.__main__ import main
from lvm_core.command_line import arguments, flags, values_of
from lvm_core.jobs.store import JobStore
from lvm_core.workspace import Workspace

BLOCK = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def held(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a workspace where one job keeps the queue waiting."""
    monkeypatch.setenv("LVM_WORKSPACE", str(workspace.root))
    monkeypatch.setenv("LVM_JOB_GRACE_S", "0.2")
    store = JobStore(workspace)
    store.submit(["hold"], program=BLOCK)
    yield workspace
    for job in store.list(("queued", "running")):
        store.cancel(job.id)


def jobs(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert main(["jobs", "--json", *argv]) == 0
    return json.loads(capsys.readouterr().out)


def test_submit_list_move_cancel_retry_delete(held: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    first = jobs(capsys, "submit", "--title", "mine", "train", "--model", "lstm", "--lr", "0.01")["jobs"][0]
    assert (first["kind"], first["state"], first["title"]) == ("train", "queued", "mine")
    assert first["run"].startswith("lstm-")
    assert first["argv"] == ["train", "--model", "lstm", "--lr", "0.01", "--run", first["run"]]
    second = jobs(capsys, "submit", "train", "--model", "lstm")["jobs"][0]
    assert second["run"] != first["run"]
    queue = jobs(capsys, "move", second["id"], "1")["jobs"]
    assert [job["id"] for job in queue] == [second["id"], first["id"]]
    assert jobs(capsys, "cancel", first["id"])["jobs"][0]["state"] == "cancelled"
    again = jobs(capsys, "retry", first["id"])["jobs"][0]
    assert again["argv"][:-1] == first["argv"][:-1]
    assert again["run"] not in (first["run"], second["run"])
    jobs(capsys, "delete", "--yes", first["id"])
    assert first["id"] not in [job["id"] for job in jobs(capsys)["jobs"]]
    assert jobs(capsys, "limit")["limit"] == 1
    assert [job["state"] for job in jobs(capsys, "list", "--state", "running")["jobs"]] == ["running"]


def test_the_table_and_the_log_are_for_people(held: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs"]) == 0
    assert "running" in capsys.readouterr().out
    (job,) = JobStore(held).list()
    assert main(["jobs", "log", job.id]) == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["submit", "train", "--modle", "amn"], "--modle amn was given; expected the command's own flags alone"),
        (["submit", "fly"], "fly cannot be a job; expected a command: ingest"),
        (["submit", "train", "--epochs", "many"], "'many' was given; expected a whole number"),
        (["cancel", "nothing"], "There is no job 'nothing'"),
        (["limit", "0"], "0 jobs at once is not possible"),
    ],
)
def test_mistakes_are_said_without_a_traceback(
    argv: list[str], said: str, held: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", *argv]) == 2
    assert said in capsys.readouterr().err


def test_a_form_and_a_command_line_say_the_same() -> None:
    argv = [
        "train",
        "--model",
        "gru",
        "--no-residual",
        "--lr",
        "0.01",
        "--option",
        "d_model=32",
        "--option",
        "n_layers=2",
    ]
    values = values_of(argv)
    assert values["option"] == "d_model=32\nn_layers=2"
    assert sorted(arguments("train", values)) == sorted(argv)
    assert flags("ingest")[0].required


def test_a_sweep_lists_its_runs_without_training(seeded_once: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["sweep", "--workspace", str(seeded_once.root), "--dry-run", "--json"]
    assert main([*argv, "--vary", "lr=0.001,0.01", "--vary", "d_model=32,64", "--most", "3"]) == 0
    children = json.loads(capsys.readouterr().out)["children"]
    assert [child["settings"] for child in children] == [
        {"lr": 0.001, "d_model": 32}, {"lr": 0.001, "d_model": 64}, {"lr": 0.01, "d_model": 32},
    ]  # fmt: skip
    assert main([*argv, "--preset", "hundred"]) == 0
    assert json.loads(capsys.readouterr().out)["children"][-1]["settings"]["best"] == 1
    assert main(argv) == 2
    assert "expected one of --vary (which may be repeated), --list, --preset" in capsys.readouterr().err
    assert main([*argv, "--vary", "lr"]) == 2
    assert "--vary is 'lr'; expected NAME=V1,V2" in capsys.readouterr().err
    assert main([*argv, "--vary", "lrr=1,2"]) == 2
    assert "Unknown setting 'lrr'" in capsys.readouterr().err
    assert main([*argv, "--list", "/nowhere.json"]) == 2
    said = capsys.readouterr().err
    assert "'/nowhere.json' does not exist" in said
    assert "expected a file. Check the name." in said
