"""What the snap gives and what it costs, for many settings at once: neighbours are searched for only once."""

from dataclasses import replace
from typing import TypedDict

import numpy as np

from lvm_core.metrics import retrieval
from lvm_core.snap import SnapSettings, snap_onto
from lvm_core.study.drift import Summary, summary
from lvm_core.study.sample import sample_windows
from lvm_core.types import Hit, Progress, Rows, Vectors, no_progress
from lvm_core.workspace import Workspace


class SnapMeasure(TypedDict):
    """What a snap gives: cosine, Recall@5, cosine to the nearest real chunk, and the share clamped."""

    cosine: Summary
    recall_at_5: Summary
    nearest: Summary
    clamped: float


class SweptSnap(SnapMeasure):
    """What `k` neighbours at `strength` give."""

    k: int
    strength: float


class SnapLab:
    """The effect of snap settings on the predictions of one model, without searching again for each setting."""

    MAX_K = 64

    def __init__(
        self, workspace: Workspace, ref: str, corpus: str, split: str = "validation", windows: int = 600,
        split_seed: int = 0,
    ) -> None:  # fmt: skip
        """Predict `windows` windows of a split, evenly spread, and find their neighbours once.

        Raises:
            CorpusError: if the corpus is missing, not encoded, or has no window in the split.
            ModelError, SpaceMismatch: if the model is unknown or of another encoder.
        """
        self.sample = sample_windows(workspace, [ref], corpus, split, windows, split_seed)
        self.raw = self.sample.predict(ref).vectors
        self._hits: list[list[Hit]] = self.sample.neighbours(self.raw, self.MAX_K)

    def vectors(self, settings: SnapSettings | None, lines: Rows | None = None) -> tuple[Vectors, float]:
        """Return the predictions (W, D) under `settings` (None: raw) and the share clamped; of `lines` or all."""
        chosen = np.arange(len(self.raw)) if lines is None else lines
        if settings is None:
            return self.raw[chosen], 0.0
        contexts, hits = self.sample.contexts[chosen], [self._hits[int(line)] for line in chosen]
        results = snap_onto(self.raw[chosen], contexts, hits, self.sample.encoded.matrix.rows, settings)
        return np.stack([result.vector for result in results]), float(np.mean([r.drift_clamped for r in results]))

    def measure(self, settings: SnapSettings | None) -> SnapMeasure:
        """Return cosine, recall@5 and cosine to the nearest real chunk under `settings` (None: raw), with intervals."""
        sample, test = self.sample, self.sample.test
        vectors, clamped = self.vectors(settings)
        ranks = retrieval.target_ranks(
            vectors, test.vectors, test.targets[sample.chosen], test.excluded[sample.chosen], 256
        )
        return {
            "cosine": summary(np.einsum("nd,nd->n", vectors, sample.truths), sample.article),
            "recall_at_5": summary(retrieval.recall_at(ranks, 5).astype(np.float32), sample.article),
            "nearest": summary(sample.nearest(vectors), sample.article),
            "clamped": clamped,
        }

    def sweep(self, progress: Progress = no_progress, base: SnapSettings | None = None) -> list[SweptSnap]:
        """Return what each of a grid of K and strengths measures, best cosine first; the raw prediction is one row.

        Weights and thresholds are those of `base`, the standard ones where it is None.
        """
        rows: list[SweptSnap] = [{"k": 0, "strength": 0.0, **self.measure(None)}]
        grid = [(k, strength) for k in (1, 4, 16, 64) for strength in (0.25, 0.5, 0.75, 1.0)]
        for done, (k, strength) in enumerate(grid):
            progress(done / len(grid), f"K {k}, strength {strength:.2f}")
            settings = replace(base or SnapSettings(), k=k, strength=strength)
            rows.append({"k": k, "strength": strength, **self.measure(settings)})
        progress(1.0, f"{len(rows)} settings")
        return sorted(rows, key=lambda row: -(row["cosine"]["mean"] or -1.0))
