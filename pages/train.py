"""Train: start trainings and other jobs, watch them live, compare runs. Jobs go on when this page is closed."""

from pathlib import Path

import streamlit as st

from lvm_core.errors import JobError
from lvm_core.workspace import read_json
from pages.shared import address, first_start, state, ui
from pages.views.train import curves as train_curves
from pages.views.train import form as train_form
from pages.views.train import parallel, samples
from pages.views.train import queue as train_jobs
from pages.views.train import runs as train_runs
from pages.views.train import start as train_start

WHAT = {"train": "training", "sweep": "sweep", "other": "other command"}
FORMS = {"train": train_start.training, "sweep": train_start.sweep, "other": train_start.other}
CSS = Path(__file__).resolve().parent.parent / "assets" / "train.css"


def take_from(at: address.Address) -> None:
    """Fill the form from the run named in the address (`?from=RUN`)."""
    run = at.value("from", "")
    at.put("from", "")
    if not run:
        return
    path = state.workspace().run_config(run)
    settings = read_json(path).get("train") if path.exists() else None
    if not settings:
        raise JobError(
            f"There is no run {run!r} with settings to train again with",
            "one of the runs of this workspace",
            "Choose it in the table of runs.",
        )
    train_form.take(at, settings)
    at.put("what", "train")


@st.fragment
def form() -> None:
    """Show the form of what is to be started; typing in it refreshes nothing else."""
    at = address.Address("train")
    with ui.errors_shown():
        what = st.segmented_control(
            "What",
            list(WHAT),
            format_func=WHAT.__getitem__,
            key=at.key("what", "train", list(WHAT)),
            required=True,
            label_visibility="collapsed",
        )
        FORMS[what](at)


def curves() -> None:
    """Show the curves of the runs chosen in the table."""
    look = train_curves.look(address.Address("train"))
    rows = train_runs.rows()
    charted = train_runs.chosen(rows)
    train_curves.panel(charted, look)
    parallel.of_one_sweep(charted, rows)
    if len(charted) == 1:
        samples.show(charted[0])


def page(at: address.Address) -> None:
    """Show the form on the left; jobs, curves and runs beside it, each refreshing by itself."""
    with ui.errors_shown():
        take_from(at)
    left, right = st.columns([3, 7], gap="medium")
    with right:
        head, at_once = st.columns([8, 2], vertical_alignment="bottom")
        head.html('<p class="lvm-section">Jobs</p>')
        with at_once:
            train_jobs.limit()
        train_jobs.live(train_jobs.panel)
        with st.expander("Log and ranking", icon=":material/notes:", expanded=train_jobs.LOG_JOB in st.session_state):
            train_jobs.live(train_jobs.log, 3.0)
        st.html('<p class="lvm-section">Curves</p>')
        train_curves.choose(at)
        train_jobs.live(curves)
        head, words = st.columns([3, 7], vertical_alignment="center")
        head.html('<p class="lvm-section">Runs</p>')
        with words:
            train_runs.words(at)
        with ui.errors_shown():
            train_runs.arrange(train_runs.rows())
        train_jobs.live(train_runs.table, 6.0)
    with left:
        first_start.notice("trainings wait for one")
        form()


st.html(CSS)
ui.page_title("Train", "Fit nets to your corpora and compare them; jobs go on when this page is closed")
with address.page("train") as choices:
    page(choices)
