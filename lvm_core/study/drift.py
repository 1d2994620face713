"""Drift over rollouts: averaged over the articles of a split with intervals, or from one place as text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.checkpoint import WEIGHTS, LoadedModel, find_model, load_model
from lvm_core.config import check, setting
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError
from lvm_core.evaluate.subjects import choose_encoder, open_stage
from lvm_core.metrics import bootstrap
from lvm_core.rollout import MAX_STEPS, Drift, SnapStep, drift, rollout
from lvm_core.snap import FetchRows, SnapSettings, search_excluding, snap_batch
from lvm_core.study.projection import project_key
from lvm_core.types import DocumentInfo, Index, Progress, Rows, Vectors, no_progress
from lvm_core.vectors.index import open_index
from lvm_core.workspace import Workspace, read_json, write_json

MEASURES = ("to_truth", "to_start", "to_previous", "to_manifold")
STARTS_PER_ARTICLE = 3


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """Which rollouts are averaged."""

    corpus: str = setting("enwiki-sample", "corpus whose articles are continued", always=True)
    split: str = setting("test", "articles that are continued", choices=("test", "validation"), always=True)
    articles: int = setting(100, "articles at most", "articles", low=1, high=10_000)
    steps: int = setting(20, "predictions fed back", "chunks", low=1, high=MAX_STEPS, always=True)
    context: int = setting(5, "real chunks before the first prediction; a longer memory reads more where there is more",
                           "chunks", low=1, high=100, always=True)  # fmt: skip
    split_seed: int = setting(0, "of the split by article", low=0)


def snap_step(index: Index, rows: FetchRows, settings: SnapSettings, exclude: Sequence[Rows | None]) -> SnapStep:
    """Return the snap as `rollout` wants it: one exclusion for each of the B rollouts."""

    def step(predictions: Vectors, contexts: Vectors) -> tuple[Vectors, NDArray[np.bool_]]:
        found = snap_batch(predictions, contexts, index, rows, list(exclude), settings)
        return np.stack([r.vector for r in found]), np.array([r.drift_clamped for r in found])

    return step


def drift_study(
    workspace: Workspace,
    refs: Sequence[str],
    settings: DriftSettings,
    snaps: dict[str, SnapSettings | None],
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Return the mean of each drift measure at each step, with 95 % intervals over articles.

    Each article is continued from three places, evenly spread; steps beyond its end have no truth to compare with.
    The article's own chunks are left out of the snap and of the distance to the manifold.

    Args:
        workspace: where corpus and runs are.
        refs: models and baselines.
        settings: which rollouts.
        snaps: variants by name; None is raw.
        progress: told the models done.

    Raises:
        CorpusError: if no article of the split is long enough.
        ModelError, SpaceMismatch: if a model is unknown or of another encoder.
    """  # fmt: skip
    check(settings)
    encoder_id = choose_encoder(workspace, list(refs), settings.corpus)
    stage = open_stage(workspace, settings.corpus, encoder_id, settings.split_seed)
    places = _places(stage.documents(settings.split), settings)
    index = open_index(workspace, settings.corpus, encoder_id)
    rows = []
    for number, ref in enumerate(refs):
        loaded = load_model(workspace, ref, encoder_id, stage.matrix.dim)
        for name, snap in snaps.items():
            progress(
                (number + 0.5) / len(refs), f"rolling out {ref}, {name}: {len(places)} starts, {settings.steps} steps"
            )
            rows.append(
                {"model": ref, "variant": name, **_study(loaded, stage.matrix.rows, index, places, settings, snap)}
            )
    return {
        "corpus": settings.corpus, "encoder": encoder_id, "split": settings.split, "steps": settings.steps,
        "context": settings.context, "n_articles": len({p.article for p in places}), "n_starts": len(places),
        "rows": rows,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    article: int
    document: DocumentInfo
    position: int


def _places(documents: Sequence[DocumentInfo], settings: DriftSettings) -> list[_Place]:
    usable = [d for d in documents if d.n_chunks > settings.context]
    if not usable:
        raise CorpusError(
            f"The {settings.split} split of corpus '{settings.corpus}' has no article of more than {settings.context}"
            " chunks to continue. Use a shorter --context, another split, or longer articles."
        )
    step = -(-len(usable) // settings.articles)
    found = []
    for number, document in enumerate(usable[::step]):
        last = max(settings.context, document.n_chunks - settings.steps)
        starts = np.unique(np.linspace(settings.context, last, STARTS_PER_ARTICLE).astype(int))
        found += [_Place(number, document, int(start)) for start in starts]
    return found


def _study(
    loaded: LoadedModel, rows: FetchRows, index: Index, places: list[_Place], settings: DriftSettings,
    snap: SnapSettings | None,
) -> dict[str, Any]:  # fmt: skip
    steps = settings.steps
    found = {name: np.full((len(places), steps), np.nan, dtype=np.float32) for name in MEASURES}
    clamped = np.zeros((len(places), steps))
    by_length: dict[int, list[int]] = {}
    for i, place in enumerate(places):
        by_length.setdefault(min(place.position, max(loaded.info.context, settings.context)), []).append(i)
    for length, members in by_length.items():
        own = [places[i] for i in members]
        drifts, held = _roll(loaded, rows, index, own, length, steps, snap)
        clamped[members] = held
        for name in MEASURES:
            found[name][members] = getattr(drifts, name)
    article = np.array([place.article for place in places], dtype=np.int64)
    measured = {name: [summary(values[:, s], article) for s in range(steps)] for name, values in found.items()}
    return {**measured, "clamped": clamped.mean(axis=0).tolist()}


def _roll(
    loaded: LoadedModel, rows: FetchRows, index: Index, places: list[_Place], length: int, steps: int,
    snap: SnapSettings | None,
) -> tuple[Drift, NDArray[np.bool_]]:  # fmt: skip
    """Return drift and clamps of rollouts whose contexts are of one length."""
    firsts = np.array([p.document.first_row + p.position for p in places], dtype=np.int64)
    context = rows((firsts[:, None] + np.arange(-length, 0)).ravel()).reshape(len(places), length, -1)
    exclude = [p.document.rows for p in places]
    step = snap_step(index, rows, snap, exclude) if snap else None
    result = rollout(loaded.model, context, steps, step, max(loaded.info.context, length))
    truth = np.full((len(places), steps, context.shape[2]), np.nan, dtype=np.float32)
    for i, place in enumerate(places):
        there = min(steps, place.document.n_chunks - place.position)
        truth[i, :there] = rows(np.arange(firsts[i], firsts[i] + there))
    measured = drift(result, context, truth)
    flat = result.vectors.reshape(-1, context.shape[2])
    hits = search_excluding(index, flat, 1, [own for own in exclude for _ in range(steps)])
    nearest = np.array([h[0].cosine if h else np.nan for h in hits], dtype=np.float64).reshape(len(places), steps)
    return replace(measured, to_manifold=nearest), result.clamped


def summary(values: Vectors, article: NDArray[np.int64]) -> dict[str, Any]:
    """Return the mean of `values` (N,) and its 95 % interval over articles; NaN values are left out."""
    found = bootstrap.interval(bootstrap.article_sums(values, article))
    return {"mean": None if np.isnan(found.mean) else found.mean, "ci": found.ends}


# ---------------------------------------------------------------- studies that are kept


def drift_key(workspace: Workspace, refs: Sequence[str], settings: DriftSettings, snap: SnapSettings) -> str:
    """Return the name under which a study is kept: a digest of its settings, its corpus and its models' weights."""
    paths = [find_model(workspace, ref).path / WEIGHTS for ref in refs]
    stamps = [path.stat().st_mtime_ns if path.exists() else 0 for path in paths]
    digest = CorpusStore(workspace).corpus(settings.corpus).digest
    content = {"refs": list(refs), "weights": stamps, "digest": digest, "snap": asdict(snap), **asdict(settings)}
    return "drift-" + project_key(**content)


def save_study(workspace: Workspace, key: str, study: dict[str, Any]) -> None:
    """Keep a study under `key`."""
    write_json(workspace.projection(key, "json"), study)


def load_study(workspace: Workspace, key: str) -> dict[str, Any] | None:
    """Return the study kept under `key`, None where there is none."""
    path = workspace.projection(key, "json")
    return dict(read_json(path)) if path.exists() else None
