"""Fill a residual memory from training articles, and fit on validation articles how far it is to be trusted."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from lvm_core import forecast
from lvm_core.errors import ModelError
from lvm_core.nets.residual_memory import (
    BANDS,
    INDEX,
    RESIDUALS,
    ROWS,
    ResidualMemory,
    Store,
    empty_index,
    keys,
    nearness,
)
from lvm_core.types import DocumentInfo, Progress, Rows, Vectors, VectorSource
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import disk_errors, need_space, replacing

if TYPE_CHECKING:
    from lvm_core.dataset import Windows

FITTED_PLACES = 60_000
"""Places, evenly chosen, that the length and the index are fitted to."""


def fill_memory(
    model: ResidualMemory, vectors: VectorSource, documents: Sequence[DocumentInfo], folder: Path, progress: Progress
) -> None:
    """Write what `model`'s member missed in `documents` to `folder`, and give it that memory.

    Args:
        model: its length c is set too.
        vectors: what the documents' rows count in.
        documents: articles that the member need not have seen: where it has, its residuals are too small, and the
            shares that `fit_shares` finds make up for it in the mean only.
        folder: of the run.
        progress: told as places are added.

    Raises:
        WorkspaceError: if the disk is full.
    """
    documents = [document for document in documents if document.n_chunks >= 2]
    n_places = sum(document.n_chunks - 1 for document in documents)
    if not n_places:
        raise ModelError(
            "No training article has two chunks, so there is nothing to remember",
            "at least one",
            "Choose a corpus of longer articles.",
        )
    need_space(folder, n_places * (2 * model.dim + 80))
    step = max(1, n_places // FITTED_PLACES)
    sampled = [
        _places(model, vectors, batch) for batch in forecast.over_articles(model.member, vectors, documents[::step])
    ]
    predictions, truths = (np.concatenate([part[i] for part in sampled]) for i in (1, 2))
    length = float((predictions * truths).sum(axis=1).mean())
    model.adapt(length, [1.0] * (BANDS - 1), [0.0] * BANDS)
    index = empty_index(2 * model.dim, n_places, np.concatenate([part[0] for part in sampled]))
    with replacing(folder / RESIDUALS) as at_residuals, disk_errors(at_residuals):
        shape = (n_places, model.dim)
        with at_residuals.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
            rows, n_done = np.empty(n_places, dtype=np.int64), 0
            for batch in forecast.over_articles(model.member, vectors, documents):
                key, said, true, row = _places(model, vectors, batch)
                index.add(key)
                file.write((true - length * said).astype("<f2").tobytes())
                rows[n_done : n_done + len(row)] = row
                n_done += len(row)
                progress(n_done / n_places, f"{n_done:,} of {n_places:,} places remembered")
    with replacing(folder / ROWS) as temporary, disk_errors(temporary), temporary.open("wb") as file:
        np.save(file, rows)
    with replacing(folder / INDEX) as temporary, disk_errors(temporary):
        import faiss

        faiss.write_index(index, str(temporary))
    model.store = Store.open(folder)


def fit_shares(model: ResidualMemory, vectors: VectorSource, windows: "Windows") -> None:
    """Set the ranges of nearness and the share of each, by least squares on the windows of validation articles."""
    assert model.store is not None
    said = forecast.over_windows(model.member, vectors, windows).vectors
    last = unit_rows(vectors.rows(windows.contexts[np.arange(len(windows)), windows.lengths - 1]))
    truths, length = unit_rows(vectors.rows(windows.targets)), float(model.length)
    found = model.recall(torch.from_numpy(last), torch.from_numpy(said))
    missed, near = model.store.missed(found), nearness(found)
    edges = np.quantile(near, np.linspace(0, 1, BANDS + 1)[1:-1])
    band = np.digitize(near, edges, right=True)
    wanted = ((truths - length * said) * missed).sum(axis=1)
    power = (missed**2).sum(axis=1)
    totals = [(float(wanted[band == b].sum()), float(power[band == b].sum())) for b in range(BANDS)]
    model.adapt(length, edges.tolist(), [max(0.0, got / max(had, 1e-12)) for got, had in totals])


def _places(
    model: ResidualMemory, vectors: VectorSource, batch: forecast.Prefixes
) -> tuple[Vectors, Vectors, Vectors, Rows]:
    """Return keys, unit predictions, true next chunks and their rows of every place in a batch of articles."""
    rows = batch.rows[batch.mask]
    said, truths = batch.forecast.vectors[batch.mask], batch.truths[batch.mask]
    last = unit_rows(vectors.rows(rows - 1))
    return keys(said, last, model.options.last), said, truths, rows
