"""`plan --chunks N --dim D [--machines M]`: storage, memory and hours of a corpus, from what smaller ones took."""

import argparse

from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

JOB = None
"""It answers at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    from lvm_core.config import add_arguments as add_settings
    from lvm_core.sizing.plan import PlanSettings

    add_settings(parser, PlanSettings)
    parser.add_argument("--check", action="store_true", help="predict the largest measured runs from the smaller ones")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Return the plan, or how well the largest measured runs are predicted."""
    from lvm_core.config import from_namespace
    from lvm_core.sizing.law import leave_largest_out
    from lvm_core.sizing.plan import PlanSettings, plan
    from lvm_core.sizing.runs import measured_runs

    settings = from_namespace(PlanSettings, namespace)
    measured = measured_runs(workspace)
    if not namespace.check:
        return {"plan": plan(settings, measured).to_json()}
    checked = leave_largest_out(measured.runs)
    rows = [
        {"stage": c.stage, "by": c.by, "quantity": c.quantity, "rows": c.rows, "measured": c.measured,
         "predicted": c.predicted, "off": c.off, "n_runs": c.n_runs}
        for c in checked
    ]  # fmt: skip
    return {"check": rows, "where": measured.where}


def report(result: Json) -> str:
    """Return the plan or the check for people."""
    return _check(result) if "check" in result else _plan(result["plan"])


def _plan(plan: Json) -> str:
    machines = "1 machine" if plan["machines"] == 1 else f"{plan['machines']:,} machines"
    rows = [
        ("reading in", _hours(plan["read_hours"]), f"{_bytes(plan['text_bytes'])} of text and its search, one process"),
        ("encoding", _hours(plan["encode_hours"]),
         f"{_bytes(plan['vector_bytes'])} of float16 vectors, {machines} of {plan['encode_rate']:,.0f} chunks/s"),
        ("index", _hours(plan["index_hours"]),
         f"{_bytes(plan['index_bytes'])}, {plan['index_kind']}, one processor; at most {_bytes(plan['peak_bytes'])} of"
         " memory, the rows mapped from disk among it"),
        ("in all", _hours(plan["hours"]),
         f"{_bytes(plan['storage_bytes'])} on disk; {_bytes(plan['index_memory_bytes'])} of memory to search"),
    ]  # fmt: skip
    head = f"{plan['chunks']:,} chunks of {plan['dim']:,} dimensions on {machines}"
    return "\n".join([head, *(f"  {name:10}  {hours:>9}  {about}" for name, hours, about in rows), *plan["notes"]])


def _check(result: Json) -> str:
    if not result["check"]:
        return f"No stage was measured at three sizes, so none can be left out. Measured: {result['where']}."
    lines = [
        f"  {row['stage']:10}  {row['by']:34}  {row['quantity']:13}  {row['rows']:>10,}  {_value(row, 'measured'):>9}"
        f"  {_value(row, 'predicted'):>9}  {row['off']:+.0%}"
        for row in result["check"]
    ]
    worst = max(abs(row["off"]) for row in result["check"])
    return "\n".join([
        "The largest run of each kind, measured and predicted from the smaller ones:", *lines,
        f"Furthest off: {worst:.0%}. Measured: {result['where']}.",
    ])  # fmt: skip


def _value(row: Json, key: str) -> str:
    return f"{row[key]:,.1f} s" if row["quantity"] == "seconds" else _bytes(row[key])


def _hours(hours: float) -> str:
    if hours >= 1:
        return f"{hours:,.1f} h"
    return f"{60 * hours:.1f} min" if hours >= 1 / 60 else f"{3600 * hours:.1f} s"


def _bytes(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"
