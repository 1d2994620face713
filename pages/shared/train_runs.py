"""The table of all runs, and what can be done with those that are selected."""

import shutil
from collections.abc import Sequence

import streamlit as st

from lvm_core.jobs.history import History, RunRow
from lvm_core.workspace import disk_errors
from pages.shared import state, train_form, train_jobs

TABLE = "train_runs_table"
AUTO_RUNS = 3


@st.cache_resource(show_spinner=False)
def history() -> History:
    """Return the runs read so far, shared by every session."""
    return History()


def rows() -> list[RunRow]:
    """Return every run of the workspace, newest first."""
    return history().rows(state.workspace(), state.jobs().list(limit=1000))


def chosen(found: Sequence[RunRow]) -> list[RunRow]:
    """Return the runs to chart: those selected, else those that run, else the newest."""
    order: list[str] = st.session_state.get(TABLE + "_order", [])
    picked = _selection()
    names = [order[i] for i in picked if i < len(order)]
    selected = [row for name in names for row in found if row.run == name]
    if selected:
        return selected
    running = [row for row in found if row.state == "running"]
    return running or list(found[:AUTO_RUNS])


def _selection() -> list[int]:
    table = st.session_state.get(TABLE)
    return list(table["selection"]["rows"]) if table else []


def table(found: Sequence[RunRow]) -> None:
    """Show the runs; selecting rows charts them and offers what can be done with them."""
    import pandas as pd

    st.session_state[TABLE + "_order"] = [row.run for row in found]
    frame = pd.DataFrame(
        {
            "run": [row.run for row in found],
            "state": [row.state for row in found],
            "net": [row.model for row in found],
            "val cosine": [row.val_cosine for row in found],
            "over filter": [row.over_filter for row in found],
            "epochs": [row.epoch for row in found],
            "context": [row.settings.get("context") for row in found],
            "loss": [row.settings.get("loss") for row in found],
            "lr": [row.settings.get("lr") for row in found],
            "parameters": [row.n_parameters for row in found],
            "time [s]": [round(row.seconds, 1) for row in found],
            "corpus": [row.settings.get("corpus") for row in found],
            "flags": [len(row.flags) for row in found],
            "made": [train_jobs.age(row.created) for row in found],
        }
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        key=TABLE,
        hide_index=True,
        height=min(420, 40 + 35 * len(found)),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "val cosine": number(format="%.4f", help="Mean cosine to the true next chunk on validation windows"),
            "over filter": number(format="%+.4f", help="The same less that of the linear filter on the same windows"),
            "parameters": number(format="localized", help="Trainable numbers"),
            "lr": number(format="%.2g", help="Highest learning rate"),
            "flags": number(help="Warnings, such as a loss term that dominated an epoch"),
        },
        alt="Runs with their state, validation cosine and settings; newest first",
    )


def actions(found: Sequence[RunRow]) -> None:
    """Show what can be done with the selected runs; without a selection, a hint."""
    selected = chosen(found) if _selection() else []
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
                st.rerun()


def _one(row: RunRow) -> None:
    if st.button("Again with…", icon=":material/edit:", type="tertiary", help="Put its settings into the form"):
        train_form.take(row.settings)
        st.session_state["train_what_next"] = "train"
        st.rerun()
    if row.state in ("interrupted", "cancelled", "unfinished", "failed") and st.button(
        "Resume", icon=":material/resume:", type="tertiary", help="Go on from its last checkpoint"
    ):
        store = state.jobs()
        if row.job is not None and store.get(row.job).kind == "train":
            store.resume(row.job)
        else:
            store.submit(["train", "--run", row.run, "--resume"])
        st.rerun()


def _delete(selected: Sequence[RunRow]) -> None:
    for row in selected:
        folder = state.workspace().run(row.run)
        with disk_errors(folder):
            shutil.rmtree(folder)
    st.session_state.pop(TABLE, None)
