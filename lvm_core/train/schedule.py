"""The learning rate over a training, and what a training came to in one sentence."""

import math

from lvm_core.json_shapes import RunResult
from lvm_core.train.config import TrainConfig
from lvm_core.types import Progress

IS_FILTER = "no epoch beat the fitted filter: this model is the filter"


def verdict(best_epoch: int, cosine: float | None, filter_cosine: float) -> str:
    """Return whether a net on top of the filter came to more than the filter, in one sentence."""
    if best_epoch == 0 or cosine is None:
        return IS_FILTER
    return f"{cosine - filter_cosine:+.4f} over the fitted filter"


def ending(result: RunResult) -> str:
    """Return how a training ended, for people."""
    cosine = "-" if result["val_cosine"] is None else f"{result['val_cosine']:.4f}"
    said = f"{result['stopped']}: validation cosine {cosine} after epoch {result['best_epoch']}"
    return "; ".join(filter(None, [said, result.get("verdict", "")]))


def learning_rate(config: TrainConfig, share: float) -> float:
    """Return the rate after `share` of the training: a linear rise, then half a cosine down to zero."""
    if share < config.warmup:
        return config.lr * (share + 1e-3) / (config.warmup + 1e-3)
    return config.lr * 0.5 * (1 + math.cos(math.pi * (share - config.warmup) / (1 - config.warmup)))


def part_of(progress: Progress, first: float, share: float) -> Progress:
    """Return a progress whose whole is the `share` of `progress` from `first` on, so that one bar fills once."""
    return lambda done, message: progress(min(first + min(done, 1.0) * share, 0.999), message)
