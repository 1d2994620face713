"""Drift over articles and the snap laboratory, on real articles with real vectors."""

import numpy as np
import pytest

from lvm_core.__main__ import main
from lvm_core.encoders import load_encoder
from lvm_core.errors import CorpusError, ModelError
from lvm_core.snap import SnapSettings
from lvm_core.study.drift import DriftSettings, drift_study
from lvm_core.study.rollouts import described, roll_out, roll_out_from, start_at, start_with
from lvm_core.study.snap_lab import SnapLab
from lvm_core.workspace import Workspace

SETTINGS = DriftSettings(steps=6, split="validation")


def test_copy_last_stands_still_and_the_snap_pulls_onto_the_corpus(seeded_once: Workspace) -> None:
    report = drift_study(seeded_once, ["copy-last", "context-mean"], SETTINGS, {"raw": None, "snapped": SnapSettings()})
    assert [(r["model"], r["variant"]) for r in report["rows"]] == [
        (model, variant) for model in ("copy-last", "context-mean") for variant in ("raw", "snapped")
    ]
    raw, snapped = report["rows"][0], report["rows"][1]
    assert [step["mean"] for step in raw["to_previous"]] == pytest.approx([1] * 6, abs=1e-3)
    assert [step["mean"] for step in raw["to_start"]] == pytest.approx([1] * 6, abs=1e-3)
    assert snapped["to_manifold"][0]["mean"] > raw["to_manifold"][0]["mean"]
    for row in report["rows"]:
        assert all(-1 <= step["mean"] <= 1 for step in row["to_truth"])
        assert all(0 <= share <= 1 for share in row["clamped"])


def test_one_rollout_shows_real_chunks_of_other_articles(seeded_once: Workspace) -> None:
    report = roll_out_from(seeded_once, ["context-mean"], SETTINGS, {"raw": None}, row=4)
    steps = report["rows"][0]["steps"]
    assert len(steps) == 6
    assert all(step["article"] != report["article"] for step in steps)
    assert steps[0]["to_truth"] is not None
    assert len(report["truth"]) == 6
    with pytest.raises(CorpusError, match="begins the article"):
        roll_out_from(seeded_once, ["context-mean"], SETTINGS, {"raw": None}, row=0)


def test_a_rollout_from_pasted_chunks_has_no_truth_and_agrees_with_the_same_chunks_in_the_corpus(
    seeded_once: Workspace,
) -> None:
    encoder = load_encoder(device="cpu")
    there = start_at(seeded_once, "enwiki-sample", encoder.id, 5, SETTINGS.steps)
    given = start_with(there.texts, encoder)
    np.testing.assert_allclose(given.context, there.context, atol=5e-3)
    variants = {"raw": None, "snapped": SnapSettings()}
    said = roll_out(seeded_once, ["amn"], SETTINGS, variants, given)
    report = described(seeded_once, SETTINGS, given, said)
    assert report["article"] == "pasted text"
    assert {step["to_truth"] for row in report["rows"] for step in row["steps"]} == {None}
    assert all(step["text"] for row in report["rows"] for step in row["steps"])
    same = roll_out(seeded_once, ["amn"], SETTINGS, {"raw": None}, there)
    np.testing.assert_allclose(said[0].vectors, same[0].vectors, atol=5e-3)
    with pytest.raises(CorpusError, match="at least one chunk of text"):
        start_with(["  "], encoder)


def test_the_laboratory_measures_raw_and_snapped(seeded_once: Workspace) -> None:
    lab = SnapLab(seeded_once, "context-mean", "enwiki-sample", windows=60)
    raw, snapped = lab.measure(None), lab.measure(SnapSettings())
    assert snapped["nearest"]["mean"] > raw["nearest"]["mean"]
    weak = lab.measure(SnapSettings(strength=0.0))
    assert weak["cosine"]["mean"] == pytest.approx(raw["cosine"]["mean"], abs=1e-5)
    ranked = lab.sweep()
    assert len(ranked) == 17
    cosines = [row["cosine"]["mean"] for row in ranked]
    assert cosines == sorted(cosines, reverse=True)


def test_mistakes_are_named(seeded_once: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="There is no model 'nobody'"):
        drift_study(seeded_once, ["nobody"], SETTINGS, {"raw": None})
    with pytest.raises(CorpusError, match="no article of more than 100 chunks"):
        drift_study(seeded_once, ["copy-last"], DriftSettings(context=100, split="validation"), {"raw": None})
    assert main(["rollout", "--workspace", str(seeded_once.root), "--model", "copy-last", "--steps", "99"]) == 2
    assert "steps is 99; expected 1 to 50 chunks" in capsys.readouterr().err


def test_the_command_reports_steps_with_intervals(seeded_once: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        "rollout",
        "--workspace",
        str(seeded_once.root),
        "--model",
        "copy-last",
        "--steps",
        "5",
        "--split",
        "validation",
    ]
    assert main(argv) == 0
    said = capsys.readouterr().out
    assert "copy-last" in said
    assert "step  5" in said
    assert np.isfinite(float(said.split("step  1")[1].split()[0]))
