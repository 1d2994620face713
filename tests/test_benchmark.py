"""The benchmarks run on tiny data, say what was measured, and say so where something is missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lvm_core.benchmark import BENCHMARKS, run
from lvm_core.benchmark.measure import Bench, Row, alternate, limit, rate
from lvm_core.benchmark.memory import memory
from lvm_core.benchmark.training import windows
from lvm_core.commands.benchmark import report
from lvm_core.errors import SettingsError
from lvm_core.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent


def test_the_command_prints_rows_with_bars(workspace: Workspace) -> None:
    command = [sys.executable, "-m", "lvm_core", "benchmark", "--small", "--json", "--workspace", str(workspace.root)]
    command += ["--only", "encode", "--only", "train", "--only", "help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {row["name"] for row in result["rows"]} == {"encode", "train", "help"}
    for row in result["rows"]:
        assert row["ours"] > 0
        assert row["bar"]
        assert isinstance(row["reached"], bool)
    assert not workspace.root.exists(), "a benchmark leaves nothing in the workspace"


def test_the_table_shows_each_row_and_its_verdict() -> None:
    rows = [rate("encode", "encoding", 300, 100, "texts/s", 2), limit("predict", "warm", 80, "ms", 50, "a note")]
    text = report({"machine": "some", "bf16": True, "rows": [row.to_json() for row in rows]})
    encode, predict = (line for line in text.splitlines() if line.startswith(("encode", "predict")))
    assert "3.00" in encode
    assert encode.endswith("yes")
    assert predict.endswith("NO")
    assert "warm: a note" in text


def test_memory_is_measured_in_processes_of_their_own(workspace: Workspace) -> None:
    row = memory(Bench(workspace, small=True))[0]
    assert row.unit == "MB"
    assert row.ours < row.theirs
    assert "float32 matrix 3 MB" in row.note


def test_what_is_missing_is_a_row_and_stops_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvm_core.encoders.minilm.WHEEL", "a-wheel-that-is-not-installed")
    rows = run(workspace, ["encode", "help"], small=True)
    assert [(row.ours is None, row.reached is None) for row in rows] == [(True, True), (False, False)]
    assert "pip install --no-deps" in rows[0].note


def test_a_warm_prediction_is_measured_on_real_articles(seeded_once: Workspace) -> None:
    rows = run(seeded_once, ["predict"], small=True)
    assert [row.unit for row in rows] == ["ms", "ms"]
    assert "snap in" in rows[0].note


def test_the_service_is_measured_as_a_process_of_its_own(seeded_once: Workspace) -> None:
    rows = run(seeded_once, ["service"], small=True)
    assert all(row.ours is not None for row in rows), [row.note for row in rows]
    errors = next(row for row in rows if "errors but 429" in row.what)
    assert (errors.ours, errors.reached) == (0, True)


def test_an_unknown_benchmark_lists_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match=f"no benchmark 'speed'; expected one of {', '.join(BENCHMARKS)}"):
        run(workspace, ["speed"])


def test_rounds_alternate_and_the_median_counts() -> None:
    order: list[str] = []
    figures = iter([1.0, 10.0, 30.0, 3.0, 2.0, 20.0])

    def way(name: str) -> float:
        order.append(name)
        return next(figures)

    assert alternate({"a": lambda: way("a"), "b": lambda: way("b")}, 3) == {"a": 2.0, "b": 20.0}
    assert "".join(order) == "abbaab"


def test_the_obvious_windows_are_those_of_the_seeds(tmp_path: Path) -> None:
    from lvm_core.benchmark.synthetic import documents, make_matrix, open_vectors

    make_matrix(tmp_path / "m.npy", 230, 8)
    vectors = open_vectors(tmp_path / "m.npy")
    x, y = windows(vectors, documents(230))
    assert x.shape == (95 + 95 + 25, 5, 8)
    assert (x[95, 0].numpy() == vectors.rows([100])[0]).all()
    assert (y[95].numpy() == vectors.rows([105])[0]).all()


def test_a_row_without_a_rival_has_no_ratio() -> None:
    assert Row("x", "y", 1.0, None, "ms").ratio is None
