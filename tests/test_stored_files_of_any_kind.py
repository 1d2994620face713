"""Files that the studio wrote, with anything in any place of them: what is damaged is refused or left out, by name."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvm_core.errors import LvmError
from lvm_core.jobs import rows
from lvm_core.jobs.store import JobStore
from lvm_core.leaderboard import board
from lvm_core.train.sweep import read_sweep
from lvm_core.vectors.matrix import MatrixInfo, read_info
from lvm_core.workspace import SHIPPED_BOARD, Workspace

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**301) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
PLACES = st.lists(st.integers(0, 30), max_size=5)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changed(value: Any, places: list[int], new: Any, gone: bool) -> Any:
    """Return a copy of `value` with `new`, or nothing, where the numbers `places` lead to."""
    whole = holder = [copy.deepcopy(value)]
    key: Any = 0
    for place in places:
        inner = holder[key]
        if not isinstance(inner, (dict, list)) or not inner:
            break
        holder, key = inner, (list(inner) if isinstance(inner, dict) else range(len(inner)))[place % len(inner)]
    if gone and holder is not whole:
        del holder[key]
    else:
        holder[key] = new
    return whole[0]


SWEEP = {
    "name": "s", "base": {"model": "amn"}, "left_out": ["one"], "created": 1.0, "ranking": [],
    "children": [{"run": "amn-s-001", "settings": {"lr": 0.1}, "state": "done", "val_cosine": 0.5, "seconds": 1.0,
                  "message": ""}],
}  # fmt: skip


@given(PLACES, ANYTHING, st.booleans())
@QUICK
def test_a_sweep(workspace: Workspace, places: list[int], new: Any, gone: bool) -> None:
    path = workspace.sweep("s")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(changed(SWEEP, places, new, gone)))
    try:
        assert read_sweep(workspace, "s").to_json()["name"] is not None
    except LvmError as error:
        assert "s.json" in str(error)  # noqa: PT017


@pytest.fixture
def one_row() -> dict[str, Any]:
    whole = json.loads(SHIPPED_BOARD.read_text())
    row = whole["rows"][0]
    return {"titles": {row["comparable"]: whole["titles"][row["comparable"]]}, "rows": [row, whole["rows"][1]]}


def test_a_board(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_row: dict[str, Any]
) -> None:
    path = tmp_path / "board.json"
    monkeypatch.setattr(board, "SHIPPED_BOARD", path)

    @given(PLACES, ANYTHING, st.booleans())
    @QUICK
    def any_board(places: list[int], new: Any, gone: bool) -> None:
        path.write_text(json.dumps(changed(one_row, places, new, gone)))
        board._shipped.cache_clear()
        try:
            found = board.load_rows(workspace)
            board.groups(found.rows)
        except LvmError as error:
            assert "board.json" in str(error)  # noqa: PT017

    any_board()
    path.write_text(json.dumps({**one_row, "rows": [{"model": 3}, one_row["rows"][0], 7]}))
    board._shipped.cache_clear()
    with pytest.raises(LvmError, match=r"rows\[2\] is 7; expected an object"):
        board.load_rows(workspace)
    path.write_text(json.dumps({**one_row, "rows": [{"model": 3}, one_row["rows"][0]]}))
    board._shipped.cache_clear()
    found = board.load_rows(workspace)
    assert (len(found.rows), found.n_damaged) == (1, 1), "a damaged row hides no other"


@given(PLACES, ANYTHING, st.booleans())
@QUICK
def test_what_a_matrix_says_of_itself(tmp_path: Path, places: list[int], new: Any, gone: bool) -> None:
    path = tmp_path / "vectors.x.f16.npy"
    path.touch()
    fields = {"corpus": "c", "encoder_id": "e@1", "dim": 3, "n_rows": 2, "digest": "d", "unit_norm": True}
    path.with_suffix(".json").write_text(json.dumps(changed(fields, places, new, gone)))
    try:
        assert isinstance(read_info(path), MatrixInfo)
    except LvmError as error:
        assert "vectors.x" in str(error)  # noqa: PT017


@given(
    st.integers(0, 40), st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=5) | st.binary()
)
@QUICK
def test_a_job(workspace: Workspace, column: int, new: Any) -> None:
    store = JobStore(workspace)
    with rows.opened(workspace) as db:
        db.execute("DELETE FROM jobs")
        names = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
        values: dict[str, Any] = dict.fromkeys(names, 0) | {
            "kind": "corpora", "title": "", "argv": '["corpora"]', "program": None, "resume_argv": None, "cwd": "",
            "state": "done", "run": None, "message": "", "host": "h", "lane": "", "after": None,
        }  # fmt: skip
        for id in ("sound", "odd"):
            one = values | {"id": id}
            if id == "odd":
                one |= {names[column % len(names)]: new, "id": "odd"}
            marks = ", ".join("?" * len(names))
            db.execute(f"INSERT OR IGNORE INTO jobs VALUES ({marks})", [one[name] for name in names])
    assert "sound" in {job.id for job in store.list()}
