"""What is made in the background and shown as soon as it is there."""

import streamlit as st

from pages.shared import state


@st.fragment(run_every=2.0)
def until_done(job_id: str) -> None:
    """Show the progress of a job; the page is drawn anew once it has ended, and nothing else moves meanwhile."""
    job = state.jobs().get(job_id)
    st.progress(min(max(job.progress, 0.0), 1.0), job.message or job.state)
    if job.state not in ("queued", "running"):
        st.rerun()
