"""Rows of the board, grouped by what they were measured on and ranked within their group only."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm_core.errors import ModelError
from lvm_core.evaluate.results import ResultStore, Row
from lvm_core.workspace import SHIPPED_BOARD, Workspace, read_json, write_text

LOWER_IS_BETTER = ("mse", "latency_ms", "batch_latency_ms", "parameters", "memory_mb", "train_s")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows measured on the same windows against the same index, best first; `key` says on what."""

    comparable: str
    key: dict[str, Any]
    rows: list[Row]

    @property
    def title(self) -> str:
        """Return the test in a few words."""
        first = self.rows[0]
        return (
            f"{first['corpus']} · {first['split']} · {first['n_articles']} articles, {first['n_windows']:,} windows"
            f" · {first['encoder'].split('@')[0]}"
        )


def all_rows(workspace: Workspace) -> list[Row]:
    """Return the workspace's rows, and those that came with the studio where the workspace has none of its own."""
    own = ResultStore(workspace).rows()
    have = {_place(row) for row in own}
    return own + [row for row in shipped_rows() if _place(row) not in have]


def shipped_rows() -> list[Row]:
    """Return the rows that came with the studio, each with `shipped_result` true and its sums by article."""
    if not SHIPPED_BOARD.exists():
        return []
    board = read_json(SHIPPED_BOARD)
    rows: list[Row] = board["rows"]
    for row in rows:
        row["articles"] = {"titles": board["titles"][row["comparable"]], **row["articles"]}
    return [{**row, "shipped_result": True} for row in rows]


def _place(row: Row) -> tuple[str, str, int]:
    return row["model"], row["comparable"], row["context"]


def ship(workspace: Workspace, path: str | Path = SHIPPED_BOARD) -> int:
    """Write the workspace's rows of shipped models and of rules that need no fit to `path`; return how many.

    Latencies are of the machine they were measured on; every other number is the same on any.
    """
    store = ResultStore(workspace)
    kept = [row for row in store.rows() if row.get("shipped")]
    titles: dict[str, list[str]] = {}
    rows = []
    for row in sorted(kept, key=lambda row: (row["corpus"], row["split"], row["context"], row["model"])):
        sums = store.articles(row["id"])
        titles[row["comparable"]] = sums.pop("titles")
        own = {name: value for name, value in row.items() if name != "id"}
        rows.append({**own, "articles": _rounded(sums), "examples": store.examples(row["id"])})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    heading = json.dumps(titles, ensure_ascii=False)
    write_text(Path(path), f'{{"titles": {heading},\n"rows": [\n{lines}\n]}}\n')
    return len(rows)


def _rounded(sums: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return sums by article to four decimals, whole numbers as such: what intervals are drawn from, not more."""
    return {name: [int(v) if float(v).is_integer() else round(v, 4) for v in values] for name, values in sums.items()}


def row_examples(workspace: Workspace, row: Row) -> list[dict[str, Any]]:
    """Return the windows that were decoded for a row, stored or shipped; none where none were asked for."""
    if row.get("shipped_result"):
        found: list[dict[str, Any]] = row.get("examples", [])
        return found
    return ResultStore(workspace).examples(int(row["id"]))


def row_articles(workspace: Workspace, row: Row) -> dict[str, Any]:
    """Return the sums by article of a row, stored or shipped."""
    if "articles" in row:
        found: dict[str, Any] = row["articles"]
        return found
    return ResultStore(workspace).articles(int(row["id"]))


def groups(rows: Iterable[Row], by: str = "cosine") -> list[Group]:
    """Return the rows by what they were measured on, each group ranked by `by`; the largest test first.

    Each row gets `rank` and `level_with_best`: whether its interval meets that of the group's first, so that
    the order of the two is not sure by itself (the paired difference may still be).
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["comparable"], []).append(row)
    ranked = [Group(key, own[0].get("key", {}), ranked_rows(own, by)) for key, own in found.items()]
    return sorted(ranked, key=lambda group: (-len(group.rows), -group.rows[0]["n_windows"], group.comparable))


def ranked_rows(rows: Sequence[Row], by: str = "cosine") -> list[Row]:
    """Return comparable rows best first by `by`, with `rank` and `level_with_best`; rows without a value come last.

    Raises:
        ModelError: if the rows were not measured on the same windows against the same index.
    """
    if len({row["comparable"] for row in rows}) > 1:
        raise ModelError(
            "These rows were measured on different windows or against different indexes and cannot be ranked"
            " together. Evaluate the models on the same corpus and split first."
        )
    sign = 1 if by in LOWER_IS_BETTER else -1
    order = sorted(rows, key=lambda row: (row.get(by) is None, sign * (row.get(by) or 0.0), row["model"]))
    return [{**row, "rank": place, "level_with_best": _meets(row, order[0], by)} for place, row in enumerate(order, 1)]


def _meets(row: Row, best: Row, by: str) -> bool:
    own, top = row.get(f"{by}_ci"), best.get(f"{by}_ci")
    if not own or not top:
        return False
    return bool(own[0] <= top[1] and top[0] <= own[1])


def front(rows: Sequence[Row], quality: str = "cosine", cost: str = "latency_ms") -> list[Row]:
    """Return the rows that no other beats in both quality and cost (the Pareto front), cheapest first."""
    known = [row for row in rows if row.get(quality) is not None and row.get(cost) is not None]
    found: list[Row] = []
    for row in sorted(known, key=lambda row: (row[cost], -row[quality])):
        if not found or row[quality] > found[-1][quality]:
            found.append(row)
    return found
