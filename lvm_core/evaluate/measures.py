"""MEASURES: everything that is measured, one line a measure. Evaluation, stored results, the board and its page, the
comparison, every export and every tooltip follow from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lvm_core.device import one_thread
from lvm_core.evaluate.rows import Ends, Gain, Row
from lvm_core.evaluate.said import Texts, surprise_of
from lvm_core.metrics import bootstrap, retrieval, similarity, timing
from lvm_core.metrics.bootstrap import Sums
from lvm_core.metrics.levels import COSINE_MATTERS, SHARE_MATTERS
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import Values, cosine

if TYPE_CHECKING:
    from lvm_core.evaluate.testset import TestSet
    from lvm_core.forecast import Forecast
    from lvm_core.nets.base import SequenceModel

BATCH = 32
"""Queries of the batch whose latency is measured."""

_SCORE_BYTES = 64_000_000


@dataclass(frozen=True)
class Answers:
    """A model's prediction (N, D) of every window of a test, what it searches with, and what several measures read.

    Of a net that predicts a distribution also one `sample` (N, D) of it, and its `spread` (N,).
    """

    predictions: Vectors
    test: "TestSet"
    queries: Vectors
    sample: Vectors | None = None
    spread: Vectors | None = None

    @cached_property
    def ranks(self) -> Values:
        """The rank (N,) of each true next chunk among all chunks of the test but the five before it."""
        return self._ranks(self.queries)

    @cached_property
    def sample_ranks(self) -> Values:
        """The same by one sample; NaN where the model gives none."""
        return np.full(len(self.predictions), np.nan) if self.sample is None else self._ranks(self.sample)

    @property
    def spread_or_nan(self) -> Values:
        """The spread as every measure has it; NaN where the model gives none."""
        spread = np.full(len(self.predictions), np.nan) if self.spread is None else self.spread
        return spread.astype(np.float64)

    def _ranks(self, queries: Vectors) -> Values:
        block = max(1, _SCORE_BYTES // (4 * len(self.test.vectors)))
        return retrieval.target_ranks(queries, self.test.vectors, self.test.targets, self.test.excluded, block)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a row. How it is computed: by window, by decoded text, or elsewhere (speed, size, training).

    Args:
        name: its field in the JSON; the interval is `NAME_ci`.
        heading: what tables call it.
        form: how it is written, as `format` wants it.
        meaning: one sentence, with the unit.
        windows: its value (N,) for each window; NaN where one cannot be measured.
        texts: its value (n,) for each decoded prediction, measured where decoding is asked for.
        lower: whether lower is better.
        share: whether it is a share of 1, shown in per cent.
        paired: whether its sums by article are stored, so that two rows can be compared window by window.
        matters: the least difference between two rows that is called one.
        first: whether tables show it without being asked.
        first_ends: whether they show its interval too.
        of: where it is nested in the row: how value and interval are read.
    """

    name: str
    heading: str
    form: str
    meaning: str
    windows: Callable[[Answers], Values] | None = None
    texts: Callable[[Texts], Values] | None = None
    lower: bool = False
    share: bool = False
    paired: bool = False
    matters: float = 0.0
    first: bool = True
    first_ends: bool = False
    of: Callable[[Row], tuple[float | None, Ends]] | None = None

    @property
    def resampled(self) -> bool:
        """Whether it has an interval."""
        return bool(self.windows or self.texts or self.of)

    def value(self, row: Row) -> float | None:
        """Return its value in a row, None where it was not measured."""
        return self.of(row)[0] if self.of else row.number(self.name)

    def ends(self, row: Row) -> Ends:
        """Return its interval in a row."""
        return self.of(row)[1] if self.of else row.intervals.get(self.name)

    def write(self, value: float | None) -> str:
        """Return a value as text, an em dash for none."""
        if value is None:
            return "—"
        return f"{100 * value:{self.form}} %" if self.share else f"{value:{self.form}}"

    def write_difference(self, value: float, signed: bool = False) -> str:
        """Return the difference of two values as text: of two shares in points of a hundred."""
        form = f"{'+' if signed else ''}{self.form.lstrip('+')}"
        return f"{100 * value:{form}} points" if self.share else f"{value:{form}}"

    def write_ends(self, ends: Ends) -> str:
        """Return an interval as text, empty for none."""
        return f"[{self.write(ends[0])}, {self.write(ends[1])}]" if ends else ""

    def written(self, row: Row) -> str:
        """Return its value in a row with the interval, where it has one."""
        return f"{self.write(self.value(row))} {self.write_ends(self.ends(row))}".strip()


def _snapped(row: Row) -> tuple[float | None, Ends]:
    snapped = row.snapped or {}
    return snapped.get("cosine"), snapped.get("cosine_ci")


def _against_filter(row: Row) -> tuple[float | None, Ends]:
    return (row.vs_filter.cosine, row.vs_filter.ci) if row.vs_filter else (None, None)


def _contrast(answers: Answers) -> Values:
    rows = answers.test.corpus_rows[answers.test.targets]
    return retrieval.contrastive_accuracy(answers.predictions, answers.test.truths, rows)


def _of_samples(values: Values, answers: Answers) -> Values:
    """Return values of samples; NaN where the model gives none."""
    return np.where(np.isfinite(answers.sample_ranks), values, np.nan)


def _direction(answers: Answers) -> Values:
    behind, measurable = answers.test.behind
    return similarity.nearer(answers.predictions, answers.test.truths, answers.test.vectors[behind], measurable)


def _against_matched(answers: Answers) -> Values:
    test = answers.test
    return similarity.nearer_than_rivals(answers.predictions, test.truths, test.vectors, test.rivals)


# fmt: off
MEASURES: dict[str, Measure] = {measure.name: measure for measure in (
    Measure("cosine", "cosine", ".4f", "Mean cosine of the prediction to the true next chunk, -1 to 1",
            lambda a: cosine(a.predictions, a.test.truths), paired=True, matters=COSINE_MATTERS,
            first_ends=True),
    Measure("vs_filter", "vs filter", "+.4f", "Cosine less that of the linear filter of the same context, on the same"
            " windows; an interval above zero: the model is better, surely", of=_against_filter, matters=COSINE_MATTERS,
            first_ends=True),
    Measure("recall_at_1", "R@1", ".1f", "Share of windows whose true chunk is the nearest of all test chunks",
            lambda a: retrieval.recall_at(a.ranks, 1), share=True, paired=True,
            matters=SHARE_MATTERS),
    Measure("recall_at_5", "R@5", ".1f", "Share of windows whose true chunk is among the nearest five",
            lambda a: retrieval.recall_at(a.ranks, 5), share=True, paired=True,
            matters=SHARE_MATTERS),
    Measure("recall_at_10", "R@10", ".1f", "Share of windows whose true chunk is among the nearest ten",
            lambda a: retrieval.recall_at(a.ranks, 10), share=True, paired=True,
            matters=SHARE_MATTERS),
    Measure("mrr", "MRR", ".3f", "Mean of 1 / rank of the true chunk, 0 to 1",
            lambda a: retrieval.reciprocal_rank(a.ranks), paired=True, matters=SHARE_MATTERS),
    Measure("sample_recall_at_5", "sample R@5", ".1f", "R@5 of one sample of a net that predicts a distribution, whose"
            " prediction is the mean of several", lambda a: _of_samples(retrieval.recall_at(a.sample_ranks, 5), a),
            share=True, first=False),
    Measure("spread", "spread", ".3f", "One less the mean cosine of such a net's samples to their mean",
            lambda a: a.spread_or_nan, first=False),
    Measure("contrastive_accuracy", "contrastive", ".1f", "Chunks of a batch farther than the truth; chance 50 %",
            _contrast, share=True),
    Measure("direction", "direction", ".1f", "Nearer to the next chunk than to the one before the context; chance 50 %",
            _direction, share=True),
    Measure("direction_matched", "vs matched", ".1f", "Nearer than chunks as far from the context; chance 50 %",
            _against_matched, share=True, first=False),
    Measure("mse", "MSE", ".5f", "Mean squared error a component, on unit vectors",
            lambda a: similarity.squared_error(a.predictions, a.test.truths), lower=True, first=False),
    Measure("latency_ms", "ms", ".3f", "Median milliseconds of one query on one thread of this machine", lower=True),
    Measure("latency_p95_ms", "ms 95 %", ".3f", "Milliseconds that 95 of 100 single queries stay under",
            lower=True, first=False),
    Measure("batch_latency_ms", "batch ms", ".3f", "Median milliseconds of a batch of 32 queries",
            lower=True, first=False),
    Measure("batch_speedup", "batch ×", ".1f", "How many times faster a query is in a batch of 32", first=False),
    Measure("parameters", "parameters", ",", "Numbers that were trained or fitted", lower=True),
    Measure("memory_mb", "MB", ".1f", "Megabytes of weights", lower=True, first=False),
    Measure("efficiency", "efficiency", ",.0f", "Cosine / milliseconds × 1000, as in the seeds"),
    Measure("train_s", "train s", ",.0f", "Seconds of training", lower=True, first=False),
    Measure("round_trip_cosine", "round trip", ".3f", "Decoded and encoded again: cosine to the prediction",
            texts=lambda t: cosine(t.encoded, t.predictions), first=False),
    Measure("echo", "text to truth", ".3f", "Decoded and encoded again: cosine to the true next chunk",
            texts=lambda t: cosine(t.encoded, t.targets), first=False),
    Measure("rouge_1", "ROUGE-1", ".3f", "Common words with the true next chunk, F1",
            texts=lambda t: t.overlap["rouge_1"], first=False),
    Measure("rouge_2", "ROUGE-2", ".3f", "Common pairs of words, F1",
            texts=lambda t: t.overlap["rouge_2"], first=False),
    Measure("rouge_l", "ROUGE-L", ".3f", "Longest common subsequence, F1",
            texts=lambda t: t.overlap["rouge_l"], first=False),
    Measure("bleu", "BLEU", ".3f", "Sentence BLEU, 0 to 1", texts=lambda t: t.overlap["bleu"], first=False),
    Measure("surprise", "surprise", ".2f", "How surprising the text is to SmolLM2, in nats a token: log perplexity",
            texts=lambda t: t.surprise, lower=True, first=False),
    Measure("surprise_over_truth", "over truth", "+.2f", "The same less that of the true next chunk, in nats a token",
            texts=lambda t: t.surprise - surprise_of(t.truths), lower=True, first=False),
    Measure("name_precision", "names right", ".1f", "Capitalised names of the text that the true next chunk has too",
            texts=lambda t: t.facts["name_precision"], share=True, first=False),
    Measure("name_recall", "names found", ".1f", "Capitalised names of the true next chunk that the text has too",
            texts=lambda t: t.facts["name_recall"], share=True, first=False),
    Measure("number_precision", "numbers right", ".1f", "Numbers of the text that the true next chunk has too",
            texts=lambda t: t.facts["number_precision"], share=True, first=False),
    Measure("number_recall", "numbers found", ".1f", "Numbers of the true next chunk that the text has too",
            texts=lambda t: t.facts["number_recall"], share=True, first=False),
    Measure("snapped_cosine", "snapped", ".4f", "Cosine to the true next chunk after the full snap, strength 1",
            of=_snapped, first=False),
)}
# fmt: on


def first_measures() -> list[Measure]:
    """Return the measures that tables show without being asked."""
    return [measure for measure in MEASURES.values() if measure.first]


def lower_is_better(name: str) -> bool:
    """Return whether a row is better the lower its number `name` is."""
    return name in MEASURES and MEASURES[name].lower


def window_measures(predictions: Vectors, test: "TestSet", said: "Forecast | None" = None) -> dict[str, Values]:
    """Return every measure (N,) of predictions (N, D), by name; NaN where a window cannot be measured.

    Where the whole of what a model `said` is given, ranks are those of its queries, and its samples are measured too.
    """
    answers = Answers(predictions, test, predictions)
    if said is not None:
        answers = Answers(predictions, test, said.queries, said.sample, said.spread)
    return {name: measure.windows(answers) for name, measure in MEASURES.items() if measure.windows}


def sums_by_article(measures: Mapping[str, Values], test: "TestSet") -> dict[str, Sums]:
    """Return the sums of each measure by article."""
    n_articles = len(test.documents)
    return {name: bootstrap.article_sums(values, test.article, n_articles) for name, values in measures.items()}


def text_sums(texts: Texts, article: Any) -> dict[str, Sums]:
    """Return the sums of each measure of decoded texts by the article (n,) they belong to."""
    every = {name: measure.texts(texts) for name, measure in MEASURES.items() if measure.texts}
    return {name: bootstrap.article_sums(values, article) for name, values in every.items()}


def means(sums: Mapping[str, Sums]) -> tuple[dict[str, float | None], dict[str, Ends]]:
    """Return the mean over windows of each measure, and its 95 % interval over articles."""
    intervals = {name: bootstrap.interval(one) for name, one in sums.items()}
    values = {name: None if np.isnan(one.mean) else one.mean for name, one in intervals.items()}
    return values, {name: one.ends for name, one in intervals.items()}


def cosine_sums(predictions: Vectors, test: "TestSet") -> Sums:
    """Return the sums by article of the cosine alone."""
    return bootstrap.article_sums(cosine(predictions, test.truths), test.article, len(test.documents))


def gain(one: Sums, other: Sums, context: int | None = None, fitted_on: str = "") -> Gain:
    """Return the paired difference in cosine `one` - `other` with its interval."""
    difference = bootstrap.paired(one, other)
    return Gain(difference.mean, difference.ends, context, fitted_on)


def speed(model: "SequenceModel", test: "TestSet", context: int) -> dict[str, float]:
    """Return latency of one query and of a batch on one thread (ms), batch speed-up, and memory of the weights (MB)."""
    from lvm_core import forecast

    windows = test.windows(context)
    longest = int(windows.lengths.max())
    lines = np.resize(np.flatnonzero(windows.lengths == longest), BATCH)
    batch = test.vectors[windows.contexts[lines, :longest]]
    with one_thread():  # one query is too small to share, and other work on the machine would be measured
        one = timing.latency(lambda: forecast.after(model, batch[:1]), n_calls=60, budget_s=0.3)
        many = timing.latency(lambda: forecast.after(model, batch), n_calls=20, n_warm=2, budget_s=0.3)
    tensors = [*model.parameters(), *model.buffers()]
    return {
        "latency_ms": one.median_ms,
        "latency_p95_ms": one.p95_ms,
        "batch_latency_ms": many.median_ms,
        "batch_size": BATCH,
        "batch_speedup": timing.batch_speedup(one.median_ms, many.median_ms, BATCH),
        "memory_mb": sum(t.numel() * t.element_size() for t in tensors) / 1e6,
    }
