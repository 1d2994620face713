"""Rows of the board in studio.db: one a model, test and context, replaced when it is evaluated again."""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lvm_core.boundary.json_values import parse_json
from lvm_core.database import connect
from lvm_core.errors import ModelError
from lvm_core.evaluate.measures import MEASURES
from lvm_core.evaluate.rows import ArticleSums, Example, Row
from lvm_core.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows that could be read, newest first, and how many could not."""

    rows: list[Row]
    n_damaged: int


class ResultStore:
    """Opens a short connection a call, so that any thread may use it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def save(self, row: Row, articles: ArticleSums, examples: Sequence[Example] | None = None) -> int:
        """Store one row with its sums by article, in place of an earlier one of this model, test and context.

        What is measured only where asked for stays from an earlier evaluation of the very same weights.
        """
        with contextlib.closing(connect(self._workspace)) as db, db:
            db.execute("BEGIN IMMEDIATE")
            place = (row.model, row.comparable, row.context)
            where = "model = ? AND comparable = ? AND context = ?"
            former = db.execute(f"SELECT row FROM results WHERE {where}", place).fetchone()
            earlier = _read(Row.read, former["row"]) if former else None
            same_weights = earlier is not None and earlier.weights_digest == row.weights_digest
            whole = _filled_up(row, earlier) if earlier is not None and same_weights else row
            db.execute(
                "INSERT INTO results (model, comparable, context, corpus, encoder, split, row, articles, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, comparable, context) DO UPDATE SET"
                " corpus = excluded.corpus, encoder = excluded.encoder, split = excluded.split, row = excluded.row,"
                " articles = excluded.articles, created = excluded.created",
                (
                    *place,
                    *(row.corpus, row.encoder, str(row.split)),
                    json.dumps(whole.to_json(), ensure_ascii=False),
                    json.dumps(articles.to_json(), ensure_ascii=False),
                    time.time(),
                ),
            )
            result_id: int = db.execute(f"SELECT id FROM results WHERE {where}", place).fetchone()["id"]
            if not same_weights:
                db.execute("DELETE FROM result_examples WHERE result_id = ?", (result_id,))
            if examples is not None:
                db.execute(
                    "INSERT OR REPLACE INTO result_examples (result_id, examples) VALUES (?, ?)",
                    (result_id, json.dumps([example.to_json() for example in examples], ensure_ascii=False)),
                )
            db.execute("COMMIT")
        return result_id

    def rows(self, corpus: str | None = None) -> list[Row]:
        """Return every stored row that can be read, newest first; of one corpus where given."""
        return self.load(corpus).rows

    def load(self, corpus: str | None = None) -> StoredRows:
        """Return every stored row that can be read, newest first, and how many cannot."""
        with contextlib.closing(connect(self._workspace, readonly=True)) as db:
            stored = db.execute(
                "SELECT id, row, created FROM results WHERE ? IS NULL OR corpus = ? ORDER BY created DESC, id DESC",
                (corpus, corpus),
            ).fetchall()
        rows = [replace(row, id=r["id"], evaluated=r["created"]) for r in stored if (row := _read(Row.read, r["row"]))]
        return StoredRows(rows, len(stored) - len(rows))

    def articles(self, result_id: int) -> ArticleSums:
        """Return the sums by article of a row.

        Raises:
            ModelError: if the row is gone, or its sums are damaged.
        """
        with contextlib.closing(connect(self._workspace, readonly=True)) as db:
            stored = db.execute("SELECT articles FROM results WHERE id = ?", (result_id,)).fetchone()
        if stored is None:
            raise ModelError(
                f"Result {result_id} is not on the board any more", "one that is stored", "Evaluate the model again."
            )
        sums = _read(ArticleSums.read, stored["articles"])
        if sums is None:
            raise ModelError(
                f"Result {result_id} has damaged sums by article",
                "a list of numbers for each",
                "Evaluate the model again.",
            )
        return sums

    def examples(self, result_id: int) -> list[Example]:
        """Return the windows that were decoded for a row; none where none were asked for."""
        with contextlib.closing(connect(self._workspace, readonly=True)) as db:
            stored = db.execute("SELECT examples FROM result_examples WHERE result_id = ?", (result_id,)).fetchone()
        return (_read(_examples, stored["examples"]) or []) if stored else []

    def delete(self, result_id: int) -> None:
        """Remove a row and its examples."""
        with contextlib.closing(connect(self._workspace)) as db:
            db.execute("DELETE FROM results WHERE id = ?", (result_id,))

    def delete_model(self, model: str) -> int:
        """Remove every row of a model and return how many there were."""
        with contextlib.closing(connect(self._workspace)) as db:
            return db.execute("DELETE FROM results WHERE model = ?", (model,)).rowcount


def _read(reader: Callable[[Any], T], text: str) -> T | None:
    """Return what `reader` makes of stored JSON, None where it is damaged: one bad result must not hide the others."""
    try:
        return reader(parse_json(text, "A stored result", error=ModelError))
    except (ModelError, AttributeError, TypeError):
        return None


def _examples(stored: Any) -> list[Example]:
    return [Example.read(one) for one in stored]


def _filled_up(row: Row, earlier: Row) -> Row:
    """Return `row` with what only `earlier` has of the measures that are taken where asked for."""
    on_request = {name for name, measure in MEASURES.items() if measure.texts}
    values = {n: v for n, v in earlier.values.items() if n in on_request and v is not None}
    intervals = {n: e for n, e in earlier.intervals.items() if n in values}
    if row.n_decoded:
        values, intervals = {}, {}
    return replace(
        row,
        values={**row.values, **values},
        intervals={**row.intervals, **intervals},
        decoder=row.decoder or earlier.decoder,
        n_decoded=row.n_decoded or earlier.n_decoded,
        snapped=row.snapped or earlier.snapped,
        drift=row.drift or earlier.drift,
    )
