"""What an evaluation leaves behind: a row of the board, its sums by article, and windows in full."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lvm_core.boundary.json_values import from_json
from lvm_core.errors import ModelError
from lvm_core.evaluate.settings import Split
from lvm_core.json_shapes import Json
from lvm_core.metrics.bootstrap import Sums

REMEDY = "Evaluate the model again."

Ends = list[float] | None
"""Low and high end of a 95 % interval; None where there are not two articles."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Paired difference in cosine to the linear filter of `context` chunks, fitted on the articles of `fitted_on`."""

    cosine: float
    ci: Ends
    context: int | None = None
    fitted_on: str = ""


@dataclass(frozen=True, slots=True)
class Coherence:
    """Mean cosine of neighbouring chunks: of the test, and of each corpus that the model was trained on."""

    test: float | None = None
    train: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twin:
    """A test article and the training article of `corpus` that it nearly is.

    `share` of its eight-word runs are there word for word; `how` is "text" or "title".
    """

    test: str
    train: str
    share: float
    how: str
    corpus: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one test: what it is, what it was measured on, and every number with its interval.

    `values` has one number a measure, None where it could not be measured; `intervals` those that were resampled
    over articles. `comparable` is the digest of the test: only rows that share it may be ranked together. `other` is
    what is carried along from the JSON and read by nobody here, so that a newer studio's rows survive an older one.
    """

    model: str
    kind: str
    corpus: str
    encoder: str
    split: Split
    context: int
    n_windows: int
    n_articles: int
    comparable: str
    values: dict[str, float | None]
    intervals: dict[str, Ends]
    vs_filter: Gain | None = None
    net: str = ""
    shipped: bool = False
    trained_on: list[str] = field(default_factory=list)
    n_train_articles: int | None = None
    n_train_windows: int | None = None
    weights_digest: str = ""
    coherence: Coherence = Coherence()
    near_duplicates: list[Twin] = field(default_factory=list)
    key: Json = field(default_factory=dict)
    split_seed: int = 0
    index_digest: str = ""
    decoder: str | None = None
    n_decoded: int | None = None
    snapped: Json | None = None
    drift: Json | None = None
    other: Json = field(default_factory=dict)
    created: float | None = None
    id: int | None = None
    evaluated: float | None = None
    shipped_result: bool = False
    rank: int | None = None
    level_with_best: bool | None = None

    def number(self, name: str) -> float | None:
        """Return a measure or a count by its name in the JSON; None where the row has no such number."""
        value = self.values.get(name, getattr(self, name, None))
        return value if _is_number(value) else None

    @property
    def numbers(self) -> set[str]:
        """Names that `number` knows."""
        plain = {f.name for f in dataclasses.fields(self) if self.number(f.name) is not None}
        return plain | {name for name, value in self.values.items() if value is not None}

    def to_json(self) -> Json:
        """Return the row as `evaluate --json` prints it and studio.db holds it."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in _FLAT}
        absent = {name for name in _OPTIONAL if plain[name] in (None, False)}
        return {
            **{name: value for name, value in plain.items() if name not in absent},
            "split": str(self.split),
            **flat(self.values, self.intervals),
            "vs_filter": None if self.vs_filter is None else dataclasses.asdict(self.vs_filter),
            "near_duplicates": [dataclasses.asdict(twin) for twin in self.near_duplicates],
            "coherence": dataclasses.asdict(self.coherence),
            **self.other,
        }

    @classmethod
    def read(cls, stored: Json) -> "Row":
        """Return the row of what `to_json` made, by this studio or an earlier one.

        Raises:
            ModelError: if it is no row, naming the first field that is missing or of a wrong type.
        """
        names = {f.name for f in dataclasses.fields(cls)} - {"values", "intervals", "other"}
        plain = {name: value for name, value in stored.items() if name in names}
        if isinstance(plain.get("split"), str):
            plain["split"] = dataclasses.asdict(Split.read(plain["split"]))
        rest = {name: value for name, value in stored.items() if name not in names}
        ends = {name: value for name, value in rest.items() if name.endswith("_ci")}
        values = {n: v for n, v in rest.items() if n not in ends and (v is None or _is_number(v))}
        fields = {
            **plain,
            "values": values,
            "intervals": {name.removesuffix("_ci"): value for name, value in ends.items()},
            "other": {name: value for name, value in rest.items() if name not in ends and name not in values},
        }
        row = from_json(cls, fields, "A row of the board", REMEDY, extra=True, error=ModelError)
        intervals = [*row.intervals.values(), *([row.vs_filter.ci] if row.vs_filter else [])]
        if not all(one is None or len(one) == 2 for one in intervals):
            raise ModelError("A row of the board has another interval", "a pair of numbers", REMEDY)
        if row.snapped is not None:
            from_json(_Snapped, row.snapped, "A row of the board, snapped", REMEDY, extra=True, error=ModelError)
        return row


@dataclass(frozen=True, slots=True)
class _Snapped:
    """What is read of the measures after the snap."""

    cosine: float | None = None
    cosine_ci: Ends = None


def flat(values: Mapping[str, float | None], intervals: Mapping[str, Ends]) -> dict[str, float | Ends]:
    """Return `name` and `name_ci` of each measure."""
    return {**values, **{f"{name}_ci": ends for name, ends in intervals.items()}}


_FLAT = ("split", "values", "intervals", "vs_filter", "near_duplicates", "coherence", "other")
"""Fields that are not written under their own name."""

_OPTIONAL = (
    "n_train_windows",
    "decoder",
    "n_decoded",
    "snapped",
    "drift",
    "id",
    "evaluated",
    "shipped_result",
    "rank",
    "level_with_best",
)
"""Fields that are left out where there is nothing to say."""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class ArticleSums:
    """Sums of each paired measure by article: small, and enough to compare any two rows window by window."""

    titles: Sequence[str]
    sums: Mapping[str, Sums]

    def to_json(self) -> Json:
        """Return titles, windows by article, and one list of sums a measure; counts where they differ."""
        count = next((one.count for one in self.sums.values()), np.zeros(0))
        counts = {name: one.count.astype(int).tolist() for name, one in self.sums.items() if (one.count != count).any()}
        totals = {name: [round(float(x), 6) for x in one.total] for name, one in self.sums.items()}
        extra = {"counts": counts} if counts else {}
        return {"titles": list(self.titles), "n": count.astype(int).tolist(), **totals, **extra}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "ArticleSums":
        """Return what `to_json` made.

        Raises:
            ModelError: if a list is missing, of another length, or holds what is no number.
        """
        try:
            titles, n, counts = stored["titles"], stored["n"], stored.get("counts", {})
            totals = {name: stored[name] for name in stored if name not in ("titles", "n", "counts")}
            sums = {
                name: Sums(np.array(total, dtype=np.float64), np.array(counts.get(name, n), dtype=np.float64))
                for name, total in totals.items()
            }
            lengths = {len(one) for pair in sums.values() for one in (pair.total, pair.count)} | {len(titles)}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ModelError(f"These are no sums by article: {error}", "lists of numbers by name", REMEDY) from error
        if len(lengths) != 1 or not isinstance(titles, list):
            raise ModelError("These are no sums by article: lists of several lengths", "one number an article", REMEDY)
        return cls(titles, sums)


@dataclass(frozen=True, slots=True)
class Example:
    """One window in full: the last chunks of its context, the true next chunk, what was said, and how near it is."""

    window: int
    article: str
    position: int
    context: list[str]
    n_context: int
    target: str
    text: str
    method: str
    steps: int
    cosine: float
    snapped_cosine: float | None
    round_trip_cosine: float | None
    scores: dict[str, float]
    timings_ms: dict[str, float]

    def to_json(self) -> Json:
        """Return the window as `evaluate --json` prints it: the scores stand among its fields."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "scores"}
        return {**plain, **self.scores}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Example":
        """Return what `to_json` made.

        Raises:
            ModelError: if it is none, naming the field.
        """
        names = {f.name for f in dataclasses.fields(cls)} - {"scores"}
        plain = {name: value for name, value in stored.items() if name in names}
        scores = {name: value for name, value in stored.items() if name not in names}
        return from_json(cls, {**plain, "scores": scores}, "A decoded window", REMEDY, error=ModelError)
