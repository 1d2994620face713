"""The Vectors and Drift pages on twelve real articles, and with nothing there."""

from lvm_core.decode.snap import SnapSettings
from lvm_core.drift import DriftSettings, drift_key, drift_study, save_study
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
    assert "true next chunks" in text
    assert "copy-last snapped" in text
    assert "effective rank" in text
    assert len(app.get("plotly_chart")) == 1
    assert app.query_params["models"] in ("copy-last,context-mean", ["copy-last,context-mean"])


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
    assert len(app.get("plotly_chart")) == 1


def test_the_laboratory_and_influence(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "drift", view="snap", models="context-mean", split="validation")
    assert not app.exception
    assert "cosine to nearest real chunk, snapped" in shown(app)
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
    app.selectbox(key="echo_decoder").set_value("extractive").run()
    press(app, "Decode")
    assert not app.exception
    assert "what the decoder says" in shown(app)
    assert "context-mean, snapped" in shown(app)
