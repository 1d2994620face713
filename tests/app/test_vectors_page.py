"""The Vectors and Drift pages on twelve real articles, and with nothing there."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lvm_core.config import command_line
from lvm_core.jobs.store import JobStore
from lvm_core.snap import SnapSettings
from lvm_core.study.drift import DriftSettings, drift_key, drift_study, save_study
from lvm_core.study.map import MapSettings, map_key
from lvm_core.workspace import Workspace
from tests.app.conftest import Open, press, shown


def test_both_say_what_to_do_when_nothing_is_encoded(workspace: Workspace, open_page: Open) -> None:
    for page in ("vectors", "drift"):
        app = open_page(workspace, page)
        assert not app.exception
        assert "No vectors yet" in shown(app)


def test_the_map_shows_numbers_and_a_picture_and_is_linked(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", models="copy-last,context-mean", split="validation", windows="30")
    assert not app.exception
    assert not app.error
    text = shown(app)
    assert "true next" in text
    assert "<b>copy-last</b>" in text
    assert "Effective rank" in text
    assert len(app.get("plotly_chart")) == 1
    assert app.query_params["models"] in ("copy-last,context-mean", ["copy-last,context-mean"])


@pytest.mark.parametrize("colour", ["role", "cosine", "article", "section", "position", "tmd"])
def test_every_colour_is_drawn_in_two_and_three_dimensions(seeded: Workspace, open_page: Open, colour: str) -> None:
    query = {"models": "copy-last,amn", "split": "train", "windows": "20", "corpus_points": "60", "colour": colour}
    app = open_page(seeded, "vectors", **query)
    assert not app.exception
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = [trace.get("name") for trace in figure["data"] if trace.get("showlegend") is not False]
    assert "true next chunks" in names
    assert "amn: snapped" in names
    app = open_page(seeded, "vectors", **query, n_dims="3")
    assert not app.exception
    assert "scatter3d" in app.get("plotly_chart")[0].proto.spec


def test_a_chosen_point_is_read_with_its_context_and_neighbours(seeded: Workspace, monkeypatch: Any) -> None:
    def page(root: str) -> None:
        import os

        os.environ["LVM_WORKSPACE"] = root
        from lvm_core.study.map import MapSettings, gather
        from lvm_core.workspace import Workspace
        from pages.views.vectors import points as map_points

        found = gather(Workspace(root), MapSettings(models="copy-last", split="train", windows=10, corpus_points=20))
        map_points.show(found, [("copy-last raw", 3), ("target", 3), ("corpus", 2)])

    monkeypatch.setenv("LVM_WORKSPACE", str(seeded.root))
    app = AppTest.from_function(page, args=(str(seeded.root),), default_timeout=120).run()
    assert not app.exception
    text = shown(app)
    assert "1 window chosen" in text
    assert "1 corpus chunk chosen" in text
    assert "true next chunk" in text
    assert "copy-last snapped" in text
    assert text.count('class="lvm-neighbours"') == 6  # five of the vector that was hit, one of the other


def test_a_umap_that_was_cut_off_says_so_and_is_made_again(seeded: Workspace, open_page: Open) -> None:
    query = {"models": "copy-last", "split": "validation", "windows": "30", "method": "umap"}
    settings = MapSettings(models="copy-last", split="validation", windows=30, method="umap")
    jobs = JobStore(seeded)
    job = jobs.submit(["project", *command_line(settings)], "UMAP")
    jobs.cancel(job)
    app = open_page(seeded, "vectors", **query)
    assert not app.exception
    assert "was cancelled" in shown(app)
    assert [button.label for button in app.button if "UMAP" in button.label] == ["Make the UMAP"]
    seeded.projection(map_key(seeded, settings), "npz").parent.mkdir(parents=True, exist_ok=True)
    seeded.projection(map_key(seeded, settings), "npz").write_bytes(b"half of a file")
    assert "PCA as a preview" in shown(app.run())


def test_umap_is_a_job_and_pca_stands_in_for_it(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", models="copy-last", split="validation", windows="30", method="umap")
    assert not app.exception
    assert "PCA as a preview" in shown(app)
    assert "project" in shown(app)
    assert "--method umap" in shown(app)


def test_a_rollout_is_curves_and_text(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "drift", models="context-mean", split="train", steps="4", position="6", context="3")
    assert not app.exception
    assert not app.error
    text = shown(app)
    assert "what the article says" in text
    assert "last context chunk" in text
    assert len(app.get("plotly_chart")) == 4


def test_the_laboratory_and_influence(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "drift", view="snap", models="context-mean", split="validation")
    assert not app.exception
    assert "what the snap does" in shown(app)
    assert "snapped, nearest real chunk" in shown(app)
    app = open_page(seeded, "drift", view="influence", models="context-mean", split="train", position="6", context="4")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1


def test_averages_are_offered_as_a_job_and_shown_when_made(seeded: Workspace, open_page: Open) -> None:
    query = {
        "view": "mean",
        "models": "copy-last",
        "split": "validation",
        "steps": "3",
        "context": "5",
        "position": "5",
    }
    app = open_page(seeded, "drift", **query)
    assert "No averages for these choices yet" in shown(app)
    settings = DriftSettings(split="validation", steps=3)
    study = drift_study(seeded, ["copy-last"], settings, {"raw": None, "snapped": SnapSettings()})
    save_study(seeded, drift_key(seeded, ["copy-last"], settings, SnapSettings()), study)
    app = open_page(seeded, "drift", **query)
    assert not app.exception
    assert "95 % intervals over articles" in shown(app)


def test_echo_says_each_vector_and_encodes_the_text_again(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "drift", view="echo", models="context-mean", split="train", position="6", context="4")
    assert not app.exception
    app.selectbox(key="drift:decoder").set_value("extractive").run()
    press(app, "Decode")
    assert not app.exception
    assert "what the decoder says" in shown(app)
    assert "context-mean, snapped" in shown(app)
