"""`benchmark [--only NAME]`: speed and memory against the obvious way, in pairs, as a table."""

import argparse

from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    from lvm_core.benchmark import BENCHMARKS

    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}")
    parser.add_argument("--small", action="store_true", help="tiny data: shows that it runs, not how fast")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Measure and return the rows, with the machine they were measured on."""
    import torch

    from lvm_core.benchmark import run as measure
    from lvm_core.device import describe_device, has_fast_bf16
    from lvm_core.progress import ProgressLine

    rows = measure(workspace, namespace.only, namespace.small, ProgressLine())
    machine = f"{describe_device(torch.device('cpu'))}, {torch.get_num_threads()} threads"
    return {"machine": machine, "bf16": has_fast_bf16(), "rows": [row.to_json() for row in rows]}


def report(result: Json) -> str:
    """Return the table."""
    head = ("", "ours", "obvious way", "ratio", "must be", "reached")
    lines = [head, *(_cells(row) for row in result["rows"])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    notes = [f"  {row['what']}: {row['note']}" for row in result["rows"] if row["note"]]
    return "\n".join([f"{result['machine']}; bfloat16 {'yes' if result['bf16'] else 'no'}", "", *table, "", *notes])


def _cells(row: Json) -> tuple[str, ...]:
    said = {True: "yes", False: "NO", None: "-"}
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    what = f"{row['name']}: {row['what']}"
    return (what, _figure(row["ours"], row["unit"]), _figure(row["theirs"], row["unit"]), ratio, row["bar"],
            said[row["reached"]])  # fmt: skip


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 4 if abs(value) <= 1 else 2
    return f"{value:,.{digits}f} {unit}".strip()
