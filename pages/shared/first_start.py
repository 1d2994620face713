"""First start: an empty workspace gets the embedded corpus by itself, read and encoded as background jobs."""

import html
import os
import threading

import streamlit as st

from lvm_core.jobs.store import Job
from pages.shared import state

ACTIVE = ("running", "queued")
SETTING = "LVM_FIRST_CORPUS"
"""Environment variable: the bundled corpus that an empty workspace starts with; empty for none."""

SEEN, WAITING = "first_start_seen", "first_start_waiting"
MOST_SHOWN = 3


def first_corpus() -> str:
    """Return the corpus that an empty workspace starts with, "" for none."""
    return os.environ.get(SETTING, state.FIRST_CORPUS)


@st.cache_resource(show_spinner=False)
def _lock() -> threading.Lock:
    return threading.Lock()


def begin() -> None:
    """Queue the reading and encoding of the embedded corpus where the workspace has neither corpora nor jobs.

    Raises:
        WorkspaceError: if the workspace cannot be written.
    """
    if st.session_state.get(SEEN) or not first_corpus():
        return
    st.session_state[SEEN] = True
    with _lock():
        if not state.corpora() and not state.jobs().list(limit=1):
            start(first_corpus())


def start(corpus: str) -> None:
    """Queue the reading of the bundled `corpus`, unless it is there, and its encoding with the encoder in use."""
    reading = None
    if corpus not in {info.name for info in state.corpora()}:
        reading = state.jobs().submit(["ingest", corpus, "--corpus", corpus], title=f"Read {corpus}")
    argv = ["encode", "--corpus", corpus, "--encoder", state.encoder_name()]
    state.jobs().submit(argv, title=f"Encode {corpus}", after=reading)


def notice(waiting: str = "snap and nearest real chunks wait for one, models already predict") -> None:
    """Say, as long as no corpus is encoded, what is `waiting` for one; offer to start it where nothing is under way."""
    if state.encoded_corpora():
        return
    if active_jobs():
        st.caption(f":material/hourglass_top: The corpus is still being read and encoded: {waiting}.")
        return
    corpus = first_corpus() or state.FIRST_CORPUS
    st.caption(f"No corpus is encoded with this encoder: {waiting}.")
    if st.button(f"Read and encode {corpus}", icon=":material/download:", key="first-start"):
        start(corpus)
        st.rerun()


def active_jobs() -> list[Job]:
    """Return the jobs that run or wait."""
    return state.jobs().list(states=ACTIVE) if state.workspace().database.exists() else []


def strip() -> None:
    """Show the running and queued jobs; when the first corpus becomes ready the page is drawn anew."""
    jobs = active_jobs()
    waiting = bool(jobs) and not state.encoded_corpora()
    if st.session_state.get(WAITING) and not waiting and state.encoded_corpora():
        st.session_state[WAITING] = False
        st.rerun()
    st.session_state[WAITING] = waiting
    st.html(strip_html(jobs))


def strip_html(jobs: list[Job]) -> str:
    """Return the strip as HTML; an empty mark where nothing runs."""
    if not jobs:
        return "<span></span>"
    parts = [_job_html(job) for job in jobs[:MOST_SHOWN]]
    more = f"<span>and {len(jobs) - MOST_SHOWN} more</span>" if len(jobs) > MOST_SHOWN else ""
    return f'<div class="lvm-strip" role="status">{"".join(parts)}{more}</div>'


def _job_html(job: Job) -> str:
    title = html.escape(job.title or job.kind)
    if job.state == "queued":
        return f'<span class="lvm-job lvm-queued"><b>{title}</b><span>waiting</span></span>'
    silent = f", silent for {job.silent:.0f} s" if job.silent else ""
    return (
        f'<span class="lvm-job"><b>{title}</b><progress max="1" value="{job.progress:.3f}"></progress>'
        f"<span>{job.progress:.0%} · {html.escape(job.message)}{silent}</span></span>"
    )
