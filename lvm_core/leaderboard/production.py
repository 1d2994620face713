"""Which model serves as its net's production model, and which ones did before."""

import contextlib
import sqlite3
import time
from dataclasses import dataclass, replace

from lvm_core.database import connect
from lvm_core.errors import ModelError
from lvm_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model that serves, or served, as its net's production model; `archived` is when another took its place."""

    net: str
    encoder: str
    model: str
    promoted: float
    archived: float | None


def promote(workspace: Workspace, model: str, net: str, encoder: str) -> Promotion | None:
    """Make `model` the production model of `net` in the space of `encoder`; return the one before, now archived."""
    now = time.time()
    with contextlib.closing(connect(workspace)) as db:
        db.execute("BEGIN IMMEDIATE")
        place = (net, encoder)
        current = "net = ? AND encoder = ? AND archived IS NULL"
        before = db.execute(f"SELECT * FROM promotions WHERE {current}", place).fetchone()
        if before is not None and before["model"] == model:
            db.execute("ROLLBACK")
            return None
        db.execute(f"UPDATE promotions SET archived = ? WHERE {current}", (now, *place))
        db.execute("INSERT INTO promotions (net, encoder, model, promoted) VALUES (?, ?, ?, ?)", (*place, model, now))
        db.execute("COMMIT")
    return replace(_promotion(before), archived=now) if before is not None else None


def promote_model(workspace: Workspace, ref: str) -> Promotion | None:
    """Make the run or shipped model `ref` the production model of its net; return the one before, now archived.

    Raises:
        ModelError: if there is no such model, or it is a rule that serves by itself.
    """
    from lvm_core.checkpoint import find_model

    info = find_model(workspace, ref)
    if info.kind != "net":
        raise ModelError(
            f"'{ref}' is a baseline", "a net, which alone has a production model", "Choose a run of a net."
        )
    return promote(workspace, info.ref, info.name, info.encoder_id)


def promotions(workspace: Workspace) -> list[Promotion]:
    """Return every promotion, newest first."""
    with contextlib.closing(connect(workspace, readonly=True)) as db:
        rows = db.execute("SELECT * FROM promotions ORDER BY promoted DESC, id DESC").fetchall()
    return [_promotion(row) for row in rows]


def production(workspace: Workspace) -> dict[tuple[str, str], str]:
    """Return the production model of each (net, encoder id) for which one was promoted."""
    return {(p.net, p.encoder): p.model for p in promotions(workspace) if p.archived is None}


def _promotion(row: sqlite3.Row) -> Promotion:
    return Promotion(row["net"], row["encoder"], row["model"], row["promoted"], row["archived"])
