"""Rows of the board in studio.db: one a model, test and context, replaced when it is evaluated again."""

import contextlib
import json
import time
from typing import Any

from lvm_core.database import connect
from lvm_core.errors import ModelError
from lvm_core.workspace import Workspace

Row = dict[str, Any]
"""One evaluated model as DESIGN's JSON has it, with `id` where it is stored and `comparable`, its group."""

KEPT_FIELDS = (
    "snapped",
    "decoder",
    "n_decoded",
    "round_trip_cosine",
    "echo",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "bleu",
    "drift",
)
"""Measured only when asked for: kept from an earlier evaluation of the very same weights."""


class ResultStore:
    """Opens a short connection a call, so that any thread may use it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def save(self, row: Row, articles: dict[str, Any], examples: list[dict[str, Any]] | None = None) -> int:
        """Store one row with its sums by article, in place of an earlier one of this model, test and context."""
        with contextlib.closing(connect(self._workspace)) as db, db:
            db.execute("BEGIN IMMEDIATE")
            place = (row["model"], row["comparable"], row["context"])
            where = "model = ? AND comparable = ? AND context = ?"
            former = db.execute(f"SELECT row FROM results WHERE {where}", place).fetchone()
            earlier: Row = json.loads(former["row"]) if former else {}
            same_weights = earlier.get("weights_digest") == row.get("weights_digest")
            whole = _with_kept(row, earlier) if same_weights else row
            db.execute(
                "INSERT INTO results (model, comparable, context, corpus, encoder, split, row, articles, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, comparable, context) DO UPDATE SET"
                " corpus = excluded.corpus, encoder = excluded.encoder, split = excluded.split, row = excluded.row,"
                " articles = excluded.articles, created = excluded.created",
                (
                    *place,
                    *(row[name] for name in ("corpus", "encoder", "split")),
                    json.dumps(whole, ensure_ascii=False),
                    json.dumps(articles, ensure_ascii=False),
                    time.time(),
                ),
            )
            found: int = db.execute(f"SELECT id FROM results WHERE {where}", place).fetchone()["id"]
            if not same_weights:
                db.execute("DELETE FROM result_examples WHERE result_id = ?", (found,))
            if examples is not None:
                db.execute(
                    "INSERT OR REPLACE INTO result_examples (result_id, examples) VALUES (?, ?)",
                    (found, json.dumps(examples, ensure_ascii=False)),
                )
            db.execute("COMMIT")
        return found

    def rows(self, corpus: str | None = None) -> list[Row]:
        """Return every stored row, newest first; of one corpus where given."""
        with contextlib.closing(connect(self._workspace, readonly=True)) as db:
            found = db.execute(
                "SELECT id, row, created FROM results WHERE ? IS NULL OR corpus = ? ORDER BY created DESC, id DESC",
                (corpus, corpus),
            ).fetchall()
        return [{**json.loads(r["row"]), "id": r["id"], "evaluated": r["created"]} for r in found]

    def articles(self, result_id: int) -> dict[str, Any]:
        """Return the sums by article of a row.

        Raises:
            ModelError: if the row is gone.
        """
        with contextlib.closing(connect(self._workspace, readonly=True)) as db:
            found = db.execute("SELECT articles FROM results WHERE id = ?", (result_id,)).fetchone()
        if found is None:
            raise ModelError(f"Result {result_id} is not on the board any more. Evaluate the model again.")
        sums: dict[str, Any] = json.loads(found["articles"])
        return sums

    def examples(self, result_id: int) -> list[dict[str, Any]]:
        """Return the windows that were decoded for a row; none where none were asked for."""
        with contextlib.closing(connect(self._workspace, readonly=True)) as db:
            found = db.execute("SELECT examples FROM result_examples WHERE result_id = ?", (result_id,)).fetchone()
        return json.loads(found["examples"]) if found else []

    def delete(self, result_id: int) -> None:
        """Remove a row and its examples."""
        with contextlib.closing(connect(self._workspace)) as db:
            db.execute("DELETE FROM results WHERE id = ?", (result_id,))

    def delete_model(self, model: str) -> int:
        """Remove every row of a model and return how many there were."""
        with contextlib.closing(connect(self._workspace)) as db:
            return db.execute("DELETE FROM results WHERE model = ?", (model,)).rowcount


def _with_kept(row: Row, former: Row) -> Row:
    kept = {name: former[name] for name in KEPT_FIELDS if former.get(name) is not None}
    return {**kept, **{name: value for name, value in row.items() if not (name in kept and value is None)}}
