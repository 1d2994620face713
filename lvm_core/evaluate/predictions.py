"""One model over all windows of a test set, in batches."""

import numpy as np

from lvm_core.dataset import Windows
from lvm_core.errors import ModelError
from lvm_core.evaluate.testset import TestSet
from lvm_core.nets.base import SequenceModel
from lvm_core.types import Progress, Vectors, no_progress

TOKENS = 12_800
"""Chunks in one batch: bounds memory whatever the context."""


def predict_windows(model: SequenceModel, test: TestSet, context: int, progress: Progress = no_progress) -> Vectors:
    """Return the prediction (N, D) for each window from its last `context` chunks, or as many as there are.

    Windows near the start of an article are shorter; they are padded on the right and read at their own last
    position, which a causal model's contract makes the same as running them alone.

    Raises:
        ModelError: if a prediction is not finite or is of another dimension.
    """
    model.eval()
    windows = test.windows(context)
    order = np.argsort(windows.lengths, kind="stable")
    found = np.empty((test.n_windows, test.vectors.shape[1]), dtype=np.float32)
    size = int(np.clip(TOKENS // context, 16, 1024))
    for start in range(0, len(order), size):
        lines = order[start : start + size]
        said = _predict(model, test.vectors, windows.take(lines))
        if said.shape != found[lines].shape or not np.isfinite(said).all():
            raise ModelError(
                f"Model '{model.name}' predicted {said.shape} with {int((~np.isfinite(said)).sum())} values that are"
                f" not finite; expected {found[lines].shape}, all finite. Its training diverged or its file is"
                " damaged: train it again with a smaller learning rate, or delete it."
            )
        found[lines] = said
        progress(min(1.0, (start + size) / len(order)), f"{start + len(lines):,} of {len(order):,} windows")
    return found


def _predict(model: SequenceModel, vectors: Vectors, windows: Windows) -> Vectors:
    import torch

    longest = int(windows.lengths.max())
    context = torch.from_numpy(vectors[windows.contexts[:, :longest]])
    if int(windows.lengths.min()) == longest:
        said: Vectors = model.predict_next(context).float().numpy()
        return said
    with torch.inference_mode():
        every = model(context).float()
    picked: Vectors = every[torch.arange(len(windows)), torch.from_numpy(windows.lengths - 1)].numpy()
    return picked
