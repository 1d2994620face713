"""What became of the corpus that was added last: under way, failed and why, or open to be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from lvm_core.jobs.store import Job
from pages.shared import jobs, state, ui
from pages.shared.address import Address

ADDED = "corpus_added"
"""Session key: the corpus that was added last, and the jobs that read and encode it."""


@dataclass(frozen=True, slots=True)
class Added:
    """A corpus and its jobs: the first reads it, the second, if there is one, encodes it."""

    corpus: str
    jobs: tuple[str, ...]


def remember(corpus: str, job_ids: Sequence[str]) -> None:
    """Follow these jobs from now on."""
    st.session_state[ADDED] = Added(corpus, tuple(job_ids))


def show(at: Address, words: Mapping[str, str]) -> None:
    """Show how the corpus that was added last stands; `words` are the page's names of flags."""
    added = st.session_state.get(ADDED)
    if added is None:
        return
    reading, *encoding = [jobs.job_of(job) for job in added.jobs]
    if reading is None:
        return
    if reading.state in jobs.ACTIVE:
        st.info(f"**{ui.plain(added.corpus)}** is being read in.", icon=":material/hourglass_top:")
        jobs.until_done(reading.id)
    elif reading.state in jobs.ENDED_BADLY:
        _failed("Reading", reading, words)
    else:
        _read(at, added.corpus, encoding[0] if encoding else None, words)


def _failed(what: str, job: Job, words: Mapping[str, str]) -> None:
    why = f": {ui.plain(ui.spoken(job.message, words))}" if job.message else "."
    st.error(f"{what} {jobs.ENDED_BADLY[job.state]}{why}", icon=":material/error:")


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _read(at: Address, corpus: str, encoding: Job | None, words: Mapping[str, str]) -> None:
    info = next((info for info in state.corpora() if info.name == corpus), None)
    if info is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(
            f"**{ui.plain(corpus)}**: {_count(info.n_documents, 'article')}, {_count(info.n_chunks, 'chunk')}.",
            icon=":material/check:",
        )
        if st.button("Open", icon=":material/menu_book:", key="open-added"):
            at.put("corpus", corpus)
            at.put("article", "")
            at.put("view", "Read")
            st.rerun()
    if encoding is None:
        return
    if encoding.state in jobs.ACTIVE:
        st.caption("It is being encoded; it can be read meanwhile.")
        jobs.until_done(encoding.id)
    elif encoding.state in jobs.ENDED_BADLY:
        _failed("Encoding", encoding, words)
