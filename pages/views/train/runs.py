"""The table of all runs, and what can be done with those that are selected."""

import shutil
from collections.abc import Sequence

import streamlit as st

from lvm_core.evaluate.results import ResultStore
from lvm_core.train.history import History, RunRow
from lvm_core.train.notes import RunNotes, read_notes, write_notes
from lvm_core.workspace import Workspace, disk_errors
from pages.shared import jobs, state
from pages.shared.address import Address
from pages.views.train import form as train_form
from pages.views.train import queue as train_jobs
from pages.views.train import start as train_start

TABLE, TURN, ORDER, PICKED = "train_runs_table", "train_runs_turn", "train_runs_order", "train_runs_picked"
"""Session keys: the table's selection, its generation, the runs in the order shown, rows selected at first."""

AUTO_RUNS = 3


@st.cache_resource(show_spinner=False)
def history() -> History:
    """Return the runs read so far, shared by every session."""
    return History()


def rows() -> list[RunRow]:
    """Return the runs of the workspace that the filter lets through, newest first."""
    every = history().rows(state.workspace(), state.jobs().list(limit=1000))
    words = Address("train").value("runs", "")
    return [row for row in every if row.matches(words)]


def words(at: Address) -> None:
    """Show the filter of the runs; table and curves show those that pass."""
    st.text_input(
        "Filter", key=at.key("runs", ""), placeholder="part of a name, net, tag or note", label_visibility="collapsed"
    )


def chosen(listed: Sequence[RunRow]) -> list[RunRow]:
    """Return the runs to chart: those selected, else those that run, else the newest."""
    names = selected_names()
    selected = [row for name in names for row in listed if row.run == name]
    if selected:
        return selected
    running = [row for row in listed if row.state == "running"]
    return running or list(listed[:AUTO_RUNS])


def _key() -> str:
    return f"{TABLE}:{st.session_state.get(TURN, 0)}"


def selected_names() -> list[str]:
    """Return the runs selected in the table."""
    order: list[str] = st.session_state.get(ORDER, [])
    now = st.session_state.get(_key())
    picked = list(now["selection"]["rows"]) if now else st.session_state.get(PICKED, [])
    return [order[i] for i in picked if i < len(order)]


def arrange(listed: Sequence[RunRow]) -> None:
    """Put the table in order again, newest first, with the same runs selected. Called when the whole page runs."""
    order = [row.run for row in listed]
    if st.session_state.get(ORDER) == order:
        return
    names = selected_names()
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    st.session_state[ORDER] = order
    st.session_state[PICKED] = [order.index(name) for name in names if name in order]


def table() -> None:
    """Show the runs; selecting rows charts them and offers what can be done with them.

    It refreshes by itself: figures change in place, and new runs come last until the page is run again, so that
    no row moves under the pointer.
    """
    import pandas as pd

    by_name = {row.run: row for row in rows()}
    order = [name for name in st.session_state.get(ORDER, []) if name in by_name]
    order += [name for name in by_name if name not in set(order)]
    st.session_state[ORDER] = order
    listed = [by_name[name] for name in order]
    if not listed:
        st.caption("No run passes the filter." if Address("train").value("runs", "") else "No runs yet.")
        return
    frame = pd.DataFrame(
        {
            "run": [row.run for row in listed],
            "state": [row.state for row in listed],
            "net": [row.model for row in listed],
            "val cosine": [row.val_cosine for row in listed],
            "over filter": [row.over_filter for row in listed],
            "epochs": [row.epoch for row in listed],
            "context": [row.settings.get("context") for row in listed],
            "loss": [row.settings.get("loss") for row in listed],
            "learning rate": [row.settings.get("lr") for row in listed],
            "parameters": [row.n_parameters for row in listed],
            "time [s]": [round(row.seconds, 1) for row in listed],
            "corpus": [row.settings.get("corpus") for row in listed],
            "flags": [len(row.flags) for row in listed],
            "made": [train_jobs.age(row.created) for row in listed],
            "tags": [row.tags for row in listed],
            "note": [row.note for row in listed],
        }
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        key=_key(),
        selection_default={"selection": {"rows": st.session_state.get(PICKED, [])}},
        hide_index=True,
        height=min(420, 40 + 35 * len(listed)),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "val cosine": number(format="%.4f", help="Mean cosine to the true next chunk on validation windows"),
            "over filter": number(format="%+.4f", help="The same less that of the linear filter on the same windows"),
            "parameters": number(format="localized", help="Trainable numbers"),
            "learning rate": number(format="%.2g", help="Highest learning rate"),
            "flags": number(help="Warnings, such as a loss term that dominated an epoch"),
        },
        alt="Runs with their state, validation cosine and settings; newest first",
    )
    actions([by_name[name] for name in selected_names() if name in by_name])


def actions(selected: Sequence[RunRow]) -> None:
    """Show what can be done with the selected runs; without a selection, a hint."""
    with st.container(horizontal=True, vertical_alignment="center", key="run-actions"):
        if not selected:
            st.caption("Select runs to chart them, train one again with other settings, or delete them.")
            return
        if len(selected) == 1:
            _one(selected[0])
        free = [row for row in selected if row.state not in ("running", "queued")]
        with st.popover(f"Delete {len(free)}", icon=":material/delete:", disabled=not free, type="tertiary"):
            st.write(f"Delete {', '.join(row.run for row in free[:8])} with weights, metrics and checkpoints?")
            if st.button("Delete", key="delete-runs", type="primary"):
                _delete(free)
                st.rerun(scope="app")


def _one(row: RunRow) -> None:
    if row.verdict:
        st.caption(f"{row.run}: {row.verdict}")
    if st.button(jobs.TRAIN_AGAIN, icon=":material/edit:", type="tertiary", help="Put its settings into the form"):
        train_form.take(Address("train"), row.settings)
        Address("train").put("what", "train")
        st.rerun(scope="app")
    if row.state in ("interrupted", "cancelled", "unfinished", "failed") and st.button(
        "Resume", icon=":material/resume:", type="tertiary", help="Go on from its last checkpoint"
    ):
        store = state.jobs()
        if row.job is not None and store.get(row.job).kind == "train":
            store.resume(row.job)
        else:
            store.submit(["train", "--run", row.run, "--resume"])
        st.rerun(scope="app")
    if row.state == "done":
        _result(row)
    _notes(row)


def _result(row: RunRow) -> None:
    """Offer the run's row of the board where it was evaluated, else the evaluation; other models are compared there."""
    test = tests_of_runs(state.workspace()).get(row.run)
    if test:
        if st.button("On the board", icon=":material/leaderboard:", type="tertiary", help="Its row of the board"):
            st.switch_page("pages/leaderboard.py", query_params={"test": test, "models": row.run})
    elif st.button("Evaluate", icon=":material/straighten:", type="tertiary", help="On test articles it has not seen"):
        state.jobs().submit(train_start.evaluation_of(row.run, row.settings), f"Evaluate {row.run}")
        st.rerun(scope="app")


def tests_of_runs(workspace: Workspace) -> dict[str, str]:
    """Return of each run on the board the test that it was measured on last."""
    stored = ResultStore(workspace).rows() if workspace.database.exists() else []
    return {row.model: row.comparable for row in reversed(stored)}


def _notes(row: RunRow) -> None:
    """Let tags and a note be written."""
    with st.popover("Notes", icon=":material/edit_note:", type="tertiary"):
        part = Address("train").within(f"notes:{row.run}")
        notes = read_notes(state.workspace(), row.run)
        tags = st.text_input("Tags", key=part.key("tags", notes.tags), help="With commas between")
        note = st.text_area("Note", key=part.key("note", notes.note), height=96)
        if st.button("Keep", key="keep-notes", type="primary"):
            write_notes(state.workspace(), row.run, RunNotes(tags, note))
            st.rerun(scope="app")


def _delete(selected: Sequence[RunRow]) -> None:
    for row in selected:
        folder = state.workspace().run(row.run)
        with disk_errors(folder):
            shutil.rmtree(folder)
    st.session_state[PICKED] = []
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
