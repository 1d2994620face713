"""Intervals by resampling whole articles.

Windows of one article are alike: resampling windows would make every interval too narrow. The cluster bootstrap
(Davison and Hinkley 1997, section 3.8) draws articles with replacement; as every mean is a ratio of article sums,
only the sums are needed, and they are all that is stored.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_RESAMPLES = 2000
LEVEL = 0.95
_BLOCK = 200


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its interval, in the unit of the values; the ends are NaN where there are not two articles."""

    mean: float
    low: float
    high: float

    @property
    def ends(self) -> list[float] | None:
        """Return [low, high], None where there is no interval."""
        return [self.low, self.high] if np.isfinite(self.low) else None


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums (A,) and counts (A,) of a metric over the windows of each of A articles."""

    total: NDArray[np.float64]
    count: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Return the mean over all windows, NaN if there is none."""
        n = self.count.sum()
        return float(self.total.sum() / n) if n else float("nan")


def article_sums(values: ArrayLike, article: NDArray[np.int64], n_articles: int | None = None) -> Sums:
    """Return the sums of `values` (N,) by `article` (N,), numbered from 0; NaN values are left out."""
    numbers = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(numbers)
    size = n_articles if n_articles is not None else int(article.max(initial=-1)) + 1
    total = np.bincount(article[finite], weights=numbers[finite], minlength=size).astype(np.float64)
    return Sums(total, np.bincount(article[finite], minlength=size).astype(np.float64))


def interval(sums: Sums, n_resamples: int = N_RESAMPLES, seed: int = 0, level: float = LEVEL) -> Interval:
    """Return the mean over windows with its percentile interval over articles, the same for the same seed."""
    used = sums.count > 0
    total, count = sums.total[used], sums.count[used]
    if len(total) < 2:
        return Interval(sums.mean, float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    even = np.full(len(total), 1 / len(total))
    means = np.empty(n_resamples)
    for start in range(0, n_resamples, _BLOCK):
        stop = min(start + _BLOCK, n_resamples)
        draws = rng.multinomial(len(total), even, size=stop - start)
        means[start:stop] = (draws @ total) / (draws @ count)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(sums.mean, float(low), float(high))


def paired(one: Sums, other: Sums, n_resamples: int = N_RESAMPLES, seed: int = 0, level: float = LEVEL) -> Interval:
    """Return the mean difference `one` - `other` over the same windows, with its interval over articles.

    Raises:
        ValueError: if the two were not measured on the same windows.
    """
    if not np.array_equal(one.count, other.count):
        raise ValueError("A paired difference needs both models measured on the same windows of the same articles.")
    return interval(Sums(one.total - other.total, one.count), n_resamples, seed, level)
