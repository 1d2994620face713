"""Jobs on the page that started them: how far they are, and how they ended, where one looks for it."""

from collections.abc import Sequence

import streamlit as st

from lvm_core.errors import JobError
from lvm_core.jobs.store import Job
from pages.shared import state, ui

TRAIN_AGAIN = "Train again with changes"
"""The button that puts the settings of a run into the form of a training, on every page."""
ACTIVE = ("queued", "running")
ENDED_BADLY = {"failed": "failed", "interrupted": "was cut off", "cancelled": "was cancelled"}


@st.fragment(run_every=ui.LIVE_S)
def until_done(job_id: str) -> None:
    """Show the progress of a job; the page is drawn anew once it has ended, and nothing else moves meanwhile."""
    job = job_of(job_id)
    if job is None or job.state not in ACTIVE:
        st.rerun()
        return
    st.progress(min(max(job.progress, 0.0), 1.0), ui.plain(job.message or job.state))


def job_of(job_id: str) -> Job | None:
    """Return a job, None where it was deleted."""
    try:
        return state.jobs().get(job_id)
    except JobError:
        return None


def make(argv: Sequence[str], title: str, what: str, button: str) -> None:
    """Show how the job of a command stands; where none is under way, how the last one ended, and what starts it.

    Args:
        argv: the command.
        title: of the job.
        what: the thing that it makes, at the beginning of a sentence, such as "The UMAP".
        button: what the button says.
    """
    same = [job for job in state.jobs().list() if list(job.argv) == list(argv)]
    active = [job for job in same if job.state in ACTIVE]
    if active:
        st.info(f"{what} is being made in the background.", icon=":material/hourglass_top:")
        until_done(active[0].id)
        return
    if same and (ending := ENDED_BADLY.get(same[0].state)):
        why = f": {ui.plain(same[0].message)}" if same[0].message and same[0].state == "failed" else ""
        st.warning(f"{what} {ending}{why}. Nothing of it was kept; make it again.")
    if st.button(button, type="primary", icon=":material/play_arrow:"):
        state.jobs().submit(argv, title)
        st.rerun()
    ui.command(argv)
