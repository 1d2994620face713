"""The ladder from a quick text to a real one: 1 step, 3, 5, then the nearest real chunk.

Source: the production pipeline this studio grew from, "Adaptive Decode with Quality Checks".
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lvm_core.config import check, setting
from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.quality import Quality, measure
from lvm_core.errors import SettingsError
from lvm_core.types import Attempt, Decoded, Decoder, Vectors
from lvm_core.vectors.checks import check_steps

Fallback = Callable[[int], Decoded | None]
"""Place in the batch to the extractive answer for it, None where there is no corpus."""


@dataclass(frozen=True, slots=True)
class AdaptiveSettings:
    """When a text passes, and how often another is tried."""

    max_repeated_bigrams: float = setting(0.25, "largest share of repeated word pairs that passes", "share", 0, 1)
    min_entropy: float = setting(2.8, "smallest word entropy that passes", "bits", 0, 20)
    need_keyword: bool = setting(True, "whether a text must share a keyword with its context")
    ladder: tuple[int, ...] = setting((1, 3, 5), "steps tried in turn before the nearest real chunk", "steps")


@dataclass(slots=True)
class AdaptiveResult:
    """The text that was taken, everything that was tried, and the text after each step of the last run."""

    decoded: Decoded
    attempts: list[Attempt]
    hypotheses: list[Decoded] = field(default_factory=list)
    ms: float = 0.0
    cached: bool = False


def judge(quality: Quality, settings: AdaptiveSettings) -> str:
    """Return why a text of this quality is rejected, "" if it passes."""
    reasons = []
    if quality.repeated_bigrams > settings.max_repeated_bigrams:
        reasons.append(
            f"repeats itself: {quality.repeated_bigrams:.0%} of its word pairs occur before,"
            f" {settings.max_repeated_bigrams:.0%} are allowed"
        )
    if quality.entropy < settings.min_entropy:
        reasons.append(f"says little: word entropy {quality.entropy:.2f} bits, {settings.min_entropy:g} are needed")
    if settings.need_keyword and quality.keyword is None:
        reasons.append("off the topic: no keyword shared with the context")
    return "; ".join(reasons)


def attempt(decoded: Decoded, context: Sequence[str], settings: AdaptiveSettings, ms: float = 0.0) -> Attempt:
    """Return `decoded` with its measures and whether it passes."""
    quality = measure(decoded.text, context)
    reason = judge(quality, settings)
    return Attempt(
        decoded.steps,
        decoded.text,
        decoded.method,
        quality.repeated_bigrams,
        quality.entropy,
        quality.keyword,
        accepted=not reason,
        reason=reason,
        round_trip_cosine=decoded.round_trip_cosine,
        ms=ms,
    )


def decode_hypotheses(
    decoder: Decoder, vectors: Vectors, steps: int, cache: DecodeCache | None = None
) -> list[tuple[list[Decoded], bool]]:
    """Return for each of the (N, D) vectors its texts after 0 .. `steps` steps, and whether the cache had them."""
    check_steps(steps)
    runs = [cache.get(decoder.id, steps, vector) if cache is not None else None for vector in vectors]
    missing = [i for i, texts in enumerate(runs) if texts is None]
    if missing:
        for i, texts in zip(missing, decoder.decode_all(vectors[missing], steps), strict=True):
            runs[i] = texts
            if cache is not None:
                cache.put(decoder.id, steps, vectors[i], texts)
    return [(texts or [], i not in missing) for i, texts in enumerate(runs)]


def at_step(texts: Sequence[Decoded], steps: int) -> Decoded:
    """Return the text of `texts` (one run, in order) that stood after `steps` steps."""
    reached = [text for text in texts if text.steps <= steps]
    return replace(reached[-1] if reached else texts[0], steps=steps)


def adaptive_decode(
    vectors: Vectors,
    contexts: Sequence[Sequence[str]],
    decoder: Decoder | None,
    fallback: Fallback,
    settings: AdaptiveSettings | None = None,
    cache: DecodeCache | None = None,
) -> Iterator[tuple[int, AdaptiveResult]]:
    """Yield (place in the batch, result) as soon as each of the (N, D) vectors has a text that passes.

    All vectors climb the ladder together: those that pass leave it, the others go on in one batch. Where the
    nearest real chunk is taken it comes as it is, with its measures beside it.

    Args:
        vectors: (N, D) what is to be said.
        contexts: the chunks before each of them.
        decoder: None where only real chunks can be given.
        fallback: the nearest real chunk of a place.
        settings: thresholds and ladder.
        cache: where earlier texts are kept.

    Raises:
        SettingsError: for thresholds or steps out of bounds.
    """
    numbers = check_ladder(check(settings or AdaptiveSettings()))
    results = [AdaptiveResult(Decoded("", "none", 0, 0.0), []) for _ in range(len(vectors))]
    waiting = list(range(len(vectors)))
    for steps in numbers.ladder:
        if not waiting:
            return
        if decoder is None:
            break
        accepted = _rung(decoder, vectors, contexts, waiting, steps, numbers, cache, results)
        waiting = [i for i in waiting if i not in accepted]
        yield from ((i, results[i]) for i in sorted(accepted))
    for i in waiting:
        _fall_back(results[i], fallback, i, contexts[i], numbers)
        yield i, results[i]


def check_ladder(settings: AdaptiveSettings) -> AdaptiveSettings:
    """Return `settings`; the ladder must climb.

    Raises:
        SettingsError: if it is empty, does not climb, or has steps out of bounds.
    """
    for steps in settings.ladder:
        check_steps(steps)
    if not settings.ladder or list(settings.ladder) != sorted(set(settings.ladder)):
        raise SettingsError([f"ladder is {settings.ladder}; expected rising numbers of steps, such as 1, 3, 5."])
    return settings


def _rung(
    decoder: Decoder,
    vectors: Vectors,
    contexts: Sequence[Sequence[str]],
    waiting: Sequence[int],
    steps: int,
    settings: AdaptiveSettings,
    cache: DecodeCache | None,
    results: list[AdaptiveResult],
) -> set[int]:
    begun = time.perf_counter()
    chosen = np.asarray(waiting)
    runs = decode_hypotheses(decoder, vectors[chosen], steps, cache)
    ms = (time.perf_counter() - begun) * 1000
    accepted = set()
    for i, (texts, cached) in zip(waiting, runs, strict=True):
        result = results[i]
        tried = attempt(at_step(texts, steps), contexts[i], settings, ms)
        result.attempts.append(tried)
        result.hypotheses, result.cached, result.ms = texts, cached, result.ms + ms
        if tried.accepted:
            result.decoded = at_step(texts, steps)
            accepted.add(i)
    return accepted


def _fall_back(
    result: AdaptiveResult, fallback: Fallback, place: int, context: Sequence[str], settings: AdaptiveSettings
) -> None:
    begun = time.perf_counter()
    found = fallback(place)
    if found is None:
        _best_of_rejected(result)
        return
    ms = (time.perf_counter() - begun) * 1000
    last = replace(attempt(found, context, settings, ms), accepted=True)
    reason = f"taken as the last resort, although: {last.reason}" if last.reason else ""
    result.attempts.append(replace(last, reason=reason))
    result.decoded, result.ms = found, result.ms + ms


def _best_of_rejected(result: AdaptiveResult) -> None:
    """Without a corpus there is no real chunk: the rejected text nearest to the vector is shown, and stays rejected."""
    if result.attempts:
        best = max(result.attempts, key=lambda tried: (tried.round_trip_cosine or -1.0, tried.steps))
        result.decoded = Decoded(best.text, best.method, best.steps, best.round_trip_cosine or 0.0)
