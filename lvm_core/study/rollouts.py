"""Rollouts from one start, as vectors, measures and text: a place of an article, or chunks that somebody gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from lvm_core import opened
from lvm_core.config import check
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError
from lvm_core.rollout import Drift, Manifold, drift, rollout
from lvm_core.snap import SnapSettings
from lvm_core.spaces import space_to_measure_in
from lvm_core.study.drift import MEASURES, DriftSettings
from lvm_core.types import Encoder, Rows, Vectors
from lvm_core.workspace import Workspace

LONGEST = 100
"""Chunks before the start that are kept: the longest memory of any model."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start. `context` (T, D) and its `texts`, oldest first, T at most 100; `truth` (S, D) and `following` are the
    real continuation, empty where there is none; `exclude` are rows that do not count as real chunks; `row` is that of
    the first chunk to predict, None outside a corpus.
    """

    title: str
    encoder_id: str
    context: Vectors
    texts: list[str]
    truth: Vectors
    following: list[str]
    exclude: Rows | None = None
    row: int | None = None

    def last(self, memory: int, shortest: int) -> Vectors:
        """Return the context (T, D) of a model that reads `memory` chunks, at least `shortest` where there are."""
        return self.context[-max(memory, shortest) :]


def start_at(workspace: Workspace, corpus: str, encoder_id: str, row: int, steps: int) -> Start:
    """Return the start whose first chunk to predict stands at `row` of a corpus.

    The article's own chunks are its `exclude`: they are left out of the snap, the distances and the texts.

    Raises:
        CorpusError: if the row is outside the corpus or begins an article, so that there is nothing before it.
    """
    store, matrix = CorpusStore(workspace), opened.matrix(workspace, corpus, encoder_id)
    (chunk,) = store.chunks(corpus, [row])
    document = store.document(chunk.document_id)
    if chunk.position == 0:
        raise CorpusError(
            f"Row {row} begins the article '{document.title}'", "a row with chunks before it", "Go on by one."
        )
    first = row - min(chunk.position, LONGEST)
    n_following = min(steps, document.n_chunks - chunk.position)
    around = store.document_chunks(document.document_id, first - document.first_row, chunk.position + n_following)
    texts = [chunk.text for chunk in around]
    return Start(
        document.title, encoder_id, matrix.rows(np.arange(first, row)), texts[: row - first],
        matrix.rows(np.arange(row, row + n_following)), texts[row - first :], document.rows, row,
    )  # fmt: skip


def start_with(texts: Sequence[str], encoder: Encoder) -> Start:
    """Return the start after chunks that somebody gives, encoded now; there is no true continuation.

    Raises:
        CorpusError: if there is no chunk with text.
    """
    given = [text.strip() for text in texts if text.strip()][-LONGEST:]
    if not given:
        raise CorpusError("Nothing was given to start from", "at least one chunk of text", "Write one.")
    vectors = encoder.encode(given)
    return Start("pasted text", encoder.id, vectors, given, np.empty((0, vectors.shape[1]), dtype=np.float32), [])


@dataclass(frozen=True, slots=True)
class Rolled:
    """One model's rollout: `vectors` (S, D) fed back, where the clamp engaged (S,), and the measures (1, S)."""

    model: str
    variant: str
    vectors: Vectors
    clamped: NDArray[np.bool_]
    drift: Drift


class RolledStep(TypedDict):
    """A step of a rollout: the nearest real chunk as text, its row, and the measures, None where there is no truth."""

    step: int
    text: str
    article: str
    row: int
    clamped: bool
    to_truth: float | None
    to_start: float | None
    to_previous: float | None
    to_manifold: float | None


class RolledRow(TypedDict):
    """The steps of one model, raw or snapped."""

    model: str
    variant: str
    steps: list[RolledStep]


class Rollouts(TypedDict):
    """Rollouts of several models from one start, as they are printed; `truth` are the texts that really follow."""

    corpus: str
    encoder: str
    article: str
    row: int | None
    start: str
    truth: list[str]
    rows: list[RolledRow]


def roll_out(
    workspace: Workspace, refs: Sequence[str], settings: DriftSettings, snaps: dict[str, SnapSettings | None],
    start: Start,
) -> list[Rolled]:  # fmt: skip
    """Return the rollouts of several models from `start`, raw and snapped onto the corpus of the settings.

    Each model reads `settings.context` chunks, or its own memory where that is longer.

    Raises:
        CorpusError: if the corpus is missing or not encoded.
        ModelError, SpaceMismatch: if a model is unknown or of another encoder.
    """
    check(settings)
    matrix = opened.matrix(workspace, settings.corpus, start.encoder_id)
    manifold = Manifold(opened.index(workspace, settings.corpus, start.encoder_id), matrix.rows, [start.exclude])
    truth = start.truth[None, : settings.steps] if len(start.truth) else None
    rolled = []
    for ref in refs:
        loaded = opened.model(workspace, ref, start.encoder_id, matrix.dim)
        context = start.last(loaded.info.context, settings.context)[None]
        for name, snap in snaps.items():
            step = manifold.snap(snap) if snap else None
            result = rollout(loaded.model, context, settings.steps, step, max(loaded.info.context, context.shape[1]))
            measured = drift(result, context, truth, manifold)
            rolled.append(Rolled(ref, name, result.vectors[0], result.clamped[0], measured))
    return rolled


def roll_out_from(
    workspace: Workspace, refs: Sequence[str], settings: DriftSettings, snaps: dict[str, SnapSettings | None], row: int,
) -> Rollouts:  # fmt: skip
    """Return rollouts of several models from one place of a corpus, each step with the nearest real chunk as text.

    Raises:
        CorpusError: if the row is outside the corpus or begins an article, so that there is nothing before it.
    """
    encoder_id = space_to_measure_in(workspace, refs, settings.corpus)
    start = start_at(workspace, settings.corpus, encoder_id, row, settings.steps)
    return described(workspace, settings, start, roll_out(workspace, refs, settings, snaps, start))


def described(workspace: Workspace, settings: DriftSettings, start: Start, rolled: Sequence[Rolled]) -> Rollouts:
    """Return rollouts as plain values with the text of each step."""
    store = CorpusStore(workspace)
    rows: list[RolledRow] = []
    for one in rolled:
        nearest = one.drift.nearest[0].tolist()
        near = {c.row: c for c in store.chunks(settings.corpus, sorted({row for row in nearest if row >= 0}))}
        steps: list[RolledStep] = []
        for s, row in enumerate(nearest):
            chunk = near.get(row)
            steps.append(cast(RolledStep, {
                "step": s + 1, "text": chunk.text if chunk else "", "article": chunk.article if chunk else "",
                "row": row, "clamped": bool(one.clamped[s]),
                **{m: _number(getattr(one.drift, m)[0, s]) for m in MEASURES},
            }))  # fmt: skip
        rows.append({"model": one.model, "variant": one.variant, "steps": steps})
    return {
        "corpus": settings.corpus, "encoder": start.encoder_id, "article": start.title, "row": start.row,
        "start": start.texts[-1],
        "truth": start.following, "rows": rows,
    }  # fmt: skip


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
