"""`doctor` looks at every part, whatever is wrong with another, and removes what killed processes left."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from lvm_core.__main__ import main
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import LEFT_OVER_AFTER_S, Workspace
from tests.library.serving import served
from tests.vectors.worlds import WordEncoder, small_corpus


def doctor(workspace: Workspace, capsys: pytest.CaptureFixture[str], *flags: str) -> list[dict[str, str]]:
    capsys.readouterr()
    assert main(["doctor", *flags, "--json", "--workspace", str(workspace.root)]) == 0
    findings: list[dict[str, str]] = json.loads(capsys.readouterr().out)["findings"]
    return findings


def errors(findings: list[dict[str, str]]) -> str:
    return "\n".join(finding["text"] for finding in findings if finding["level"] == "error")


def test_damaged_parts_are_named_and_hide_nothing(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for corpus in ("tiny", "other"):
        small_corpus(workspace, tmp_path, corpus)
        encode_corpus(workspace, corpus, WordEncoder())
    assert errors(doctor(workspace, capsys)) == ""
    path = workspace.vectors("tiny", WordEncoder().id)
    data = np.load(path)
    data[3, 2], data[7] = np.nan, np.inf
    np.save(path, data)
    beside = workspace.vectors("other", WordEncoder().id).with_suffix(".json")
    beside.write_text("[" * 5_000)
    run = workspace.run("broken")
    run.mkdir(parents=True)
    (run / "config.json").write_text('{"model": 3}')
    os.mkfifo(run / "model.safetensors")
    findings = doctor(workspace, capsys)
    assert "Corpus 'tiny': 2 of" in errors(findings)
    assert f"{beside} is nested too deeply" in errors(findings)
    assert any("models load" in finding["text"] for finding in findings)


def test_left_over_files_are_found_and_removed_only_when_confirmed(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "cache"))
    files = [workspace.run("r") / ".train_state.pt.x.tmp", workspace.corpus_dir("c") / ".vectors.npy.y.tmp"]
    past = time.time() - LEFT_OVER_AFTER_S - 1
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1_000)
        os.utime(path, (past, past))
    texts = [finding["text"] for finding in doctor(workspace, capsys)]
    assert any("2 temporary files" in text and "doctor --remove-left-over" in text for text in texts)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert main(["doctor", "--remove-left-over", "--workspace", str(workspace.root)]) == 2
    assert all(path.exists() for path in files)
    assert [f["text"] for f in doctor(workspace, capsys, "--remove-left-over", "--yes")] == sorted(
        f"Removed {path}." for path in files
    )
    assert not any(path.exists() for path in files)


def test_who_answers_predict_is_said_and_whether_it_is_there(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LVM_SERVICE_URL", raising=False)
    assert "python -m lvm_core serve" in doctor(workspace, capsys)[-1]["text"]
    with served(workspace) as address:
        monkeypatch.setenv("LVM_SERVICE_URL", address)
        there = doctor(workspace, capsys)[-1]
    assert there["level"] == "ok"
    assert there["text"].startswith(f"Predict is answered by {address}: encoder all-MiniLM-L6-v2@")
    away = doctor(workspace, capsys)[-1]
    assert away["level"] == "error"
    assert "cannot be reached" in away["text"]
