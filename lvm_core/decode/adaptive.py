"""The ladder from a quick text to a better one: 1 step, 3, 5, then the nearest real chunk.

Source: the production pipeline this studio grew from, "Adaptive Decode with Quality Checks". There the first text
that passes is shown, and else the nearest real chunk (preset `seeds`); by default what is shown is the best of all
that was tried, because a replacement that fares worse helps nobody.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.checks import Attempt, Checks, judge
from lvm_core.decode.extractive import METHOD as EXTRACTIVE
from lvm_core.decode.extractive import real_chunks
from lvm_core.types import Decoded, Decoder, Vectors
from lvm_core.vectors.checks import check_steps

BLOCK = 8
"""Vectors decoded together: the texts of the first come while the others wait."""

FLUENCY = 0.06
"""Cosine that a nat a token of log-probability is worth, as in the inverter's own search."""

NOTHING = Decoded("", "none", 0, 0.0)


@dataclass(frozen=True, slots=True)
class Decoding:
    """How one vector became text.

    Attributes:
        decoded: the text that is shown.
        attempts: every text that was judged, in order.
        hypotheses: the text after each step of the last run.
        ms: what it cost; of a batch the vector's share.
        batch: the largest number of vectors that were decoded together with it.
        cached: whether every text of it came from the cache.
        done: False where a better text may still come.
    """

    decoded: Decoded = NOTHING
    attempts: tuple[Attempt, ...] = ()
    hypotheses: tuple[Decoded, ...] = ()
    ms: float = 0.0
    batch: int = 1
    cached: bool = True
    done: bool = False

    @property
    def shown(self) -> Attempt | None:
        """The attempt whose text is shown."""
        texts = (self.decoded.text, self.decoded.method)
        same = [a for a in self.attempts if (a.decoded.text, a.decoded.method) == texts]
        return next((a for a in same if a.accepted), same[-1] if same else None)


@dataclass(frozen=True, slots=True)
class Saying:
    """A vector (D,) to be said: what its text must pass, and what gives the nearest real chunk (None: no corpus)."""

    vector: Vectors
    checks: Checks
    nearest: Decoder | None = None


Wanted = Callable[[int], bool]
"""Whether somebody still waits for the text of a row."""


def everybody(row: int) -> bool:  # noqa: ARG001 - a `Wanted`
    """Return that somebody waits; the default where nobody leaves."""
    return True


class Ladder:
    """Turns vectors into texts that pass the checks, those that pass first as soon as they do."""

    def __init__(self, steps: Sequence[int], decoder: Decoder | None, cache: DecodeCache | None = None) -> None:
        """Climb with `decoder` (None: real chunks only), from one of `steps` to the next, then to real chunks."""
        self._steps, self._decoder, self._cache = tuple(steps), decoder, cache

    def climb(
        self, sayings: Sequence[Saying], watch: bool = False, wanted: Wanted = everybody
    ) -> Iterator[tuple[int, Decoding]]:
        """Yield (row, decoding) as soon as each of `sayings` has a text that passes, or nothing is left.

        All vectors climb together: those that pass leave the ladder, the others go on in one batch.

        Args:
            sayings: what is to be said; each is checked by itself.
            watch: also yield what is not done yet: the first hypothesis of each vector at once, then its best so far.
            wanted: rows that nobody waits for leave the ladder without a text.
        """
        climbing = {row: Decoding(cached=self._decoder is not None) for row in range(len(sayings))}
        decoder = self._decoder
        for steps in (*((0,) if watch else ()), *self._steps) if decoder is not None else ():
            for block in _blocks(list(climbing)):
                rows = [row for row in block if wanted(row)]
                for row in set(block) - set(rows):
                    del climbing[row]
                for row, decoding in self._rung(decoder, climbing, rows, sayings, steps) if decoder and rows else ():
                    climbing[row] = decoding
                    if decoding.done:
                        del climbing[row]
                    if decoding.done or watch:
                        yield row, decoding
        yield from fall_back(climbing, sayings)

    def _rung(
        self, decoder: Decoder, climbing: dict[int, Decoding], rows: list[int], sayings: Sequence[Saying], steps: int
    ) -> Iterator[tuple[int, Decoding]]:
        begun = time.perf_counter()
        runs = decode_hypotheses(decoder, np.stack([sayings[row].vector for row in rows]), steps, self._cache)
        share = (time.perf_counter() - begun) * 1000 / len(rows)
        tried = judge([sayings[row].checks for row in rows], [at_step(texts, steps) for texts, _ in runs], share)
        for row, (texts, cached), attempt in zip(rows, runs, tried, strict=True):
            before = climbing[row]
            preview = steps not in self._steps
            attempts = before.attempts
            if not preview:
                attempts = (*attempts, *_on_the_way(sayings[row].checks, texts, attempt, attempts), attempt)
            done = any(one.accepted for one in attempts)
            yield (
                row,
                Decoding(
                    attempt.decoded if preview else best(attempts).decoded,
                    attempts,
                    tuple(texts),
                    before.ms + share,
                    max(before.batch, 1 if cached else len(rows)),
                    before.cached and cached,
                    done,
                ),
            )


def _on_the_way(checks: Checks, texts: Sequence[Decoded], attempt: Attempt, before: Sequence[Attempt]) -> list[Attempt]:
    """Return which texts that stood before one that failed pass: they cost nothing, another rung costs seconds."""
    if attempt.accepted or not checks.settings.keep_best:
        return []
    known = {attempt.decoded.text, *(one.decoded.text for one in before)}
    fresh = {text.text: text for text in texts if text.text and text.text not in known}
    return [one for one in checks.attempts(list(fresh.values())) if one.accepted]


def fall_back(climbing: dict[int, Decoding], sayings: Sequence[Saying]) -> Iterator[tuple[int, Decoding]]:
    """Yield (row, decoding) of those that have no text that passes, the nearest real chunk among their attempts."""
    rows = list(climbing)
    if not rows:
        return
    begun = time.perf_counter()
    answers = real_chunks([sayings[row].nearest for row in rows], np.stack([sayings[row].vector for row in rows]))
    share = (time.perf_counter() - begun) * 1000 / len(rows)
    found = [(row, answer) for row, answer in zip(rows, answers, strict=True) if answer is not None]
    judged = judge([sayings[row].checks for row, _ in found], [answer for _, answer in found], share)
    new = {row: attempt for (row, _), attempt in zip(found, judged, strict=True)}
    for row in rows:
        before, keep_best = climbing[row], sayings[row].checks.settings.keep_best
        attempts = before.attempts
        if row in new:
            last_resort = not keep_best or not attempts
            attempts = (*attempts, replace(new[row], last_resort=last_resort))
        yield row, replace(before, decoded=_choose(attempts), attempts=attempts, ms=before.ms + share, done=True)


def _choose(attempts: Sequence[Attempt]) -> Decoded:
    if not attempts:
        return NOTHING
    return attempts[-1].decoded if attempts[-1].last_resort else best(attempts).decoded


def best(attempts: Sequence[Attempt]) -> Attempt:
    """Return the attempt with the fewest failed checks; of equals the one nearest to the vector and most fluent.

    A real chunk takes the place of a written text only where it fails fewer checks.
    """

    def rank(attempt: Attempt) -> tuple[int, bool, float]:
        decoded = attempt.decoded
        worth = decoded.round_trip_cosine + FLUENCY * (decoded.fluency or 0.0)
        return len(attempt.verdict.failures), decoded.method == EXTRACTIVE, -worth

    return min(attempts, key=rank)


def decode_hypotheses(
    decoder: Decoder, vectors: Vectors, steps: int, cache: DecodeCache | None = None
) -> list[tuple[list[Decoded], bool]]:
    """Return for each of the (N, D) vectors its texts after 0 .. `steps` steps, and whether the cache had them."""
    check_steps(steps)
    runs = [cache.get(decoder.id, steps, vector) if cache is not None else None for vector in vectors]
    missing = [row for row, texts in enumerate(runs) if texts is None]
    if missing:
        for row, texts in zip(missing, decoder.decode_all(vectors[missing], steps), strict=True):
            runs[row] = texts
            if cache is not None:
                cache.put(decoder.id, steps, vectors[row], texts)
    return [(texts or [], row not in missing) for row, texts in enumerate(runs)]


def at_step(texts: Sequence[Decoded], steps: int) -> Decoded:
    """Return the text of `texts` (one run, in order) that stood after `steps` steps."""
    reached = [text for text in texts if text.steps <= steps]
    return replace(reached[-1] if reached else texts[0], steps=steps)


def _blocks(rows: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]
