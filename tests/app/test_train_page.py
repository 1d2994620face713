"""The Train page: forms, problems, commands, jobs and runs; then, in a browser, what survives a kill."""

import html
import json
import re
import sys
import time
from dataclasses import asdict

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lvm_core.config import fields_of
from lvm_core.executors import ExecutorKind
from lvm_core.jobs.store import JobStore
from lvm_core.train import TrainConfig
from lvm_core.train.notes import RunNotes, write_notes
from lvm_core.train.samples import Sample
from lvm_core.train.sweep import new_sweep
from lvm_core.workspace import Workspace, read_json, write_json
from pages.views.train import runs
from pages.views.train.figure import smoothed
from pages.views.train.form import option_fields
from tests.app.conftest import Open, press, shown
from tests.leaderboard.rows import add

BLOCK = [sys.executable, "-c", "import time; time.sleep(60)"]


def widget(app: AppTest, kind: str, label: str) -> object:
    (found,) = [w for w in app.get(kind) if w.label == label]
    return found


def command(app: AppTest) -> str:
    return next(c.value for c in app.code if c.value.startswith("python -m lvm_core"))


def fake_run(workspace: Workspace, run: str, points: int, created: float, **settings: object) -> None:
    """Write a finished run as training does, without training."""
    train = {
        "model": "amn",
        "corpus": "enwiki-sample",
        "context": 5,
        "loss": "mse",
        "epochs": 20,
        "lr": 5e-4,
        **settings,
    }
    baselines = {"weighted-mean": 0.52, "linear-filter": 0.53}
    write_json(
        workspace.run_config(run),
        {"model": train["model"], "train": train, "n_parameters": 1000, "created": created, "baselines": baselines},
    )
    lines = [
        {"step": i + 1, "epoch": i // 25 + 1, "loss": {"mse": 1 / (i + 1)}, "grad_norm": {"mse": 0.1}, "lr": 1e-4,
         "val_cosine": 0.5 + i / 1e4 if i % 25 == 24 else None, "baselines": baselines, "windows_per_s": 3000.0,
         "seconds": float(i)}
        for i in range(points)
    ]  # fmt: skip
    workspace.run_metrics(run).write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = {"stopped": "finished", "epochs": 20, "val_cosine": 0.54, "train_s": 60.0, "baselines": baselines}
    write_json(workspace.run_result(run), result)


@pytest.fixture
def calm(seeded: Workspace) -> Workspace:
    """Return the seeded workspace with one job that keeps the queue waiting."""
    JobStore(seeded).submit(["hold"], program=BLOCK, title="hold")
    yield seeded
    for job in reversed(JobStore(seeded).list(("queued", "running"))):  # what waits for another one first
        JobStore(seeded).cancel(job.id)


def test_a_training_is_queued_with_the_command_that_was_shown(calm: Workspace, open_page: Open) -> None:
    app = open_page(calm, "train")
    widget(app, "number_input", "Epochs").set_value(3).run()
    widget(app, "number_input", "Learning rate").set_value(0.002).run()
    assert "--epochs 3 --lr 0.002" in command(app)
    press(app, "Start training")
    job = next(job for job in JobStore(calm).list(("queued",)) if job.kind == "train")
    assert job.argv[:-2] == ["train", "--model", "amn", "--corpus", "enwiki-sample", "--epochs", "3", "--lr", "0.002"]
    assert job.run in shown(app)


def test_all_problems_are_said_at_once_and_nothing_starts(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "train")
    widget(app, "selectbox", "Net").set_value("transformer").run()
    widget(app, "number_input", "Heads").set_value(7).run()
    widget(app, "number_input", "Context [chunks]").set_value(900).run()
    widget(app, "number_input", "Epochs").set_value(0).run()
    said = shown(app)
    said = html.unescape(said)
    assert "'Epochs' is 0; expected 1 to 10000" in said
    assert "'Heads' is 7, which does not divide 'Width [units]' 512" in said
    assert "'Context [chunks]' is 900 chunks, and the longest training article has" in said
    labels = {f.name for f in [*fields_of(TrainConfig), *option_fields("transformer")]}
    problems = re.findall(r"<li>(.*?)</li>", said)
    assert [p for p in problems if p.split()[0] in labels] == [], "no name that only the code knows"
    (button,) = [b for b in app.button if b.label == "Start training"]
    assert button.disabled


def test_every_setting_of_a_training_has_its_widget(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "train")
    kinds = ("selectbox", "number_input", "toggle", "text_input", "multiselect")
    labels = {w.label.lower() for kind in kinds for w in app.get(kind)}
    assert {f.title.lower() for f in fields_of(TrainConfig) if f.name != "options"} - labels == set()
    assert {"net", "corpora", "train without an order", "checkpoint every [s]"} <= labels


def test_few_articles_are_said_to_be_few_before_the_start(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "train")
    assert re.search(r"\d+ training articles are few: .* level with the fitted linear filter", shown(app))
    widget(app, "selectbox", "Net").set_value("linear-filter").run()
    assert "are few" not in shown(app), "a rule has no filter to beat"


def test_a_preset_changes_the_command(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "train")
    (presets,) = [w for w in app.get("button_group") if w.label == "Start from"]
    presets.set_value("long context").run()
    assert "--context 100 --loss cosine" in command(app)


def test_again_with_the_settings_of_a_run(seeded: Workspace, open_page: Open) -> None:
    fake_run(seeded, "lstm-1", 30, time.time(), model="lstm", lr=0.003, options={"d_hidden": 64})
    app = open_page(seeded, "train", **{"from": "lstm-1"})
    assert "train --workspace" in command(app)
    assert "--model lstm" in command(app)
    assert "--lr 0.003" in command(app)
    assert "--option d_hidden=64" in command(app)


def test_a_run_that_is_not_there_is_said(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "train", **{"from": "nothing"})
    assert "There is no run 'nothing'" in app.error[0].value


def test_jobs_have_their_states_and_can_be_cancelled_and_retried(calm: Workspace, open_page: Open) -> None:
    store = JobStore(calm)
    waiting = store.submit(["later"], program=BLOCK)
    app = open_page(calm, "train")
    assert "lvm-state-running" in shown(app)
    assert "lvm-state-queued" in shown(app)
    (button,) = [b for b in app.button if b.key == f"cancel:{waiting}"]
    button.click().run()
    assert store.get(waiting).state == "cancelled"
    (button,) = [b for b in app.button if b.key == f"retry:{waiting}"]
    button.click().run()
    assert len(store.list(("queued",))) == 1
    (button,) = [b for b in app.button if b.key == f"delete:{waiting}"]
    button.click().run()
    assert waiting not in [job.id for job in store.list()]


def test_another_command_gets_its_form_and_its_exact_command(calm: Workspace, open_page: Open) -> None:
    app = open_page(calm, "train")
    (what,) = [w for w in app.get("button_group") if w.label == "What"]
    what.set_value("other").run()
    widget(app, "selectbox", "Command").set_value("ingest").run()
    assert "expected also source" in shown(app)
    widget(app, "text_area", "Source").set_value("vital-leads").run()
    press(app, "Start ingest")
    (job,) = JobStore(calm).list(("queued",))
    assert job.argv == ["ingest", "vital-leads"]


def test_a_sweep_over_two_settings_is_queued_as_one_job(calm: Workspace, open_page: Open) -> None:
    app = open_page(calm, "train")
    (what,) = [w for w in app.get("button_group") if w.label == "What"]
    what.set_value("sweep").run()
    assert "Nothing varies yet" in shown(app)
    widget(app, "text_area", "Vary").set_value("lr = 0.001, 0.0005\nd_model = 32, 64").run()
    assert "--vary lr=0.001, 0.0005" in command(app).replace("'", "")
    press(app, "Start sweep")
    (job,) = JobStore(calm).list(("queued",))
    assert job.kind == "sweep"
    assert job.run is not None


def test_a_sweep_is_sent_to_a_cluster_where_one_can_be_reached(
    calm: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(calm, "train", what="sweep")
    widget(app, "text_area", "Vary").set_value("lr = 0.001, 0.0005").run()
    assert "--on" not in command(app)
    (where,) = [w for w in app.get("button_group") if w.label == "Runs on"]
    where.set_value("slurm").run()
    assert command(app).endswith("--on slurm")
    press(app, "Start sweep")
    (job,) = JobStore(calm).list(("queued",))
    assert job.argv[-4:-2] == ["--on", "slurm"], "the name of the sweep comes last"
    monkeypatch.setattr(ExecutorKind, "is_here", lambda kind: not kind.package)
    app.run()
    assert not [w for w in app.get("button_group") if w.label == "Runs on"]


def test_words_for_numbers_are_refused_before_a_sweep_starts(calm: Workspace, open_page: Open) -> None:
    app = open_page(calm, "train", what="sweep")
    widget(app, "text_area", "Vary").set_value("lr = abc, 0.001\nd_model = 32, 0").run()
    said = shown(app)
    assert "lr is &#x27;abc&#x27;; expected float" in said
    assert "d_model is 0; expected 1 to" in said
    (button,) = [b for b in app.button if b.label == "Start sweep"]
    assert button.disabled


def test_the_form_is_found_as_it_was_left(calm: Workspace, open_page: Open) -> None:
    app = open_page(calm, "train")
    widget(app, "selectbox", "Net").set_value("gru").run()
    widget(app, "number_input", "Epochs").set_value(3).run()
    widget(app, "number_input", "Width [units]").set_value(64).run()
    before = command(app)
    app.switch_page("pages/system.py").run()
    app.switch_page("pages/train.py").run()
    assert not app.exception
    assert command(app) == before
    assert "--model gru" in before
    assert "--epochs 3" in before
    assert "--option d_model=64" in before


def test_two_hundred_runs_are_shown(seeded: Workspace, open_page: Open) -> None:
    for i in range(200):
        fake_run(seeded, f"amn-{i:03d}", 500, time.time() - i)
    app = open_page(seeded, "train")
    assert not app.exception
    assert "amn-000" in shown(app)
    assert len(app.dataframe[0].value) == 200


def test_a_training_has_a_name_and_is_evaluated_when_it_is_done(calm: Workspace, open_page: Open) -> None:
    app = open_page(calm, "train")
    widget(app, "text_input", "Name of the run").set_value("two words").run()
    assert "such as two-words" in shown(app)
    widget(app, "text_input", "Name of the run").set_value("first-try").run()
    press(app, "Start training")
    evaluation, training = sorted(JobStore(calm).list(("queued",)), key=lambda job: job.kind)
    assert (training.run, training.title) == ("first-try", "Train first-try")
    assert evaluation.argv == ["evaluate", "first-try", "--corpus", "enwiki-sample", "--split", "test"]
    assert (evaluation.after, evaluation.lane) == (training.id, "short")


def test_all_jobs_can_be_reached(calm: Workspace, open_page: Open) -> None:
    store = JobStore(calm)
    for i in range(7):
        store.cancel(store.submit(["later"], program=BLOCK, title=f"number {i}"))
    app = open_page(calm, "train")
    assert "number 0" not in shown(app)
    widget(app, "toggle", "All 7 jobs that ended").set_value(True).run()
    assert "number 0" in shown(app)


def test_runs_are_filtered_tagged_and_their_verdict_is_said(seeded: Workspace, open_page: Open) -> None:
    fake_run(seeded, "amn-1", 30, time.time())
    fake_run(seeded, "gru-1", 30, time.time() - 1, model="gru")
    path = seeded.run_result("amn-1")
    write_json(path, {**read_json(path), "verdict": "no epoch beat the fitted filter: this model is the filter"})
    write_notes(seeded, "gru-1", RunNotes("baseline,  night ,night", "a first look"))
    app = open_page(seeded, "train")
    assert "this model is the filter" in shown(app)
    widget(app, "text_input", "Filter").set_value("night look").run()
    assert list(app.dataframe[0].value["run"]) == ["gru-1"]
    assert list(app.dataframe[0].value["tags"]) == ["baseline, night"]
    assert "amn-1" not in shown(app)
    widget(app, "text_input", "Filter").set_value("nothing").run()
    assert "No run passes the filter" in shown(app)


def test_smoothing_draws_a_moving_mean() -> None:
    assert smoothed(np.array([1.0, 3.0, 3.0]), 0.5).tolist() == [1.0, 2.0, 2.5]
    assert smoothed(np.array([1.0, 3.0]), 0.0).tolist() == [1.0, 3.0]


def test_an_evaluated_run_leads_to_its_row_of_the_board(seeded: Workspace, open_page: Open) -> None:
    fake_run(seeded, "amn-1", 30, time.time())
    assert runs.tests_of_runs(seeded) == {}
    add(seeded, "amn-1", 0.51, comparable="k1")
    add(seeded, "amn-1", 0.52, comparable="k2")
    assert runs.tests_of_runs(seeded) == {"amn-1": "k2"}
    app = open_page(seeded, "leaderboard", test="k2", models="amn-1")
    assert not app.exception
    assert app.multiselect(key="leaderboard:models").value == ["amn-1"]


def test_the_pointer_marks_one_place_in_all_charts_of_all_runs(seeded: Workspace, open_page: Open) -> None:
    fake_run(seeded, "amn-1", 60, time.time())
    fake_run(seeded, "gru-1", 60, time.time() - 1, model="gru")
    app = open_page(seeded, "train")
    (chart,) = app.get("plotly_chart")
    figure = json.loads(chart.proto.spec)
    assert (figure["layout"]["hovermode"], figure["layout"]["hoversubplots"]) == ("x unified", "axis")
    assert {trace["xaxis"] for trace in figure["data"]} == {"x"}
    charts = {trace["name"]: trace["yaxis"] for trace in figure["data"]}
    for run in ("amn-1", "gru-1"):
        names = [f"{run} {word}" for word in ("cosine", "loss", "gradient", "windows/s")]
        assert [charts[name] for name in names] == ["y", "y2", "y3", "y4"]
    assert figure["layout"]["yaxis2"]["type"] == "log"
    widget(app, "toggle", "Log scale").set_value(False).run()
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert "log" not in (figure["layout"]["yaxis2"].get("type"), figure["layout"]["yaxis3"].get("type"))


def test_the_runs_of_a_sweep_stand_side_by_side(seeded: Workspace, open_page: Open) -> None:
    varied = [{"model": model, "lr": lr} for model in ("amn", "gru") for lr in (1e-3, 1e-4)]
    sweep = new_sweep("night", {"epochs": 20}, varied)
    write_json(seeded.sweep("night"), sweep.to_json())
    for i, child in enumerate(sweep.children):
        fake_run(seeded, child.run, 30, time.time() - i, **child.settings)
        path = seeded.run_result(child.run)
        write_json(path, {**read_json(path), "val_cosine": 0.5 + i / 100})
    app = open_page(seeded, "train")
    assert "4 of the 4 runs of the sweep" in shown(app)
    (parallel,) = json.loads(app.get("plotly_chart")[1].proto.spec)["data"]
    assert parallel["type"] == "parcoords"
    labels = {one["label"]: one for one in parallel["dimensions"]}
    assert list(labels) == ["net", "learning rate", "validation cosine"]
    assert labels["net"]["ticktext"] == ["amn", "gru"]
    assert labels["learning rate"]["ticktext"] == ["0.0001", "0.001"]
    assert parallel["line"]["color"] == labels["validation cosine"]["values"] == [0.5, 0.51, 0.52, 0.53]
    fake_run(seeded, "alone", 30, time.time() + 1)
    app = open_page(seeded, "train")
    assert len(app.get("plotly_chart")) == 1, "runs of different origin are no sweep"


def test_what_one_run_said_after_its_epochs_stands_under_its_curves(seeded: Workspace, open_page: Open) -> None:
    fake_run(seeded, "amn-1", 30, time.time())
    lines = [Sample(epoch, "The <b>last</b> one.", "The next one.", f"Said after {epoch}.", 0.5 + epoch / 100)
             for epoch in range(21) for _ in range(3)]  # fmt: skip
    seeded.run_samples("amn-1").write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    app = open_page(seeded, "train")
    said = shown(app)
    assert "three validation windows" in said
    assert "The &lt;b&gt;last&lt;/b&gt; one." in said
    assert said.count("The next one.") == 3
    assert "Said after 0." in said
    assert "Said after 20." in said
    assert "0.700" in said
    assert said.count("Said after ") == 24, "eight epochs of twenty-one"
    fake_run(seeded, "gru-1", 30, time.time() - 1, model="gru")
    assert "three validation windows" not in shown(open_page(seeded, "train")), "two runs are charted"
