"""The command as a user runs it: a process, its exit code, its JSON."""

import json
import subprocess
import sys
from pathlib import Path

from lvm_core.vectors.index import open_index
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace
from tests.vectors.worlds import small_corpus

ROOT = Path(__file__).resolve().parents[2]


def run(workspace: Workspace, *flags: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lvm_core", "encode", "--workspace", str(workspace.root), *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_a_corpus_is_encoded_and_indexed(workspace: Workspace, tmp_path: Path) -> None:
    small_corpus(workspace, tmp_path, names=["One", "Two", "Three"])
    done = run(workspace, "--corpus", "tiny", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    matrix = open_matrix(workspace, "tiny", result["encoder"])
    assert result["encoder"] == "all-MiniLM-L6-v2@53aa51172d14"
    assert (result["n_chunks"], result["dim"], result["index"]) == (matrix.n_rows, 384, "exact")
    assert open_index(workspace, "tiny", matrix.encoder_id).search(matrix.rows([4]), 1)[0][0].row == 4
    assert "chunks encoded" in done.stderr


def test_bad_input_is_exit_code_2_and_no_traceback(workspace: Workspace, tmp_path: Path) -> None:
    small_corpus(workspace, tmp_path, names=["One"])
    for flags, message in (
        (["--corpus", "other"], "There is no corpus 'other'"),
        (["--corpus", "tiny", "--encoder", "nonsense"], "There is no encoder 'nonsense'"),
        (["--corpus", "tiny", "--batch-size", "0"], "batch_size is 0"),
    ):
        done = run(workspace, *flags)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
