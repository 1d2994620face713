"""What a residual memory goes by: the places that were like this one, as texts, and what came next there."""

from collections.abc import Sequence

import numpy as np
import torch

from lvm_core import forecast
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError
from lvm_core.json_shapes import CorpusSource
from lvm_core.nets.residual_memory import ResidualMemory
from lvm_core.predict.prediction import Remembered
from lvm_core.types import Chunk, Vectors
from lvm_core.workspace import Workspace

SHOWN = 3
"""Places that are shown at most, each of another article."""


def remembered(
    workspace: Workspace, model: ResidualMemory, corpora: Sequence[CorpusSource], context: Vectors
) -> tuple[Remembered, ...]:
    """Return the places that weigh most after the context (T, D), those whose corpus is still here as it was.

    Args:
        workspace: where the corpora are.
        model: with its memory.
        corpora: what the memory was filled from, in the order of its rows.
        context: unit vectors.
    """
    if model.store is None or not len(model.store):
        return ()
    said = torch.from_numpy(forecast.after(model.member, context[None]).vectors)
    recalled = model.recall(torch.from_numpy(context[-1:]), said)
    store, seen = CorpusStore(workspace), set[str]()
    shown: list[Remembered] = []
    for place in np.argsort(-recalled.weights[0], kind="stable"):
        if recalled.places[0, place] < 0 or len(shown) == SHOWN:
            break
        found = _chunks(store, corpora, int(model.store.rows[recalled.places[0, place]]))
        if found is None or found[1].article in seen:
            continue
        seen.add(found[1].article)
        cosine, weight = float(recalled.cosines[0, place]), float(recalled.weights[0, place])
        shown.append(Remembered(*found, cosine, weight))
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
