"""What a decoded text must pass, and what is remembered of each that was tried."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from lvm_core.config import check, setting
from lvm_core.decode.quality import measure
from lvm_core.errors import SettingsError
from lvm_core.types import Decoded, Vectors
from lvm_core.vectors.checks import check_steps
from lvm_core.vectors.geometry import unit_rows

Check = Literal["repeats", "entropy", "topic", "keyword"]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is held against: the mean (D,) of a context, unit norm, and the encoder of that space."""

    encode: Callable[[Sequence[str]], Vectors]
    mean: Vectors


@dataclass(frozen=True, slots=True)
class AdaptiveSettings:
    """When a text passes, how often another is tried, and which of them is shown."""

    max_repeated_bigrams: float = setting(0.25, "largest share of repeated word pairs that passes", "share", 0, 1)
    min_entropy: float = setting(2.25, "smallest word entropy that passes", "bits", 0, 20)
    min_topic_cosine: float = setting(
        0.25, "smallest cosine of a text to its context that passes, by the encoder; -1: no such check", "cosine", -1, 1
    )
    need_keyword: bool = setting(False, "whether a text must share a keyword with its context")
    keep_best: bool = setting(
        True, "show the best of all attempts; off: the first that passes, else the nearest real chunk"
    )
    ladder: tuple[int, ...] = setting((1, 3, 5), "steps tried in turn before the nearest real chunk", "steps")


PRESETS: dict[str, AdaptiveSettings] = {
    "studio": AdaptiveSettings(),
    "seeds": AdaptiveSettings(min_entropy=2.8, min_topic_cosine=-1.0, need_keyword=True, keep_best=False),
}
"""`seeds`: the ladder as the production pipeline had it. `studio`: the checks choose between texts, none is lost.

0.25 lets 95 % of the true next chunks of Wikipedia articles pass, and 12 % of chunks of other articles. 2.25 bits are
five different words: 99.6 % of real chunks have them; at 2.8 one first text in four was written again, at seconds each,
good short sentences among them.
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that a text did not pass, and why, for people."""

    check: Check
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The measures of one text and the checks it failed. `topic_cosine` is None where no encoder was asked."""

    repeated_bigrams: float
    entropy: float
    keyword: str | None
    topic_cosine: float | None
    failures: tuple[Failure, ...] = ()

    def fails(self, check: Check) -> bool:
        """Return whether the text did not pass `check`."""
        return any(failure.check == check for failure in self.failures)

    @property
    def reason(self) -> str:
        """Why the text is rejected, "" if it passes."""
        return "; ".join(failure.reason for failure in self.failures)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One text that was tried, its verdict, and the milliseconds it cost, a share where a batch was decoded.

    `last_resort`: taken although it may fail, because nothing else was left.
    """

    decoded: Decoded
    verdict: Verdict
    ms: float = 0.0
    last_resort: bool = False

    @property
    def accepted(self) -> bool:
        """Whether it could be shown as it is."""
        return self.last_resort or not self.verdict.failures

    @property
    def reason(self) -> str:
        """Why it was rejected, or what is odd about it although it was taken; "" if nothing."""
        if self.last_resort and self.verdict.failures:
            return f"taken as the last resort, although: {self.verdict.reason}"
        return self.verdict.reason


class Checks:
    """The checks of the texts after one context."""

    def __init__(self, settings: AdaptiveSettings, context: Sequence[str], topic: Topic | None = None) -> None:
        """Check against the chunks of `context`; without `topic` the encoder is not asked.

        Raises:
            SettingsError: for thresholds or steps out of bounds.
        """
        self.settings = check_ladder(check(settings))
        self._context, self._topic = list(context), topic

    @property
    def topic(self) -> Topic | None:
        """What texts are held against; None where the encoder is not asked."""
        return self._topic if self.settings.min_topic_cosine > -1 else None

    def attempts(self, texts: Sequence[Decoded], ms: float = 0.0) -> list[Attempt]:
        """Return each of `texts` with its verdict; `ms` is what one of them cost."""
        return judge([self] * len(texts), texts, ms)

    def verdict(self, text: str, topic_cosine: float | None) -> Verdict:
        """Return the measures of a text, whose cosine to the context is known or not asked for."""
        quality, limits = measure(text, self._context), self.settings
        failures = []
        if quality.repeated_bigrams > limits.max_repeated_bigrams:
            failures.append(Failure("repeats", (
                f"repeats itself: {quality.repeated_bigrams:.0%} of its word pairs occur before,"
                f" {limits.max_repeated_bigrams:.0%} are allowed"
            )))  # fmt: skip
        if quality.entropy < limits.min_entropy:
            reason = f"says little: word entropy {quality.entropy:.2f} bits, {limits.min_entropy:g} are needed"
            failures.append(Failure("entropy", reason))
        if topic_cosine is not None and topic_cosine < limits.min_topic_cosine:
            reason = (
                f"off the topic: cosine {topic_cosine:.2f} to the context, {limits.min_topic_cosine:.2f} are needed"
            )
            failures.append(Failure("topic", reason))
        if limits.need_keyword and quality.keyword is None:
            failures.append(Failure("keyword", "off the topic: no keyword shared with the context"))
        return Verdict(quality.repeated_bigrams, quality.entropy, quality.keyword, topic_cosine, tuple(failures))


def judge(checks: Sequence[Checks], texts: Sequence[Decoded], ms: float = 0.0) -> list[Attempt]:
    """Return each of `texts` with the verdict of its own checks; all are encoded in one call.

    Args:
        checks: one a text.
        texts: what was written.
        ms: what one of them cost.
    """
    cosines: list[float | None] = [None] * len(texts)
    by_encoder: dict[Callable[[Sequence[str]], Vectors], list[tuple[int, Topic]]] = {}
    for i, one in enumerate(checks):
        if one.topic is not None:
            by_encoder.setdefault(one.topic.encode, []).append((i, one.topic))
    for encode, asked in by_encoder.items():
        vectors = unit_rows(encode([texts[i].text or " " for i, _ in asked]))
        for (i, topic), vector in zip(asked, vectors, strict=True):
            cosines[i] = float(vector @ topic.mean)
    return [
        Attempt(decoded, one.verdict(decoded.text, cosine), ms)
        for one, decoded, cosine in zip(checks, texts, cosines, strict=True)
    ]


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
