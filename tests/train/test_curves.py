import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.jobs.store import JobStore
from lvm_core.train.curves import CurveCache, last_line, thinned
from lvm_core.train.history import History
from lvm_core.workspace import Workspace, write_json


def line(step: int, **more: object) -> str:
    given = {"step": step, "epoch": step // 10 + 1, "loss": {"mse": 1 / step}, "seconds": step * 2.0, **more}
    return json.dumps(given) + "\n"


def test_only_what_was_appended_is_read_again(tmp_path: Path) -> None:
    path, cache = tmp_path / "metrics.jsonl", CurveCache()
    path.write_text(line(1) + line(2))
    assert cache.read(path).steps == [1, 2]
    with path.open("r+") as file:  # what was read already is not looked at again
        file.write("#")
    with path.open("a") as file:
        file.write(line(3) + '{"step": 4, "lo')
    assert cache.read(path).steps == [1, 2, 3]
    with path.open("a") as file:
        file.write('ss": {"mse": 0.5}}\n')
    curve = cache.read(path)
    assert curve.steps == [1, 2, 3, 4]
    assert curve.series("loss/mse")[1].tolist() == [1, 0.5, pytest.approx(1 / 3), 0.5]


def test_a_run_that_goes_on_from_an_earlier_step_takes_back_what_came_after(tmp_path: Path) -> None:
    path, cache = tmp_path / "metrics.jsonl", CurveCache()
    path.write_text(line(1) + line(2) + line(3))
    cache.read(path)
    with path.open("a") as file:
        file.write(line(2, loss={"mse": 9}))
    curve = cache.read(path)
    assert curve.steps == [1, 2]
    assert curve.series("loss/mse")[1].tolist() == [1, 9]


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    path, cache = tmp_path / "metrics.jsonl", CurveCache()
    path.write_text(line(1) + line(2))
    cache.read(path)
    path.unlink()
    assert cache.read(path).steps == []
    path.write_text(line(5))
    assert cache.read(path).steps == [5]


def test_curves_over_time_and_epochs_and_the_line_that_ends_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(5, val_cosine=None) + line(10) + line(10, val_cosine=0.5, flag="too much") + "broken\n")
    curve = CurveCache().read(path)
    assert curve.series("val_cosine", "seconds")[0].tolist() == [20]
    assert curve.series("loss/mse", "epoch")[0].tolist() == [1, 2, 2]
    assert curve.flags == ["epoch 2: too much"]
    assert last_line(path, "val_cosine")["val_cosine"] == 0.5


@given(st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=600))
def test_a_thinned_curve_keeps_its_ends_and_its_extremes(values: list[float]) -> None:
    y = np.asarray(values)
    x, few = thinned(np.arange(len(y), dtype=float), y, 100)
    assert len(few) <= 100
    assert (np.diff(x) > 0).all()
    if len(y):
        assert (few[0], few[-1]) == (y[0], y[-1])
        assert (few.min(), few.max()) == (y.min(), y.max())


def test_the_table_of_two_hundred_runs_is_quick_to_look_at_again(workspace: Workspace) -> None:
    for i in range(200):
        run = f"amn-{i}"
        write_json(workspace.run_config(run), {"model": "amn", "train": {"lr": 0.1}, "created": i})
        workspace.run_metrics(run).write_text("".join(line(k + 1, val_cosine=0.5) for k in range(20)))
    history = History()
    assert [row.run for row in history.rows(workspace, [])][:2] == ["amn-199", "amn-198"]
    began = time.process_time()
    rows = history.rows(workspace, [])
    assert time.process_time() - began < 0.2
    assert {row.state for row in rows} == {"unfinished"}
    assert rows[0].val_cosine == 0.5


def test_a_run_has_the_state_of_its_job_until_it_has_a_result(workspace: Workspace) -> None:
    write_json(workspace.run_config("amn-1"), {"model": "amn", "created": 1})
    (workspace.run_config("broken")).parent.mkdir(parents=True)
    workspace.run_config("broken").write_text("{")
    (row,) = History().rows(workspace, JobStore(workspace).list())
    assert row.state == "unfinished"
    write_json(workspace.run_result("amn-1"), {"stopped": "nan", "message": "diverged at step 3", "val_cosine": None})
    (row,) = History().rows(workspace, [])
    assert (row.state, row.message, row.over_filter) == ("failed", "diverged at step 3", None)
