"""The drift of rollouts, averaged over the articles of a split with intervals; `rollouts` has single ones as text.

What the Drift page shows as averages and the command `rollout` makes and keeps.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from lvm_core import opened
from lvm_core.checkpoint import WEIGHTS, LoadedModel, find_model
from lvm_core.config import check, setting
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import CorpusError
from lvm_core.evaluate.candidates import open_encoded
from lvm_core.metrics import bootstrap
from lvm_core.rollout import MAX_STEPS, Manifold, drift, rollout
from lvm_core.snap import FetchRows, SnapSettings
from lvm_core.spaces import space_to_measure_in
from lvm_core.study.projection import project_key
from lvm_core.types import DocumentInfo, Index, Progress, Vectors, no_progress
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


class Summary(TypedDict):
    """A mean, None where there was nothing to average, and its 95 % interval over articles."""

    mean: float | None
    ci: list[float] | None


class DriftCurves(TypedDict):
    """Each measure at each step, and the share of rollouts in which the drift clamp engaged."""

    to_truth: list[Summary]
    to_start: list[Summary]
    to_previous: list[Summary]
    to_manifold: list[Summary]
    clamped: list[float]


class DriftRow(DriftCurves):
    """The curves of one model, raw or snapped."""

    model: str
    variant: str


class DriftStudy(TypedDict):
    """What is measured of several models, as it is kept and printed."""

    corpus: str
    encoder: str
    split: str
    steps: int
    context: int
    n_articles: int
    n_starts: int
    rows: list[DriftRow]


def drift_study(
    workspace: Workspace,
    refs: Sequence[str],
    settings: DriftSettings,
    snaps: dict[str, SnapSettings | None],
    progress: Progress = no_progress,
) -> DriftStudy:
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
    encoder_id = space_to_measure_in(workspace, refs, settings.corpus)
    encoded = open_encoded(workspace, settings.corpus, encoder_id, settings.split_seed)
    places = _places(encoded.documents(settings.split), settings)
    index = opened.index(workspace, settings.corpus, encoder_id)
    rows: list[DriftRow] = []
    for number, ref in enumerate(refs):
        loaded = opened.model(workspace, ref, encoder_id, encoded.matrix.dim)
        for name, snap in snaps.items():
            progress(
                (number + 0.5) / len(refs), f"rolling out {ref}, {name}: {len(places)} starts, {settings.steps} steps"
            )
            rows.append(
                {"model": ref, "variant": name, **_study(loaded, encoded.matrix.rows, index, places, settings, snap)}
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
            f"The {settings.split} split of corpus '{settings.corpus}' has no article of more than"
            f" {settings.context} chunks to continue",
            "at least one",
            "Use a shorter --context, another split, or longer articles.",
        )
    step = -(-len(usable) // settings.articles)
    places = []
    for number, document in enumerate(usable[::step]):
        last = max(settings.context, document.n_chunks - settings.steps)
        starts = np.unique(np.linspace(settings.context, last, STARTS_PER_ARTICLE).astype(int))
        places += [_Place(number, document, int(start)) for start in starts]
    return places


def _study(
    loaded: LoadedModel, rows: FetchRows, index: Index, places: list[_Place], settings: DriftSettings,
    snap: SnapSettings | None,
) -> DriftCurves:  # fmt: skip
    """Return each measure at each step and the share clamped; places with as much before them roll out together."""
    steps = settings.steps
    values = {name: np.full((len(places), steps), np.nan) for name in MEASURES}
    clamped = np.zeros((len(places), steps))
    by_length: dict[int, list[int]] = {}
    for i, place in enumerate(places):
        by_length.setdefault(min(place.position, max(loaded.info.context, settings.context)), []).append(i)
    for length, members in by_length.items():
        together = [places[i] for i in members]
        manifold = Manifold(index, rows, [place.document.rows for place in together])
        context, truth = _around(together, rows, length, steps)
        step = manifold.snap(snap) if snap else None
        result = rollout(loaded.model, context, steps, step, max(loaded.info.context, length))
        clamped[members] = result.clamped
        drifts = drift(result, context, truth, manifold)
        for name in MEASURES:
            values[name][members] = getattr(drifts, name)
    article = np.array([place.article for place in places], dtype=np.int64)
    measured = {name: [summary(of_all[:, s], article) for s in range(steps)] for name, of_all in values.items()}
    return cast(DriftCurves, {**measured, "clamped": clamped.mean(axis=0).tolist()})


def _around(places: Sequence[_Place], rows: FetchRows, length: int, steps: int) -> tuple[Vectors, Vectors]:
    """Return the `length` chunks before each place (B, T, D), and what follows (B, S, D), NaN where an article ends."""
    firsts = np.array([p.document.first_row + p.position for p in places], dtype=np.int64)
    context = rows((firsts[:, None] + np.arange(-length, 0)).ravel()).reshape(len(places), length, -1)
    truth = np.full((len(places), steps, context.shape[2]), np.nan, dtype=np.float32)
    for i, place in enumerate(places):
        following = place.document.rows[place.position : place.position + steps]
        truth[i, : len(following)] = rows(following)
    return context, truth


def summary(values: NDArray[np.floating[Any]], article: NDArray[np.int64]) -> Summary:
    """Return the mean of `values` (N,) and its 95 % interval over articles; NaN values are left out."""
    interval = bootstrap.interval(bootstrap.article_sums(values, article))
    return {"mean": None if np.isnan(interval.mean) else interval.mean, "ci": interval.ends}


# ---------------------------------------------------------------- studies that are kept


def drift_key(workspace: Workspace, refs: Sequence[str], settings: DriftSettings, snap: SnapSettings) -> str:
    """Return the name under which a study is kept: a digest of its settings, its corpus and its models' weights."""
    paths = [find_model(workspace, ref).path / WEIGHTS for ref in refs]
    stamps = [path.stat().st_mtime_ns if path.exists() else 0 for path in paths]
    digest = CorpusStore(workspace).corpus(settings.corpus).digest
    content = {"refs": list(refs), "weights": stamps, "digest": digest, "snap": asdict(snap), **asdict(settings)}
    return "drift-" + project_key(**content)


def save_study(workspace: Workspace, key: str, study: DriftStudy) -> None:
    """Keep a study under `key`."""
    write_json(workspace.projection(key, "json"), study)


def load_study(workspace: Workspace, key: str) -> DriftStudy | None:
    """Return the study kept under `key`, None where there is none."""
    path = workspace.projection(key, "json")
    return cast(DriftStudy, read_json(path)) if path.exists() else None
