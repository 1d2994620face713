"""The Vectors and Drift pages on twelve real articles, and with nothing there."""

import base64
import html
import json
import struct
import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lvm_core.config import command_line
from lvm_core.corpus.store import CorpusStore
from lvm_core.database import connect
from lvm_core.jobs.store import JobStore
from lvm_core.snap import SnapSettings
from lvm_core.study.drift import DriftSettings, drift_key, drift_study, save_study
from lvm_core.study.map import MapSettings, map_key
from lvm_core.workspace import Workspace
from pages.shared import ui
from pages.views.drift.form import WORDS
from tests.app.conftest import Open, press, shown, table


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
        from lvm_core.study.map import CORPUS, TARGET, Group, MapSettings, gather
        from lvm_core.workspace import Workspace
        from pages.views.vectors import points as map_points
        from pages.views.vectors.look import Point

        found = gather(Workspace(root), MapSettings(models="copy-last", split="train", windows=10, corpus_points=20))
        points = [Point(Group("raw", "copy-last"), 3), Point(TARGET, 3), Point(CORPUS, 2)]
        map_points.show(found, points, lambda: None)

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
    while jobs.get(job).state in ("queued", "running"):
        time.sleep(0.05)
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


def test_a_round_trip_says_each_vector_and_encodes_the_text_again(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "drift", view="echo", models="context-mean", split="train", position="6", context="4")
    assert not app.exception
    app.selectbox(key="drift:decoder").set_value("extractive").run()
    press(app, "Decode")
    assert not app.exception
    assert "what the decoder says" in shown(app)
    assert "context-mean, snapped" in shown(app)
    assert "The round trip is the cosine" in shown(app)
    (views,) = [w for w in app.get("button_group") if w.label == "View"]
    assert "Round trip" in [option.content for option in views.proto.options]
    assert "echo" not in shown(app).lower()


def test_messages_say_what_the_form_calls_a_setting(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", models="copy-last", split="validation", windows="30")
    app.number_input(key="vectors:n_neighbours").set_value(1).run()
    app.number_input(key="vectors:min_dist").set_value(3.0).run()
    assert "'Neighbours' is 1; expected 2 to 200." in app.error[0].value
    assert "'Minimal distance' is 3" in app.error[0].value
    assert "n_neighbours" not in app.error[0].value.replace("\\", "")
    said = ui.spoken("Use a shorter --context, fewer --steps or a smaller --k.", WORDS)
    assert said == "Use a shorter 'Context [chunks]', fewer 'Rollout steps' or a smaller 'Snap neighbours'."


QUERY = {"models": "copy-last,context-mean", "split": "train", "windows": "40", "corpus_points": "200"}


def drawn(app: AppTest) -> dict[str, Any]:
    """Return the figure of the map as the browser gets it."""
    figure: dict[str, Any] = json.loads(app.get("plotly_chart")[0].proto.spec)
    return figure


def numbers(array: Any) -> list[float]:
    """Return an array of a figure, which is sent as bytes, unless it is empty."""
    if isinstance(array, list):
        return array
    kind = {"f4": "f", "f8": "d"}[array["dtype"]]
    data = base64.b64decode(array["bdata"])
    return list(struct.unpack(f"<{len(data) // struct.calcsize(kind)}{kind}", data))


def test_every_point_shows_its_text_on_hover(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", **QUERY)
    texts = [chunk.text for d in CorpusStore(seeded).documents("enwiki-sample")
             for chunk in CorpusStore(seeded).document_chunks(d.document_id)]  # fmt: skip
    beginnings = {html.escape(text[:20]) for text in texts}
    traces = [trace for trace in drawn(app)["data"] if trace.get("text")]
    assert len(traces) == 6
    for trace in traces:
        for label in trace["text"]:
            words = label.split("<br>")[1]
            assert any(words.startswith(beginning) for beginning in beginnings), label
            assert len(label) < 400


def test_words_are_found_on_the_map_and_in_its_table(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", **QUERY)
    every = table(app, "map-windows")
    assert len(every.rows) == 40
    assert every.columns[:3] == ["article", "place", "copy-last raw"]
    word = every.column("true next chunk")[0].split()[0]
    app.text_input(key="vectors:find").set_value(word.upper()).run()
    assert not app.exception
    found = table(app, "map-windows")
    assert 0 < len(found.rows) < 40
    assert all(word.lower() in text.lower() for text in found.column("true next chunk"))
    targets = next(trace for trace in drawn(app)["data"] if trace.get("name") == "true next chunks")
    out = [opacity for opacity in numbers(targets["marker"]["opacity"]) if opacity > 0.5]
    assert len(out) == len(found.rows)
    assert f"{len(found.rows)} of 40 windows" in shown(app)
    assert app.query_params["find"] in (word.upper(), [word.upper()])


def test_what_does_not_match_is_small_in_three_dimensions(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", **QUERY, n_dims="3")
    word = table(app, "map-windows").column("true next chunk")[0].split()[0]
    app.text_input(key="vectors:find").set_value(word).run()
    assert not app.exception
    n_found = len(table(app, "map-windows").rows)
    targets = next(trace for trace in drawn(app)["data"] if trace.get("name") == "true next chunks")
    sizes = numbers(targets["marker"]["size"])
    assert len(sizes) == 40
    assert sum(size > 3 * min(sizes) for size in sizes) == n_found


def test_windows_chosen_in_the_table_are_read_and_their_lines_alone_are_full(
    seeded: Workspace, open_page: Open
) -> None:
    app = open_page(seeded, "vectors", **QUERY)
    lines = [trace for trace in drawn(app)["data"] if trace.get("mode") == "lines"]
    assert [len(numbers(trace["x"])) for trace in lines[:4]] == [120, 120, 0, 0]
    app.session_state["vectors:picked"] = [next(iter(table(app, "map-windows").rows))]
    app.run()
    assert "1 window chosen" in shown(app)
    lines = [trace for trace in drawn(app)["data"] if trace.get("mode") == "lines"]
    assert [len(numbers(trace["x"])) for trace in lines[:4]] == [3, 3, 117, 117]
    assert lines[2]["opacity"] < lines[0]["opacity"] / 3
    press(app, "Choose none")
    assert "1 window chosen" not in shown(app)


def test_regions_have_names_and_density_where_they_are_asked_for(seeded: Workspace, open_page: Open) -> None:
    plain = drawn(open_page(seeded, "vectors", **QUERY))
    assert not plain["layout"].get("annotations")
    assert plain["data"][0]["visible"] is False
    figure = drawn(open_page(seeded, "vectors", **QUERY, names="1", density="1"))
    names = [one["text"] for one in figure["layout"]["annotations"]]
    assert len(names) > 3
    assert all(" · " in name for name in names)
    assert figure["data"][0]["type"] == "contour"
    assert figure["data"][0]["visible"] is True
    solid = open_page(seeded, "vectors", **QUERY, names="1", density="1", n_dims="3")
    assert not solid.exception


def test_models_have_shapes_of_their_own_whatever_the_hue_stands_for(seeded: Workspace, open_page: Open) -> None:
    for dims in ("2", "3"):
        figure = drawn(open_page(seeded, "vectors", **QUERY, colour="article", n_dims=dims))
        shapes = {trace["name"]: trace["marker"]["symbol"] for trace in figure["data"] if trace.get("text")}
        assert len(set(shapes.values())) == len(shapes) == 6


def test_many_points_are_sent_as_bytes_and_what_is_left_out_is_said(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", **{**QUERY, "corpus_points": "60000"})
    corpus = next(trace for trace in drawn(app)["data"] if trace.get("name") == "corpus chunks")
    n_chunks = CorpusStore(seeded).corpus("enwiki-sample").n_chunks
    assert len(numbers(corpus["x"])) == n_chunks
    assert "bdata" in corpus["x"]
    app = open_page(seeded, "vectors", **{**QUERY, "corpus_points": "100"})
    assert f"100 of {n_chunks:,} points are shown, drawn at random" in shown(app)
    assert "40 of " in shown(app)


def test_of_very_many_points_a_label_holds_the_first_words_alone(
    seeded: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.views.vectors.facts.MANY", 30)
    app = open_page(seeded, "vectors", **QUERY)
    texts = {trace["name"]: trace["text"] for trace in drawn(app)["data"] if trace.get("text")}
    assert all(len(html.unescape(label.split("<br>")[1])) <= 33 for label in texts["true next chunks"])
    assert any(label.endswith("…") for label in texts["true next chunks"])


@pytest.mark.parametrize("page", ["vectors", "drift"])
def test_text_stands_under_the_licence_of_its_own_corpus(page: str, seeded: Workspace, open_page: Open) -> None:
    with connect(seeded) as connection:
        connection.execute("UPDATE corpora SET licence = 'MIT, the otters'")
    app = open_page(seeded, page, **QUERY) if page == "vectors" else open_page(seeded, page, models="copy-last")
    assert not app.exception
    assert "MIT, the otters" in shown(app)
    assert "Wikipedia" not in [caption.value for caption in app.caption][-1]
