"""What the looks at vectors say of corpora that give them almost nothing: three windows, equal vectors, two spaces."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lvm_core.corpus.ingest import IngestSettings, ingest
from lvm_core.encoders import load_encoder
from lvm_core.errors import CorpusError, SettingsError, SpaceMismatch
from lvm_core.snap import SnapSettings
from lvm_core.study.drift import DriftSettings, drift_study
from lvm_core.study.map import MapSettings, gather, lay_out, load_map, map_key, numbers
from lvm_core.study.rollouts import roll_out, start_at
from lvm_core.study.snap_lab import SnapLab
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace, read_json, write_json
from tests.app.conftest import Open, open_page, shown  # noqa: F401 - a fixture

WORDS = ("river", "castle", "engine", "forest", "planet", "violin", "harbour", "winter")
MODELS = "amn,copy-last"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace of ten articles of eight sentences: one article, of three windows, in each small split."""
    here = Workspace(tmp_path_factory.mktemp("tiny"))
    lines = [
        {
            "title": f"Article {n}",
            "text": " ".join(f"The {word} of story {n} was described at length." for word in WORDS),
        }
        for n in range(10)
    ]
    source = Path(here.root.parent) / "tiny.jsonl"
    source.write_text("\n".join(map(json.dumps, lines)))
    ingest(here, str(source), "tiny", IngestSettings())
    encode_corpus(here, "tiny", load_encoder(device="cpu"))
    return here


def test_a_split_of_three_windows_is_shown_for_what_it_is(tiny: Workspace) -> None:
    data = gather(tiny, MapSettings(corpus="tiny", models=MODELS, corpus_points=0))
    assert len(data.target_rows) == 3
    assert {len(xy) for xy in lay_out(data).coordinates.values()} == {3}
    assert all(np.isfinite(row["effective_rank"]) for row in numbers(data))
    study = drift_study(tiny, ["amn"], DriftSettings(corpus="tiny", steps=4), {"raw": None, "snapped": SnapSettings()})
    assert study["n_articles"] == 1
    assert study["rows"][0]["to_truth"][0]["ci"] is None  # one article has no interval
    assert len(SnapLab(tiny, "amn", "tiny").sweep()) == 17
    with pytest.raises(SettingsError, match="3 vectors were given for a map; expected at least 5"):
        lay_out(gather(tiny, MapSettings(corpus="tiny", corpus_points=0)))


def test_both_pages_open_on_three_windows(tiny: Workspace, open_page: Open) -> None:  # noqa: F811
    for page, view in (("vectors", ""), ("drift", "mean"), ("drift", "snap"), ("drift", "one"), ("drift", "influence")):
        app = open_page(tiny, page, models=MODELS, view=view, steps="4")
        assert not app.exception, (page, view)
        assert not app.error, (page, view)
    app = open_page(tiny, "vectors", models="", corpus_points="0")
    assert "Choose more windows" in shown(app)


def test_vectors_that_are_all_equal_are_one_point(seeded: Workspace) -> None:
    settings = MapSettings(models=MODELS, split="validation", windows=20, corpus_points=50)
    encoder_id = gather(seeded, settings).encoder_id
    path = seeded.vectors("enwiki-sample", encoder_id)
    rows = np.load(path)
    rows[:] = rows[0]
    np.save(path, rows)
    data = gather(seeded, settings)
    by_name = {(row["name"], row["kind"]): row for row in numbers(data)}
    assert by_name["target", ""]["effective_rank"] == 0
    assert by_name["copy-last", "raw"]["common"] == pytest.approx(1, abs=1e-3)
    one = MapSettings(models="copy-last", split="validation", snap=False)
    assert "single point" in lay_out(gather(seeded, one)).note
    start = start_at(seeded, "enwiki-sample", encoder_id, 6, 5)
    rolled = roll_out(seeded, ["copy-last"], DriftSettings(steps=5), {"raw": None, "snapped": SnapSettings()}, start)
    assert all(np.allclose(one.drift.to_truth, 1, atol=1e-3) for one in rolled)


def test_a_model_and_a_corpus_of_two_encoders_never_meet(seeded: Workspace) -> None:
    encoder_id = gather(seeded, MapSettings(models="amn", split="validation", windows=10)).encoder_id
    start = start_at(seeded, "enwiki-sample", encoder_id, 6, 5)
    other = "other@000000000000"
    about = next(seeded.vectors("enwiki-sample", encoder_id).parent.glob("vectors.*.json"))
    write_json(about.with_name(about.name.replace(encoder_id, other)), {**read_json(about), "encoder_id": other})
    about.unlink()
    seeded.vectors("enwiki-sample", encoder_id).rename(seeded.vectors("enwiki-sample", other))
    with pytest.raises((CorpusError, SpaceMismatch), match=encoder_id):
        gather(seeded, MapSettings(models="amn", split="validation", windows=10))
    with pytest.raises(SpaceMismatch, match=other):
        roll_out(seeded, ["amn"], DriftSettings(steps=2), {"raw": None}, replace(start, encoder_id=other))


def test_a_map_cut_off_halfway_leaves_nothing_that_is_taken_for_one(seeded: Workspace) -> None:
    settings = MapSettings(models="copy-last", split="validation", windows=20, method="umap")
    key = map_key(seeded, settings)
    path = seeded.projection(key, "npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PK half of a file")
    assert load_map(seeded, key) is None
    write_json(seeded.projection(key, "json"), {"axes": ["UMAP 1", "UMAP 2"], "note": "", "numbers": []})
    assert load_map(seeded, key) is None
