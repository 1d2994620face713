"""Which models a page shows where nobody has chosen any: the best shipped net of short memory, and its rule."""

from collections.abc import Sequence
from typing import Protocol

from lvm_core.leaderboard.board import shipped_board

SHORT = 5
"""Chunks of context: what a page offers boxes for at first."""


class Listed(Protocol):
    """What is asked of a model in a list: a `ModelInfo`, or what a service says of one."""

    @property
    def ref(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def context(self) -> int: ...

    @property
    def shipped(self) -> bool: ...

    @property
    def validation_cosine(self) -> float: ...


def first_models(infos: Sequence[Listed]) -> list[str]:
    """Return what a page shows of `infos` at first: the best shipped net of short memory, and the rule it has to beat.

    The best by its gain over the filter of its own articles on the tests of the shipped board. Cosines on validation
    articles decide between nets only where no test does: they are of the corpus that each was trained on. The rule is
    the linear filter of the shortest memory.
    """
    shipped = [info for info in infos if info.shipped]
    nets = [info for info in shipped if info.kind == "net"]
    short = [info for info in nets if info.context <= SHORT] or nets
    gains = _gains()
    nothing = (0, 0.0)
    best = max(short, key=lambda info: (*gains.get(info.ref, nothing), info.validation_cosine), default=None)
    filters = sorted((info for info in shipped if info.name == "linear-filter"), key=lambda info: info.context)
    return [*([best.ref] if best else []), filters[0].ref if filters else "context-mean"]


def _gains() -> dict[str, tuple[int, float]]:
    """Return on how many shipped tests each model was measured, and its mean gain over its filter, each test once.

    More tests count first: a mean over other tests is another number.
    """
    gains: dict[str, list[float]] = {}
    for row in shipped_board().rows:
        if row.vs_filter is not None:
            gains.setdefault(row.model, []).append(row.vs_filter.cosine)
    return {model: (len(each), sum(each) / len(each)) for model, each in gains.items()}
