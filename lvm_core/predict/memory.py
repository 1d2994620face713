"""What a residual memory goes by: the places that were like this one, as texts, and what came next there."""

from collections.abc import Sequence

import numpy as np

from lvm_core.checkpoint import ModelInfo, find_model
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError
from lvm_core.json_shapes import CorpusSource
from lvm_core.nets.residual_memory import Recalled, ResidualMemory
from lvm_core.predict.prediction import Remembered
from lvm_core.types import Chunk
from lvm_core.workspace import Workspace

SHOWN = 3
"""Places that are shown at most, each of another article."""


def filled_from(workspace: Workspace, info: ModelInfo) -> tuple[CorpusSource, ...]:
    """Return the corpora that a model's memory was filled from, that of an ensemble's first member which has one."""
    members = [] if info.name == ResidualMemory.name else info.config.get("members", [])
    for member in members:
        own = filled_from(workspace, find_model(workspace, member["ref"], info.encoder_id))
        if own:
            return own
    return tuple(info.config.get("corpora", ())) if info.name == ResidualMemory.name else ()


def remembered(workspace: Workspace, corpora: Sequence[CorpusSource], recalled: Recalled) -> tuple[Remembered, ...]:
    """Return the places that weighed most in one prediction, those whose corpus is still here as it was.

    Args:
        workspace: where the corpora are.
        corpora: what the memory was filled from, in the order of its rows.
        recalled: what was gone by, arrays (K,).
    """
    store, seen = CorpusStore(workspace), set[str]()
    shown: list[Remembered] = []
    for place in np.argsort(-recalled.weights, kind="stable"):
        if recalled.rows[place] < 0 or len(shown) == SHOWN:
            break
        found = _chunks(store, corpora, int(recalled.rows[place]))
        if found is None or found[1].article in seen:
            continue
        seen.add(found[1].article)
        shown.append(Remembered(*found, float(recalled.cosines[place]), float(recalled.weights[place])))
    return tuple(shown)


def _chunks(store: CorpusStore, corpora: Sequence[CorpusSource], row: int) -> tuple[Chunk, Chunk] | None:
    """Return the chunk before `row` of the joint corpora and the one at it; None where that corpus is another now."""
    for corpus in corpora:
        if row < corpus["n_chunks"]:
            try:
                if store.corpus(corpus["name"]).digest != corpus["digest"]:
                    return None
                last, following = store.chunks(corpus["name"], [row - 1, row])
            except CorpusError:
                return None
            return last, following
        row -= corpus["n_chunks"]
    return None
