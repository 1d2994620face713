"""From where on a difference is one: below it two values are level, whatever their order."""

from collections.abc import Mapping, Sequence

COSINE_MATTERS = 0.0005
"""A fifth of the least gain over its filter for which a shipped net is kept (.0027), and thousands of times what
rounding moves; below it a difference is sure at most, not worth a word."""

SHARE_MATTERS = 0.001
"""One window in a thousand."""


def leaders(values: Mapping[str, float], matters: float = COSINE_MATTERS) -> list[str]:
    """Return the names of the best of `values` and of those that are level with it, the best first."""
    order = sorted(values, key=lambda name: -values[name])
    return [name for name in order if values[order[0]] - values[name] < matters]


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
