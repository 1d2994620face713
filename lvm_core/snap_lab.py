"""What the snap gives and what it costs, for many settings at once: neighbours are searched for only once."""

from typing import Any

import numpy as np

from lvm_core.checkpoint import load_model
from lvm_core.decode.snap import FetchRows, SnapSettings, search_excluding, snap_onto
from lvm_core.drift import span, summary
from lvm_core.evaluation.predictions import predict_windows
from lvm_core.evaluation.subjects import choose_encoder, open_stage
from lvm_core.evaluation.testset import TestSet, make_test_set
from lvm_core.metrics import retrieval
from lvm_core.types import Hit, Progress, no_progress
from lvm_core.vectors.index import open_index
from lvm_core.workspace import Workspace


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
        encoder_id = choose_encoder(workspace, [ref], corpus)
        stage = open_stage(workspace, corpus, encoder_id, split_seed)
        self.test: TestSet = make_test_set(
            stage.documents(split),
            stage.matrix.rows,
            corpus,
            stage.corpus.digest,
            encoder_id,
            split,
            split_seed,
            20_000,
        )
        loaded = load_model(workspace, ref, encoder_id, stage.matrix.dim)
        context = max(loaded.info.context, 5) if loaded.info.kind == "baseline" else loaded.info.context
        count = min(windows, self.test.n_windows)
        self.chosen = np.unique(np.linspace(0, self.test.n_windows - 1, count).astype(np.int64))
        self.raw = predict_windows(loaded.model, self.test, context)[self.chosen]
        self._index = open_index(workspace, corpus, encoder_id)
        self._rows: FetchRows = stage.matrix.rows
        spans = [span(d) for d in self.test.documents]
        self._exclude = [spans[int(number)] for number in self.test.article[self.chosen]]
        self._hits: list[list[Hit]] = search_excluding(self._index, self.raw, self.MAX_K, self._exclude)
        self._contexts = self.test.vectors[self.test.excluded[self.chosen][:, ::-1]]

    def measure(self, settings: SnapSettings | None) -> dict[str, Any]:
        """Return cosine, recall@5 and cosine to the nearest real chunk under `settings` (None: raw), with intervals."""
        vectors, clamped = self.raw, 0.0
        if settings is not None:
            results = snap_onto(self.raw, self._contexts, self._hits, self._rows, settings)
            vectors = np.stack([result.vector for result in results])
            clamped = float(np.mean([result.drift_clamped for result in results]))
        truths = self.test.truths[self.chosen]
        ranks = retrieval.target_ranks(
            vectors, self.test.vectors, self.test.targets[self.chosen], self.test.excluded[self.chosen], 256
        )
        nearest = search_excluding(self._index, vectors, 1, self._exclude)
        article = self.test.article[self.chosen]
        return {
            "cosine": summary(np.einsum("nd,nd->n", vectors, truths), article),
            "recall_at_5": summary(retrieval.recall_at(ranks, 5).astype(np.float32), article),
            "nearest": summary(np.array([h[0].cosine if h else np.nan for h in nearest], dtype=np.float32), article),
            "clamped": clamped,
        }

    def sweep(self, progress: Progress = no_progress) -> list[dict[str, Any]]:
        """Return what each of a grid of K and strengths measures, best cosine first; the raw prediction is one row."""
        rows = [{"k": 0, "strength": 0.0, **self.measure(None)}]
        grid = [(k, strength) for k in (1, 4, 16, 64) for strength in (0.25, 0.5, 0.75, 1.0)]
        for done, (k, strength) in enumerate(grid):
            progress(done / len(grid), f"K {k}, strength {strength:.2f}")
            rows.append({"k": k, "strength": strength, **self.measure(SnapSettings(k=k, strength=strength))})
        progress(1.0, f"{len(rows)} settings")
        return sorted(rows, key=lambda row: -(row["cosine"]["mean"] or -1.0))
