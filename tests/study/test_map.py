"""Maps show targets and predictions together, keep what they made, and say what they left out."""

import json
from pathlib import Path

import numpy as np
import pytest

from lvm_core.__main__ import main
from lvm_core.errors import CorpusError, ModelError
from lvm_core.study.map import CORPUS, TARGET, MapSettings, gather, lay_out, load_map, map_key, numbers, save_map
from lvm_core.workspace import Workspace

SETTINGS = MapSettings(models="copy-last,context-mean", split="validation", windows=40, corpus_points=100)


def test_every_group_has_its_points_and_numbers(seeded_once: Workspace) -> None:
    data = gather(seeded_once, SETTINGS)
    made = lay_out(data)
    assert {str(group) for group in made.coordinates} == {
        "corpus", "target", "copy-last raw", "copy-last snapped", "context-mean raw", "context-mean snapped",
    }  # fmt: skip
    assert len(made.coordinates[CORPUS]) == 100
    assert {len(xy) for group, xy in made.coordinates.items() if group != CORPUS} == {len(data.target_rows)}
    assert "points are shown, drawn at random" in made.note
    by_name = {(row["name"], row["kind"]): row for row in numbers(data)}
    assert by_name["target", ""]["cosine"] is None
    assert by_name["context-mean", "raw"]["effective_rank"] < by_name["target", ""]["effective_rank"]
    assert by_name["context-mean", "snapped"]["nearest"] > by_name["context-mean", "raw"]["nearest"]


def test_neighbours_never_come_from_the_article_under_test(seeded_once: Workspace) -> None:
    data = gather(seeded_once, SETTINGS)
    assert float(data.target_nearest.max()) < 0.999


def test_a_map_is_kept_by_its_content(seeded: Workspace) -> None:
    data = gather(seeded, SETTINGS)
    made, key = lay_out(data), map_key(seeded, SETTINGS)
    assert load_map(seeded, key) is None
    save_map(seeded, key, made, numbers(data))
    again = load_map(seeded, key)
    assert again is not None
    assert again.axes == made.axes
    np.testing.assert_array_equal(again.coordinates[TARGET], made.coordinates[TARGET])
    assert map_key(seeded, MapSettings(**{**_fields(SETTINGS), "seed": 1})) != key
    seeded.projection(key, "npz").write_bytes(b"cut short")
    assert load_map(seeded, key) is None


def _fields(settings: MapSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in MapSettings.__dataclass_fields__}


def test_the_command_keeps_the_map_and_prints_its_numbers(
    seeded: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["project", "--json", "--workspace", str(seeded.root), "--models", "copy-last", "--split", "validation"]
    assert main([*argv, "--windows", "20", "--corpus-points", "50"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert Path(result["path"]).exists()
    assert [row["name"] for row in result["numbers"]] == ["target", "copy-last", "copy-last"]


def test_mistakes_are_named(seeded_once: Workspace) -> None:
    with pytest.raises(ModelError, match="There is no model 'nobody'"):
        gather(seeded_once, MapSettings(models="nobody"))
    with pytest.raises(CorpusError, match="There is no corpus 'nowhere'"):
        gather(seeded_once, MapSettings(corpus="nowhere"))
