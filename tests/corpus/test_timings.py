"""How long the making of a corpus took is kept with it, stage by stage, and exported beside it."""

import json
from pathlib import Path

import pytest

from lvm_core.commands import doctor
from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.timings import Stopwatch, metrics, sentence
from lvm_core.dataset.labelling import label_corpus
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder, small_corpus


def test_time_within_a_stage_is_not_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("lvm_core.corpus.timings.time.perf_counter", lambda: now[0])

    def wait(items, seconds: float):
        for item in items:
            now[0] += seconds
            yield item

    clock = Stopwatch()
    raw = clock.each("reading", wait([1, 2, 3], 30))
    for _ in clock.each("chunking", wait(raw, 10)):
        with clock.spent("storing"):
            now[0] += 5
        now[0] += 1_000  # what else is done with an item belongs to no stage
    assert clock.seconds == {"reading": 90, "chunking": 30, "storing": 15}


def test_stages_are_kept_added_shown_and_exported(workspace: Workspace, tmp_path: Path, monkeypatch) -> None:
    small_corpus(workspace, tmp_path)
    found = metrics(workspace, "tiny")
    assert list(found["stages"]) == ["reading", "chunking", "storing"]
    assert json.loads(workspace.pipeline_metrics("tiny").read_text()) == found
    encoder = WordEncoder(wait_s=0.05)
    matrix = encode_corpus(workspace, "tiny", encoder)
    monkeypatch.setattr("lvm_core.encoders.encoder_for", lambda _: encoder)
    label_corpus(workspace, "tiny", encoder.id)
    found = metrics(workspace, "tiny")
    assert list(found["stages"]) == ["reading", "chunking", "storing", "tmd", "embedding"]
    assert json.loads(workspace.pipeline_metrics("tiny").read_text()) == found
    embedding = found["stages"]["embedding"]
    assert embedding["by"] == encoder.id
    assert embedding["seconds"] >= 0.05
    assert embedding["ms_per_chunk"] == pytest.approx(1e3 * embedding["seconds"] / matrix.n_rows, rel=0.05)
    assert found["total"]["ms_per_article"] == pytest.approx(
        sum(s["ms_per_article"] for s in found["stages"].values()), rel=0.05
    )
    findings, details = doctor._corpus(workspace, "tiny")
    assert any(f"Its making took: {sentence(found)}." == text for _, text in findings)
    assert details["pipeline"] == found
    small_corpus(workspace, tmp_path, names=["Elsewhere", "Nowhere"])
    assert list(metrics(workspace, "tiny")["stages"]) == ["reading", "chunking", "storing"], "a new state, a new start"
    CorpusStore(workspace).delete("tiny")
    assert not workspace.pipeline_metrics("tiny").exists()
