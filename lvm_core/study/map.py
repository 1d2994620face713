"""A *map*: predicted against target vectors, gathered, measured and laid out together, and kept by their content.

The command `project` makes one, the Vectors page shows it; `projection` is the mathematics of the layout.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from lvm_core.config import check, setting
from lvm_core.errors import WorkspaceError
from lvm_core.snap import STRENGTH, SnapSettings, snap_onto
from lvm_core.study.projection import ProjectionSettings, project, project_key, sample_rows
from lvm_core.study.sample import WindowSample, first_cosines, sample_windows
from lvm_core.types import Progress, Rows, Vectors, no_progress
from lvm_core.vectors.geometry import effective_rank
from lvm_core.workspace import Workspace, read_json, replacing, write_json

KEYS_CHANGED = 2
"""Raised when what is stored changes, so that old maps are made anew."""


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What a map shows and how it is made."""

    corpus: str = setting("enwiki-sample", "corpus whose articles are shown")
    models: str = setting("", "models to show, with commas between; empty: none")
    split: str = setting("test", "articles whose windows are predicted", choices=("test", "validation", "train"))
    windows: int = setting(500, "predicted windows at most, spread evenly over the articles", "", low=5, high=20_000)
    corpus_points: int = setting(6000, "chunks of the whole corpus drawn behind them", "", low=0, high=60_000)
    method: str = setting("pca", "how the map is made", choices=("pca", "umap", "pacmap"))
    n_dims: int = setting(2, "dimensions of the map", choices=(2, 3))
    n_neighbours: int = setting(
        15, "neighbours that a point holds on to (UMAP, PaCMAP)", low=2, high=200, label="neighbours"
    )
    min_dist: float = setting(0.1, "how close points may lie (UMAP)", low=0.0, high=0.99, label="minimal distance")
    snap: bool = setting(True, "also show each prediction after the snap, joined to the raw one", label="snapped too")
    strength: float = setting(
        STRENGTH, "blend of raw prediction (0) and snapped (1)", low=0.0, high=1.0, label="snap strength"
    )
    seed: int = setting(0, "random seed of samples and maps", low=0)
    split_seed: int = setting(0, "of the split by article", low=0)

    @property
    def refs(self) -> list[str]:
        """The names in `models`."""
        return list(dict.fromkeys(name.strip() for name in self.models.split(",") if name.strip()))


@dataclass(frozen=True, slots=True)
class Layer:
    """One model's predictions on the W windows. Cosines (W,) to the target, and to the nearest real chunk of
    another article, raw and snapped; `clamped` (W,) where the drift clamp engaged; `lengths` (W,) of the raw
    predictions before they were brought to unit norm.
    """

    raw: Vectors
    snapped: Vectors
    cosine: Vectors
    snapped_cosine: Vectors
    nearest: Vectors
    snapped_nearest: Vectors
    clamped: NDArray[np.bool_]
    lengths: Vectors

    def vectors(self, kind: str) -> Vectors:
        """Return the predictions (W, D), "raw" or "snapped"."""
        return self.snapped if kind == "snapped" else self.raw

    def cosines(self, kind: str) -> Vectors:
        """Return their cosines to the target (W,)."""
        return self.snapped_cosine if kind == "snapped" else self.cosine


@dataclass(frozen=True, slots=True)
class MapData:
    """The vectors behind a map: C corpus chunks, W targets and each model's layer. Rows count in the corpus."""

    settings: MapSettings
    encoder_id: str
    corpus_rows: Rows
    corpus_vectors: Vectors
    target_rows: Rows
    target_vectors: Vectors
    target_nearest: Vectors
    layers: dict[str, Layer]
    note: str


@dataclass(frozen=True, slots=True)
class Group:
    """Points of one kind: "corpus", "target", or the "raw" or "snapped" predictions of a model."""

    kind: str
    model: str = ""

    @classmethod
    def read(cls, text: str) -> "Group":
        """Return what `str` made into text."""
        model, _, kind = text.rpartition(" ")
        return cls(kind, model)

    def __str__(self) -> str:
        return f"{self.model} {self.kind}".strip()


CORPUS, TARGET = Group("corpus"), Group("target")


@dataclass(frozen=True, slots=True)
class VectorMap:
    """Coordinates (n, 2 or 3) of each group of points."""

    coordinates: dict[Group, Vectors]
    axes: list[str]
    note: str


def gather(workspace: Workspace, settings: MapSettings, progress: Progress = no_progress) -> MapData:
    """Return the vectors, predictions and measures that `settings` ask for.

    Neighbours and the snap leave out the article that a window is from, or they would read the answer.

    Raises:
        CorpusError: if the corpus is missing, not encoded, or has no window in the split.
        ModelError, SpaceMismatch: if a model is unknown or of another encoder.
    """
    check(settings)
    sample = sample_windows(
        workspace, settings.refs, settings.corpus, settings.split, settings.windows, settings.split_seed
    )
    every = np.arange(sample.encoded.matrix.n_rows, dtype=np.int64)
    corpus_rows, sampled = sample_rows(every, settings.corpus_points, settings.seed)
    layers = {}
    for number, ref in enumerate(settings.refs):
        progress(number / max(len(settings.refs), 1) * 0.8, f"predicting {len(sample.chosen):,} windows with {ref}")
        layers[ref] = _layer(sample, ref, settings)
    progress(0.8, "measuring the distance of the targets to the corpus")
    shown, n_windows = len(sample.chosen), sample.test.n_windows
    left_out = f"{shown:,} of {n_windows:,} windows are shown. " if shown < n_windows else ""
    return MapData(
        settings, sample.test.encoder_id, corpus_rows, sample.encoded.matrix.rows(corpus_rows), sample.rows,
        sample.truths, sample.nearest(sample.truths), layers, left_out + sampled,
    )  # fmt: skip


def _layer(sample: WindowSample, ref: str, settings: MapSettings) -> Layer:
    snapping = SnapSettings(strength=settings.strength)
    predicted = sample.predict(ref)
    raw, truths = predicted.vectors, sample.truths
    hits = sample.neighbours(raw, snapping.k if settings.snap else 1)
    nearest = first_cosines(hits)
    cosine = np.einsum("nd,nd->n", raw, truths).astype(np.float32)
    if not settings.snap:
        nothing = np.zeros(len(raw), dtype=np.bool_)
        return Layer(raw, raw, cosine, cosine, nearest, nearest, nothing, predicted.lengths)
    results = snap_onto(raw, sample.contexts, hits, sample.encoded.matrix.rows, snapping)
    snapped = np.stack([result.vector for result in results])
    return Layer(
        raw, snapped, cosine, np.einsum("nd,nd->n", snapped, truths).astype(np.float32), nearest,
        sample.nearest(snapped), np.array([result.drift_clamped for result in results]), predicted.lengths,
    )  # fmt: skip


def lay_out(data: MapData, progress: Progress = no_progress) -> VectorMap:
    """Return the map of everything in `data`, fitted together."""
    settings = data.settings
    groups = {CORPUS: data.corpus_vectors, TARGET: data.target_vectors}
    for ref, layer in data.layers.items():
        groups[Group("raw", ref)] = layer.raw
        if settings.snap:
            groups[Group("snapped", ref)] = layer.snapped
    filled = {group: vectors for group, vectors in groups.items() if len(vectors)}
    names = {f.name for f in dataclasses.fields(ProjectionSettings)} & {f.name for f in dataclasses.fields(settings)}
    made = project(
        np.concatenate(list(filled.values())), ProjectionSettings(**{n: getattr(settings, n) for n in names}), progress
    )
    ends = np.cumsum([len(vectors) for vectors in filled.values()])
    parts = np.split(made.coordinates, ends[:-1])
    return VectorMap(
        dict(zip(filled, parts, strict=True)), list(made.axes), " ".join(filter(None, [data.note, made.note]))
    )


class MapNumbers(TypedDict, total=False):
    """What a map cannot say of targets, or of a model's predictions, raw or snapped (`kind`): see `numbers`."""

    name: str
    kind: str
    n: int
    cosine: float | None
    nearest: float
    effective_rank: float
    common: float
    length: float | None
    clamped: float


def numbers(data: MapData) -> list[MapNumbers]:
    """Return what a map cannot say: for targets and each model, raw and snapped, a row of means.

    `cosine` to the target; `nearest`: cosine to the nearest real chunk of another article; `effective_rank`:
    directions the vectors spread over; `common`: length of their mean, 1 if all are the same; `length`: of the
    raw predictions before they were brought to unit norm, None for other rows.
    """
    rows = [_row("target", "", data.target_vectors, None, data.target_nearest)]
    for ref, layer in data.layers.items():
        row = _row(ref, "raw", layer.raw, layer.cosine, layer.nearest)
        rows.append({**row, "length": float(layer.lengths.mean())})
        if data.settings.snap:
            row = _row(ref, "snapped", layer.snapped, layer.snapped_cosine, layer.snapped_nearest)
            rows.append({**row, "clamped": float(layer.clamped.mean())})
    return rows


def _row(name: str, kind: str, vectors: Vectors, cosine: Vectors | None, nearest: Vectors) -> MapNumbers:
    return {
        "name": name, "kind": kind, "n": len(vectors), "cosine": None if cosine is None else float(cosine.mean()),
        "nearest": float(np.nanmean(nearest)), "effective_rank": effective_rank(vectors),
        "common": float(np.linalg.norm(vectors.mean(axis=0))), "length": None,
    }  # fmt: skip


def map_key(workspace: Workspace, settings: MapSettings) -> str:
    """Return the name under which a map is kept: a digest of its settings, its corpus and its models' weights."""
    from lvm_core.checkpoint import WEIGHTS, find_model
    from lvm_core.corpus.store import CorpusStore

    stamps = {}
    for ref in settings.refs:
        path = find_model(workspace, ref).path / WEIGHTS
        stamps[ref] = path.stat().st_mtime_ns if path.exists() else 0
    digest = CorpusStore(workspace).corpus(settings.corpus).digest
    return project_key(version=KEYS_CHANGED, digest=digest, weights=stamps, **dataclasses.asdict(settings))


def save_map(workspace: Workspace, key: str, made: VectorMap, rows: list[MapNumbers]) -> None:
    """Keep a map under `key`."""
    with replacing(workspace.projection(key, "npz")) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, **{str(group): xy.astype(np.float32) for group, xy in made.coordinates.items()}
        )
    write_json(workspace.projection(key, "json"), {"axes": made.axes, "note": made.note, "numbers": rows})


def load_map(workspace: Workspace, key: str) -> VectorMap | None:
    """Return the map kept under `key`; None where there is none, or its file was cut short."""
    about, arrays = workspace.projection(key, "json"), workspace.projection(key, "npz")
    if not about.exists() or not arrays.exists():
        return None
    try:
        described = read_json(about)
        with np.load(arrays, allow_pickle=False) as file:
            return VectorMap(
                {Group.read(name): file[name] for name in file.files}, described["axes"], described["note"]
            )
    except (WorkspaceError, OSError, ValueError, KeyError, json.JSONDecodeError):
        return None
