"""What can be done with rows of the board: export, evaluate again, train again, promote, delete."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence

import streamlit as st

from lvm_core.config import command_line
from lvm_core.evaluate.results import ResultStore
from lvm_core.evaluate.rows import Row
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.leaderboard import export, production
from lvm_core.leaderboard.board import Group
from lvm_core.workspace import disk_errors
from pages.shared import jobs, state
from pages.views.leaderboard.compare import info_of

N_EXAMPLES = 10


def exports(groups: Sequence[Group], group: Group | None) -> None:
    """Show the buttons that save the board; of the test shown also a table to copy, and what a paper says of it."""
    with st.popover("Export", icon=":material/download:"):
        st.download_button(
            "CSV", export.to_csv(groups), "leaderboard.csv", "text/csv", key="board_csv", width="stretch"
        )
        st.download_button(
            "Markdown", export.to_markdown(groups), "leaderboard.md", "text/markdown", key="board_md", width="stretch"
        )
        text = json.dumps(export.to_json(groups), indent=2, ensure_ascii=False)
        st.download_button("JSON", text, "leaderboard.json", "application/json", key="board_json", width="stretch")
        if group is not None:
            st.caption("This test as a table to copy, and its citation")
            st.code(export.to_markdown([group]), language=None, height=130)
            st.code(export.citation(group), language=None, wrap_lines=True)


def evaluate_command(rows: Sequence[Row], examples: int = 0) -> list[str]:
    """Return the command that measures the models of `rows` again on the same test."""
    first = rows[0]
    settings = EvaluateSettings(
        split=first.split.name,
        split_seed=first.split_seed,
        leave_out_seen=first.split.unseen,
        examples=examples,
    )
    names = list(dict.fromkeys(row.model for row in rows))
    return ["evaluate", *names, "--corpus", first.corpus, "--encoder", first.encoder, *command_line(settings)]


def submit(argv: list[str], title: str) -> None:
    """Queue a job and say so."""
    state.jobs().submit(argv, title)
    st.toast(f"{title}: queued. It goes on when you close this page.", icon=":material/play_arrow:")


def evaluate(rows: Sequence[Row], examples: int = 0) -> None:
    """Queue the evaluation of the models of `rows` on the same test, with windows in full where asked for."""
    what = "Ten windows of" if examples else "Evaluate"
    submit(evaluate_command(rows, examples), f"{what} {_names(rows)}")


def of_rows(rows: Mapping[str, Row]) -> None:
    """Show what can be done with the rows chosen, by name."""
    with st.container(horizontal=True, vertical_alignment="center", key="board-actions"):
        if st.button("Evaluate again", icon=":material/refresh:", type="tertiary"):
            evaluate(list(rows.values()))
        if len(rows) == 1:
            _of_one(*rows.values())
        _delete(rows)


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(dict.fromkeys(row.model for row in rows))


def _of_one(row: Row) -> None:
    info = info_of(row)
    if info is None or info.kind != "net":
        return
    if not info.shipped and st.button(jobs.TRAIN_AGAIN, icon=":material/edit:", type="tertiary"):
        st.switch_page("pages/train.py", query_params={"from": info.ref})
    serves = production.production(state.workspace()).get((info.name, info.encoder_id))
    if serves == info.ref:
        st.caption(f"★ serves as the production {info.name}")
    elif st.button("Promote", icon=":material/star:", type="tertiary", help=f"Make it the production {info.name}"):
        before = production.promote_model(state.workspace(), info.ref)
        archived = f" {before.model} is archived." if before else ""
        st.session_state["board_note"] = f"{info.ref} is the production {info.name} now.{archived}"
        st.rerun()


def _delete(rows: Mapping[str, Row]) -> None:
    with st.popover("Delete", icon=":material/delete:", type="tertiary"):
        stored = {name: row for name, row in rows.items() if row.id is not None}
        runs = [info for row in rows.values() if (info := info_of(row)) is not None and not info.shipped]
        if not stored and not runs:
            st.write("These rows came with the studio and stay.")
            return
        st.write(f"Take {', '.join(stored) or 'nothing'} off the board?")
        with_runs = bool(runs) and st.checkbox(
            f"Delete {', '.join(info.ref for info in runs)} too, with weights and checkpoints", key="board_delete_runs"
        )
        if st.button("Delete", type="primary", key="board_delete"):
            for row in stored.values():
                ResultStore(state.workspace()).delete(row.id or 0)
            for info in runs if with_runs else []:
                ResultStore(state.workspace()).delete_model(info.ref)
                with disk_errors(info.path):
                    shutil.rmtree(info.path)
            st.rerun()


def history() -> None:
    """Show which models serve and which did, with dates."""
    promotions = production.promotions(state.workspace())
    if not promotions:
        return
    with st.expander("Production models", icon=":material/star:"):
        for one in promotions:
            until = f"archived {_day(one.archived)}" if one.archived else "serves now"
            st.caption(f"{one.net}: **{one.model}** since {_day(one.promoted)}, {until}")


def _day(stamp: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(stamp))
