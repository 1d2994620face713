"""The board as a file for others: CSV with every number, Markdown for people, JSON as DESIGN has it."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from lvm_core.evaluate.results import Row
from lvm_core.leaderboard.board import Group

HIDDEN = ("articles", "key", "by_article")
SHARES = ("recall_at_1", "recall_at_5", "recall_at_10", "contrastive_accuracy", "direction", "direction_matched")
MARKDOWN = {
    "rank": "#",
    "model": "model",
    "kind": "kind",
    "context": "context",
    "cosine": "cosine [95 %]",
    "vs_filter": "against the filter [95 %]",
    "recall_at_1": "R@1 %",
    "recall_at_5": "R@5 %",
    "recall_at_10": "R@10 %",
    "mrr": "MRR",
    "contrastive_accuracy": "contrastive %",
    "direction": "direction %",
    "latency_ms": "ms/query",
    "parameters": "parameters",
    "efficiency": "efficiency",
}
"""Columns of the Markdown table and their headings."""


def public(row: Row) -> Row:
    """Return a row as the `leaderboard` and `evaluate` commands print it."""
    return {name: value for name, value in row.items() if name not in HIDDEN}


def to_json(groups: Sequence[Group]) -> dict[str, Any]:
    """Return `{"rows": [...]}`, ranked within their groups, with the key of each group under "groups"."""
    return {
        "rows": [public(row) for group in groups for row in group.rows],
        "groups": [{"comparable": group.comparable, "title": group.title, **group.key} for group in groups],
    }


def to_csv(groups: Sequence[Group]) -> str:
    """Return every field of every row; intervals and nested fields as columns of their own ("cosine_ci_low")."""
    flat = [_flat(public(row)) for group in groups for row in group.rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(row: Row, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}_"))
        elif name == "ci" or name.endswith("_ci"):
            low, high = value or (None, None)
            flat.update({f"{prefix}{name}_low": low, f"{prefix}{name}_high": high})
        elif isinstance(value, list):
            flat[prefix + name] = json.dumps(value, ensure_ascii=False)
        else:
            flat[prefix + name] = value
    return flat


def to_markdown(groups: Sequence[Group]) -> str:
    """Return one table a group, with what was measured above it."""
    parts = []
    for group in groups:
        head = list(MARKDOWN.values())
        lines = [f"### {group.title}", "", f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|"]
        lines += [f"| {' | '.join(cell(row, name) for name in MARKDOWN)} |" for row in group.rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def cell(row: Row, name: str) -> str:
    """Return one field as text: shares in per cent, intervals in brackets, an em dash where nothing was measured."""
    value = row.get(name)
    if value is None:
        return "—"
    if name == "vs_filter":
        return f"{value['cosine']:+.4f}{_ends(value.get('ci'), '+.4f')}"
    if name == "cosine":
        return f"{value:.4f}{_ends(row.get('cosine_ci'), '.4f')}"
    if name in SHARES:
        return f"{100 * value:.1f}"
    if name == "parameters":
        return f"{value:,}"
    if name in ("mrr", "latency_ms"):
        return f"{value:.3f}"
    return f"{value:,.0f}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _ends(ends: Sequence[float] | None, form: str) -> str:
    return f" [{ends[0]:{form}}, {ends[1]:{form}}]" if ends else ""


def table(rows: Sequence[Row]) -> str:
    """Return rows as columns of text for a terminal."""
    names = [name for name in MARKDOWN if name != "kind"]
    lines = [[MARKDOWN[name] for name in names], *([cell(row, name) for name in names] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    left = [name in ("model", "cosine", "vs_filter") for name in names]
    return "\n".join(
        "  ".join(
            text.ljust(width) if to_left else text.rjust(width)
            for text, width, to_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in lines
    )
