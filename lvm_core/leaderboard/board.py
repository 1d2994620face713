"""Rows of the board, grouped by what they were measured on and ranked within their group only."""

import dataclasses
import functools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvm_core.boundary.json_values import from_json
from lvm_core.errors import ModelError, WorkspaceError
from lvm_core.evaluate.measures import lower_is_better
from lvm_core.evaluate.results import ResultStore, StoredRows
from lvm_core.evaluate.rows import ArticleSums, Example, Row
from lvm_core.json_shapes import Json
from lvm_core.workspace import SHIPPED_BOARD, Workspace, read_json, write_text

Place = tuple[str, str, int]
"""Model, test and context: a workspace's own row takes the place of a shipped one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows measured on the same windows against the same index, best first."""

    comparable: str
    rows: list[Row]

    @property
    def title(self) -> str:
        """Return the test in a few words."""
        first = self.rows[0]
        return (
            f"{first.corpus} · {first.split} · {first.n_articles:,} articles, {first.n_windows:,} windows"
            f" · {first.encoder.split('@')[0]}"
        )


@dataclass(frozen=True, slots=True)
class ShippedBoard:
    """The rows that came with the studio, with the sums by article and the windows in full of each."""

    rows: list[Row]
    articles: dict[Place, ArticleSums]
    examples: dict[Place, list[Example]]
    n_damaged: int = 0


@dataclass(frozen=True, slots=True)
class _BoardFile:
    titles: dict[str, list[str]]
    rows: list[Json]


def all_rows(workspace: Workspace) -> list[Row]:
    """Return the workspace's rows, and those that came with the studio where the workspace has none of its own."""
    return load_rows(workspace).rows


def load_rows(workspace: Workspace) -> StoredRows:
    """Return the rows of `all_rows`, and how many could not be read."""
    stored = ResultStore(workspace).load()
    places = {_place(row) for row in stored.rows}
    board = shipped_board()
    shipped = [row for row in board.rows if _place(row) not in places]
    return StoredRows(stored.rows + shipped, stored.n_damaged + board.n_damaged)


def shipped_board() -> ShippedBoard:
    """Return what came with the studio: read once, and again when the file changes; damaged rows are counted.

    Raises:
        ModelError: if the file is no board.
    """
    if not SHIPPED_BOARD.exists():
        return ShippedBoard([], {}, {})
    return _shipped(SHIPPED_BOARD, SHIPPED_BOARD.stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _shipped(path: Path, stamp: int) -> ShippedBoard:  # noqa: ARG001 - the stamp is what the cache goes by
    board = from_json(_BoardFile, read_json(path), f"The board {path}", extra=True, error=ModelError)
    rows, articles, examples, n_damaged = [], {}, {}, 0
    for stored in board.rows:
        try:
            plain = {name: value for name, value in stored.items() if name not in ("articles", "examples")}
            row = dataclasses.replace(Row.read(plain), shipped_result=True)
            sums = ArticleSums.read({"titles": board.titles.get(row.comparable), **stored.get("articles", {})})
            windows = [Example.read(window) for window in stored.get("examples") or []]
        except (ModelError, TypeError, AttributeError):
            n_damaged += 1
            continue
        rows.append(row)
        articles[_place(row)], examples[_place(row)] = sums, windows
    return ShippedBoard(rows, articles, examples, n_damaged)


def _place(row: Row) -> Place:
    return row.model, row.comparable, row.context


def ship(workspace: Workspace, path: str | Path = SHIPPED_BOARD, force: bool = False) -> int:
    """Write the workspace's rows of shipped models and of rules that need no fit to `path`; return how many.

    Latencies are of the machine they were measured on; every other number is the same on any.

    Raises:
        ModelError: if `path` is a file that is no board, and `force` does not say that it may be overwritten.
    """
    if not force and Path(path).exists() and not _is_board(Path(path)):
        raise ModelError(
            f"{path} holds no board and would be overwritten",
            "a JSON object with titles and rows",
            "Name a new file, or one that was written by --ship.",
        )
    store = ResultStore(workspace)
    shipped = sorted(
        (row for row in store.rows() if row.shipped),
        key=lambda row: (row.corpus, str(row.split), row.context, row.model),
    )
    titles: dict[str, list[str]] = {}
    rows: list[Json] = []
    for row in shipped:
        sums = store.articles(row.id or 0).to_json()
        titles[row.comparable] = sums.pop("titles")
        examples = [example.to_json() for example in store.examples(row.id or 0)]
        plain = dataclasses.replace(row, id=None).to_json()
        rows.append({**plain, "articles": _rounded(sums), "examples": examples})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    heading = json.dumps(titles, ensure_ascii=False)
    write_text(Path(path), f'{{"titles": {heading},\n"rows": [\n{lines}\n]}}\n')
    return len(rows)


def _is_board(path: Path) -> bool:
    try:
        return path.is_file() and {"titles", "rows"} <= set(read_json(path))
    except (WorkspaceError, TypeError):
        return False


def _rounded(sums: Json) -> Json:
    """Return sums by article to four decimals, whole numbers as such: what intervals are drawn from, not more."""
    return {
        name: _rounded(values)
        if isinstance(values, dict)
        else [int(v) if float(v).is_integer() else round(v, 4) for v in values]
        for name, values in sums.items()
    }


def row_examples(workspace: Workspace, row: Row) -> list[Example]:
    """Return the windows that were decoded for a row, stored or shipped; none where none were asked for."""
    if row.shipped_result:
        return shipped_board().examples[_place(row)]
    return ResultStore(workspace).examples(row.id or 0)


def row_articles(workspace: Workspace, row: Row) -> ArticleSums:
    """Return the sums by article of a row, stored or shipped."""
    if row.shipped_result:
        return shipped_board().articles[_place(row)]
    return ResultStore(workspace).articles(row.id or 0)


def wanted(
    rows: Iterable[Row], by: str, corpus: str | None = None, encoder: str | None = None, split: str | None = None
) -> list[Row]:
    """Return the rows of a corpus, an encoder (by name or id) and a split, None for any, to be ranked by `by`.

    Raises:
        ModelError: if none of them has such a number.
    """
    chosen = [
        row
        for row in rows
        if corpus in (None, row.corpus)
        and split in (None, str(row.split))
        and encoder in (None, row.encoder, row.encoder.rpartition("@")[0])
    ]
    names = sorted({name for row in chosen for name in row.numbers})
    if chosen and by not in names:
        raise ModelError(
            f"The board has no number '{by}' to rank by", f"one of {', '.join(names)}", "Rank by one of these."
        )
    return chosen


def groups(rows: Iterable[Row], by: str = "cosine") -> list[Group]:
    """Return the rows by what they were measured on, each group ranked by `by`.

    The tests that came with the studio come first, the largest before the others: an evaluation of one's own does not
    put another test in front. Then those with the most rows.
    """
    by_test: dict[str, list[Row]] = {}
    for row in rows:
        by_test.setdefault(row.comparable, []).append(row)
    ranked = [Group(key, ranked_rows(members, by)) for key, members in by_test.items()]
    shipped = {row.comparable for row in shipped_board().rows}

    def order(group: Group) -> tuple[bool, int, int, str]:
        came_along = group.comparable in shipped
        return not came_along, 0 if came_along else -len(group.rows), -group.rows[0].n_windows, group.comparable

    return sorted(ranked, key=order)


def ranked_rows(rows: Sequence[Row], by: str = "cosine") -> list[Row]:
    """Return comparable rows best first by `by`, with `rank` and `level_with_best`; rows without a value come last.

    `level_with_best` says whether a row's interval meets that of the first, so that the order of the two is not
    sure by itself (the paired difference may still be).

    Raises:
        ModelError: if the rows were not measured on the same windows against the same index.
    """
    if len({row.comparable for row in rows}) > 1:
        raise ModelError(
            "These rows were measured on different windows or against different indexes",
            "rows that can be ranked together",
            "Evaluate the models on the same corpus and split first.",
        )
    sign = 1 if lower_is_better(by) else -1
    order = sorted(rows, key=lambda row: (row.number(by) is None, sign * (row.number(by) or 0.0), row.model))
    return [
        dataclasses.replace(row, rank=rank, level_with_best=_meets(row, order[0], by))
        for rank, row in enumerate(order, 1)
    ]


def _meets(row: Row, best: Row, by: str) -> bool:
    ends, top = row.intervals.get(by), best.intervals.get(by)
    if not ends or not top:
        return False
    return bool(ends[0] <= top[1] and top[0] <= ends[1])


def front(rows: Sequence[Row], quality: str = "cosine", cost: str = "latency_ms") -> list[Row]:
    """Return the rows that no other beats in both quality and cost (the Pareto front), cheapest first."""
    measured = [(c, q, row) for row in rows if (q := row.number(quality)) is not None and (c := row.number(cost))]
    best: list[Row] = []
    for _, value, row in sorted(measured, key=lambda one: (one[0], -one[1])):
        if not best or value > (best[-1].number(quality) or 0.0):
            best.append(row)
    return best
