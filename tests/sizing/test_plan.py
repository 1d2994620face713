"""A plan is fitted to runs that were measured, says which, and predicts the largest of them from the others."""

import argparse
import json

import pytest

from lvm_core.commands import plan as command
from lvm_core.corpus.timings import metrics
from lvm_core.errors import SettingsError
from lvm_core.sizing.law import fit, leave_largest_out
from lvm_core.sizing.plan import PlanSettings, plan
from lvm_core.sizing.runs import Measured, Run, measured_runs, reference
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.index import CODES_FROM
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder, small_corpus

ENCODER = "some@0123456789ab"


def index_runs(kind: str, seconds_a_row: float, sizes: list[int]) -> list[Run]:
    return [
        Run("indexing", kind, rows, 384, seconds_a_row * rows, True, 72 * rows, 10**8 + 200 * rows) for rows in sizes
    ]


def test_a_power_law_is_found_again() -> None:
    law = fit([(x, 3 * x**1.2) for x in (10.0, 100.0, 1_000.0)])
    assert law.slope == pytest.approx(1.2)
    assert law(5_000.0) == pytest.approx(3 * 5_000**1.2)
    assert fit([(100.0, 7.0), (110.0, 9.0)]).slope == 1, "of one size nothing can be said but proportion"


def test_the_largest_measured_runs_are_predicted_within_a_fifth() -> None:
    checked = leave_largest_out(reference().runs)
    of_index = [c for c in checked if c.stage == "indexing"]
    assert {c.by for c in of_index} == {"ivf", "ivf-pq"}
    assert {c.quantity for c in of_index} >= {"seconds", "bytes on disk", "peak memory"}
    assert max(c.rows for c in checked) >= 2_000_000
    for c in checked:
        assert abs(c.off) <= 0.2, f"{c.stage} by {c.by}: {c.quantity} is off by {c.off:+.0%}"


def test_fifty_million_chunks_are_planned_from_what_comes_with_the_studio(workspace: Workspace) -> None:
    arguments = argparse.Namespace(chunks=50_000_000, dim=768, machines=8, check=False)
    found = command.run(arguments, workspace)
    planned = found["plan"]
    assert planned["index_kind"] == "ivf-pq"
    assert planned["vector_bytes"] == 50_000_000 * 768 * 2
    assert planned["storage_bytes"] > planned["vector_bytes"] + planned["index_bytes"] > planned["vector_bytes"]
    assert 64 * 50_000_000 < planned["index_memory_bytes"] < 100 * 50_000_000
    assert planned["encode_hours"] == pytest.approx(50_000_000 / planned["encode_rate"] / 8 / 3600)
    assert planned["hours"] > planned["encode_hours"] > 0 < planned["index_hours"]
    said = command.report(json.loads(json.dumps(found)))
    assert "ivf-pq" in said
    assert "8 machines" in said
    assert reference().where in said
    assert "slower by the square" in said, "no encoder of 768 dimensions was measured"


def test_machines_share_the_encoding_and_a_known_rate_is_taken() -> None:
    one = plan(PlanSettings(10**6, 384, 1, 500.0), reference())
    four = plan(PlanSettings(10**6, 384, 4, 500.0), reference())
    assert one.encode_hours == pytest.approx(10**6 / 500 / 3600)
    assert four.encode_hours == pytest.approx(one.encode_hours / 4)
    assert one.index_hours == four.index_hours


def test_runs_of_the_workspace_come_first_and_are_named(workspace: Workspace, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LVM_INDEX", "ivf")
    small_corpus(workspace, tmp_path)
    encoder = WordEncoder(wait_s=0.02)
    encode_corpus(workspace, "tiny", encoder)
    measured = measured_runs(workspace)
    own = [run for run in measured.runs if run.about == "tiny"]
    assert [(run.stage, run.by) for run in own] == [
        ("reading in", "sentence"), ("encoding", encoder.id), ("indexing", "ivf"),
    ]  # fmt: skip
    n_chunks = metrics(workspace, "tiny")["n_chunks"]
    assert all(run.rows == n_chunks and run.seconds > 0 and run.peak_bytes > 0 for run in own)
    assert own[1].n_bytes == workspace.vectors("tiny", encoder.id).stat().st_size
    assert own[2].n_bytes == workspace.index("tiny", encoder.id).stat().st_size
    assert {run.by for run in measured.runs if run.stage == "indexing"} == {"ivf", "ivf-pq"}
    assert str(workspace.root) in measured.where
    assert "indexing ivf-pq from" in measured.where


def test_the_check_shows_measured_beside_predicted_and_says_when_there_is_nothing_to_check(workspace) -> None:
    arguments = argparse.Namespace(check=True)
    found = command.run(arguments, workspace)
    said = command.report(found)
    assert said.count("\n") == len(found["check"]) + 1
    assert "Furthest off" in said
    assert "none can be left out" in command.report({"check": [], "where": "here"})
    assert leave_largest_out(index_runs("ivf", 1e-4, [20_000, 200_000])) == []


def test_few_chunks_need_no_index() -> None:
    small = plan(PlanSettings(1_000, 384), reference())
    assert (small.index_kind, small.index_hours, small.index_bytes) == ("exact", 0, 0)
    assert small.index_memory_bytes == 1_000 * 384 * 4


def test_another_dimension_scales_memory_of_vectors_but_not_of_codes() -> None:
    measured = Measured(
        [*reference().runs, *index_runs("ivf", 1e-4, [CODES_FROM // 2]), *index_runs("ivf-pq", 1e-4, [10**6])], "here"
    )
    narrow, wide = (plan(PlanSettings(10**7, dim, 1, 100.0), measured) for dim in (384, 768))
    assert wide.vector_bytes == 2 * narrow.vector_bytes
    assert wide.index_bytes == pytest.approx(narrow.index_bytes, rel=0.05)
    assert wide.index_hours > narrow.index_hours


def test_impossible_plans_are_refused_all_at_once(workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match=r"chunks is 0.*machines is 0") as refused:
        command.run(argparse.Namespace(chunks=0, machines=0, check=False), workspace)
    assert len(refused.value.problems) == 2
