"""The ladder under a budget: a text improves in place while time is left, and is judged as on every ladder."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lvm_core.decode.adaptive import Decoding, Saying, Wanted, best, everybody, fall_back
from lvm_core.decode.budget import COSTS, Reached, StepCosts, within
from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.checks import Attempt, judge
from lvm_core.types import Decoder


def improve(
    decoder: Decoder,
    sayings: Sequence[Saying],
    budget_ms: float,
    cache: DecodeCache | None = None,
    watch: bool = False,
    wanted: Wanted = everybody,
    costs: StepCosts = COSTS,
) -> Iterator[tuple[int, Decoding]]:
    """Yield (row, decoding) of each of `sayings` when its `budget_ms` is spent, or it can hardly become better.

    The best of all steps is shown; where none of them passes its checks, the nearest real chunk stands beside them.

    Args:
        decoder: writes the texts.
        sayings: what is to be said; each is checked by itself.
        budget_ms: for a text; texts that are written together share their time.
        cache: has texts that cost nothing.
        watch: also yield the best so far after each step.
        wanted: rows that nobody waits for come out without a text.
        costs: what steps cost so far.
    """
    rows = [row for row in range(len(sayings)) if wanted(row)]
    found = {row: Decoding() for row in rows}
    vectors = np.stack([sayings[row].vector for row in rows]) if rows else np.empty((0, 0), dtype=np.float32)
    for reached in within(decoder, vectors, budget_ms, cache, costs) if rows else ():
        at = {rows[i]: one for i, one in reached.items()}
        attempts = judge([sayings[row].checks for row in at], [one.texts[-1] for one in at.values()])
        for (row, one), attempt in zip(at.items(), attempts, strict=True):
            found[row] = _further(found[row], one, attempt, len(at))
            if watch:
                yield row, found[row]
        if not all(wanted(row) for row in rows):
            break
    failed = {row: decoding for row, decoding in found.items() if not any(a.accepted for a in decoding.attempts)}
    for row, decoding in found.items():
        if row not in failed:
            yield row, replace(decoding, done=True)
    yield from fall_back(failed, sayings)


def _further(before: Decoding, reached: Reached, attempt: Attempt, together: int) -> Decoding:
    same = any(one.decoded.text == attempt.decoded.text for one in before.attempts)
    attempts = before.attempts if same else (*before.attempts, replace(attempt, ms=reached.ms))
    return Decoding(
        best(attempts).decoded,
        attempts,
        tuple(reached.texts),
        before.ms + reached.ms,
        max(before.batch, 1 if reached.cached else together),
        before.cached and reached.cached,
    )
