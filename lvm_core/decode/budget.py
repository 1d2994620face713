"""Texts within a time: steps are taken one after the other for as long as the next one is expected to fit.

What a step costs is measured on this machine, decoder by decoder, and remembered while the process lives. A budget is
thus overrun by the surprise of one step at most.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lvm_core.decode.adaptive import decode_hypotheses
from lvm_core.decode.cache import DecodeCache
from lvm_core.types import Decoded, Decoder, Vectors
from lvm_core.vectors.checks import MAX_STEPS

NEAR_ENOUGH = 0.97
"""Round-trip cosine from which on more steps change no more than a word in twenty."""

NEW_SHARE = 0.5
"""Weight of the newest measurement in what a step is said to cost."""


class StepCosts:
    """Milliseconds a vector of each step, by decoder: the first step writes, those after it correct."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[tuple[str, int], float] = {}
        self._lock = threading.Lock()

    def expected(self, decoder_id: str, step: int) -> float:
        """Return what `step` will cost a vector, in ms; 0 where it was never measured."""
        with self._lock:
            return self._known.get((decoder_id, min(step, 2)), 0.0)

    def note(self, decoder_id: str, step: int, ms: float) -> None:
        """Remember what `step` cost a vector."""
        key = (decoder_id, min(step, 2))
        with self._lock:
            before = self._known.get(key, ms)
            self._known[key] = before + NEW_SHARE * (ms - before)


COSTS = StepCosts()


@dataclass(frozen=True, slots=True)
class Reached:
    """The texts of one vector after each of `steps` steps, whether the cache had them, and what they cost it in ms."""

    texts: list[Decoded]
    steps: int
    cached: bool
    ms: float


def within(
    decoder: Decoder,
    vectors: Vectors,
    budget_ms: float,
    cache: DecodeCache | None = None,
    costs: StepCosts = COSTS,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[dict[int, Reached]]:
    """Yield what each of the (N, D) vectors has reached, after every step that `budget_ms` has room for.

    Vectors that are decoded together share their time: the budget is that of one text. The first hypothesis comes
    whatever it costs. A vector whose text is `NEAR_ENOUGH` takes no more.

    Args:
        decoder: writes; steps of one vector must go on where earlier ones ended, or be paid again.
        vectors: (N, D).
        budget_ms: for a text.
        cache: has texts that cost nothing.
        costs: what steps cost so far.
        clock: seconds.
    """
    left, spent = list(range(len(vectors))), 0.0
    first = 0 if costs.expected(decoder.id, 1) > budget_ms else 1
    for step in range(first, MAX_STEPS + 1):
        if not left or (step > first and spent + costs.expected(decoder.id, step) > budget_ms):
            return
        begun = clock()
        runs = decode_hypotheses(decoder, vectors[left], step, cache)
        ms = (clock() - begun) * 1000 / len(left)
        spent += ms
        if not any(cached for _, cached in runs):
            costs.note(decoder.id, step, ms)
        yield {row: Reached(texts, step, cached, ms) for row, (texts, cached) in zip(left, runs, strict=True)}
        left = [row for row, (texts, _) in zip(left, runs, strict=True) if _may_improve(texts)]
        if first == 0:
            return


def _may_improve(texts: list[Decoded]) -> bool:
    return texts[-1].round_trip_cosine < NEAR_ENOUGH


def last_of(decoder: Decoder, vectors: Vectors, budget_ms: float, cache: DecodeCache | None = None) -> list[Decoded]:
    """Return the best text of each of the (N, D) vectors within `budget_ms` a text."""
    found: dict[int, Reached] = {}
    for reached in within(decoder, vectors, budget_ms, cache):
        found |= reached
    return [found[row].texts[-1] for row in range(len(vectors))]
