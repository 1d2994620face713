"""Closed-form predictors with the nets' interface: what any net has to beat."""

from typing import Any

from lvm_core.baselines.base import Baseline
from lvm_core.baselines.linear_filter import LinearFilter, LinearFilterOptions
from lvm_core.baselines.simple import ContextMean, CopyLast, CorpusMean, Random, WeightedMean
from lvm_core.config import from_dict
from lvm_core.errors import SettingsError

BASELINES: dict[str, type[Baseline]] = {
    "copy-last": CopyLast,
    "context-mean": ContextMean,
    "weighted-mean": WeightedMean,
    "linear-filter": LinearFilter,
    "corpus-mean": CorpusMean,
    "random": Random,
}


def build_baseline(name: str, dim: int, /, **options: Any) -> Baseline:
    """Return the baseline called `name` for vectors of `dim` numbers; `fit` it where `needs_fit` says so.

    Raises:
        SettingsError: for an unknown baseline or option.
    """
    if name not in BASELINES:
        raise SettingsError([f"model is {name!r}; expected one of {', '.join(BASELINES)}."])
    cls = BASELINES[name]
    if cls.Options is None:
        if options:
            raise SettingsError([f"{name} was given {', '.join(options)}; expected no settings. Leave them out."])
        return cls(dim)
    return cls(dim, from_dict(cls.Options, options))


__all__ = [
    "BASELINES",
    "Baseline",
    "ContextMean",
    "CopyLast",
    "CorpusMean",
    "LinearFilter",
    "LinearFilterOptions",
    "Random",
    "WeightedMean",
    "build_baseline",
]
