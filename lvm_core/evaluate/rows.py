"""What an evaluation leaves behind: a row of the board, its sums by article, and windows in full."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lvm_core.evaluate.settings import Split
from lvm_core.metrics.bootstrap import Sums

Ends = Sequence[float] | None
"""Low and high end of a 95 % interval; None where there are not two articles."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Paired difference in cosine to the linear filter of `context` chunks, fitted on the articles of `fitted_on`."""

    cosine: float
    ci: Ends
    context: int | None = None
    fitted_on: str = ""


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
    values: Mapping[str, float | None]
    intervals: Mapping[str, Ends]
    vs_filter: Gain | None = None
    net: str = ""
    shipped: bool = False
    trained_on: Sequence[str] = ()
    n_train_articles: int | None = None
    weights_digest: str = ""
    coherence: Mapping[str, Any] = field(default_factory=dict)
    near_duplicates: Sequence[Twin] = ()
    key: Mapping[str, Any] = field(default_factory=dict)
    split_seed: int = 0
    index_digest: str = ""
    decoder: str | None = None
    n_decoded: int | None = None
    snapped: Mapping[str, Any] | None = None
    drift: Mapping[str, Any] | None = None
    other: Mapping[str, Any] = field(default_factory=dict)
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

    def to_json(self) -> dict[str, Any]:
        """Return the row as `evaluate --json` prints it and studio.db holds it."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in _FLAT}
        absent = {name for name in _OPTIONAL if plain[name] in (None, False)}
        return {
            **{name: value for name, value in plain.items() if name not in absent},
            "split": str(self.split),
            **flat(self.values, self.intervals),
            "vs_filter": None if self.vs_filter is None else dataclasses.asdict(self.vs_filter),
            "near_duplicates": [dataclasses.asdict(twin) for twin in self.near_duplicates],
            **self.other,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Row":
        """Return the row of what `to_json` made, by this studio or an earlier one.

        Raises:
            ValueError: if it is no row: a field is missing or of a wrong type.
        """
        if missing := [name for name in _REQUIRED if not isinstance(stored.get(name), _REQUIRED[name])]:
            raise ValueError(f"a row of the board needs {', '.join(missing)}")
        names = {f.name for f in dataclasses.fields(cls)} - set(_FLAT)
        plain = {name: value for name, value in stored.items() if name in names}
        rest = {name: value for name, value in stored.items() if name not in names and name not in _FLAT}
        ends = {name: value for name, value in rest.items() if name.endswith("_ci")}
        values = {n: v for n, v in rest.items() if n not in ends and (v is None or _is_number(v))}
        gain = stored.get("vs_filter")
        return cls(
            **plain,
            split=Split.read(stored["split"]),
            values=values,
            intervals={name.removesuffix("_ci"): value for name, value in ends.items()},
            vs_filter=Gain(**{k: v for k, v in gain.items() if k in Gain.__dataclass_fields__}) if gain else None,
            near_duplicates=[Twin(**twin) for twin in stored.get("near_duplicates", [])],
            other={name: value for name, value in rest.items() if name not in ends and name not in values},
        )


def flat(values: Mapping[str, float | None], intervals: Mapping[str, Ends]) -> dict[str, Any]:
    """Return `name` and `name_ci` of each measure."""
    return {**values, **{f"{name}_ci": ends for name, ends in intervals.items()}}


_FLAT = ("split", "values", "intervals", "vs_filter", "near_duplicates", "other")
"""Fields that are not written under their own name."""

_OPTIONAL = ("decoder", "n_decoded", "snapped", "drift", "id", "evaluated", "shipped_result", "rank", "level_with_best")
"""Fields that are left out where there is nothing to say."""

_REQUIRED: dict[str, type] = {
    "model": str, "kind": str, "corpus": str, "encoder": str, "split": str, "comparable": str,
    "context": int, "n_windows": int, "n_articles": int,
}  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class ArticleSums:
    """Sums of each paired measure by article: small, and enough to compare any two rows window by window."""

    titles: Sequence[str]
    sums: Mapping[str, Sums]

    def to_json(self) -> dict[str, Any]:
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
            ValueError: if a list is missing, of another length, or holds what is no number.
        """
        try:
            titles, n, counts = stored["titles"], stored["n"], stored.get("counts", {})
            totals = {name: stored[name] for name in stored if name not in ("titles", "n", "counts")}
            sums = {
                name: Sums(np.array(total, dtype=np.float64), np.array(counts.get(name, n), dtype=np.float64))
                for name, total in totals.items()
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no sums by article: {error}") from error
        if any(one.total.shape != (len(titles),) or one.count.shape != (len(titles),) for one in sums.values()):
            raise ValueError("no sums by article: lists of several lengths")
        return cls(titles, sums)


@dataclass(frozen=True, slots=True)
class Example:
    """One window in full: the last chunks of its context, the true next chunk, what was said, and how near it is."""

    window: int
    article: str
    position: int
    context: Sequence[str]
    n_context: int
    target: str
    text: str
    method: str
    steps: int
    cosine: float
    snapped_cosine: float | None
    round_trip_cosine: float | None
    scores: Mapping[str, float]
    timings_ms: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the window as `evaluate --json` prints it: the scores stand among its fields."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "scores"}
        return {**plain, **self.scores}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Example":
        """Return what `to_json` made.

        Raises:
            ValueError: if it is none.
        """
        names = {f.name for f in dataclasses.fields(cls)} - {"scores"}
        try:
            scores = {name: float(value) for name, value in stored.items() if name not in names}
            return cls(**{name: stored[name] for name in names}, scores=scores)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no decoded window: {error}") from error
