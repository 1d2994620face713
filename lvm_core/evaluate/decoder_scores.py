"""The scores of decoded texts: near the vector, near the true chunk, fluent, and true to its names and numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

import numpy as np

from lvm_core.decode.checks import PRESETS, Checks
from lvm_core.decode.quality import repeated_bigrams, words
from lvm_core.evaluate.cases import Cases
from lvm_core.evaluate.said import surprise_of
from lvm_core.metrics import bootstrap
from lvm_core.metrics.facts import fact_scores
from lvm_core.metrics.text import ROUGE_KEYS, text_scores
from lvm_core.types import Decoded, Encoder
from lvm_core.vectors.geometry import Values, cosine


class DecoderScores(TypedDict):
    """Means over the chunks that have one; each is described in `lvm_core.metrics`, or at the function of its name.

    `to_truth` is the cosine of the text, encoded again, to the true chunk's vector; `perplexity` the median under
    SmolLM2 as published, NaN where it is not installed; `repeats` the share of texts with repeated word pairs.
    """

    round_trip_cosine: float
    to_truth: float
    token_f1: float
    rouge_1: float
    rouge_2: float
    rouge_l: float
    bleu: float
    exact: float
    accepted: float
    repeats: float
    perplexity: float
    name_precision: float
    name_recall: float
    number_precision: float
    number_recall: float


Gains = dict[str, float | list[float] | None]
"""By name, the mean difference to the nearest chunk, and NAME_ci its interval over articles."""


def token_f1(text: str, reference: str) -> float:
    """Return the F1 of the words that two texts share, counted with repeats (Morris et al. 2023, section 5)."""
    ours, theirs = Counter(words(text)), Counter(words(reference))
    shared = sum((ours & theirs).values())
    return 2 * shared / max(sum(ours.values()) + sum(theirs.values()), 1)


def values_of(texts: Sequence[Decoded], cases: Cases, encoder: Encoder) -> dict[str, Values]:
    """Return every score (N,) of texts, by name; NaN where a text has none."""
    truths, said = [chunk.text for chunk in cases.chunks], [d.text for d in texts]
    overlap = text_scores(said, truths)
    checks = [
        Checks(PRESETS["seeds"], [c.text for c in context]).attempts([d])[0]
        for d, context in zip(texts, cases.contexts, strict=True)
    ]
    pairs = list(zip(said, truths, strict=True))
    values = {
        "round_trip_cosine": [d.round_trip_cosine for d in texts],
        "to_truth": cosine(encoder.encode([one or " " for one in said]), cases.vectors),
        "token_f1": [token_f1(a, b) for a, b in pairs],
        **{key: [scores[key] for scores in overlap] for key in (*ROUGE_KEYS, "bleu")},
        "exact": [float(a.strip() == b.strip()) for a, b in pairs],
        "accepted": [float(check.accepted) for check in checks],
        "repeats": [float(repeated_bigrams(one) > 0) for one in said],
        "perplexity": surprise_of(said),
        **fact_scores(said, truths),
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}


def perplexity(surprise: Values) -> float:
    """Return the median perplexity of texts of which the surprise (N,) in nats a token is known; NaN for none."""
    known = surprise[np.isfinite(surprise)]
    return round(float(np.exp(np.median(known))), 2) if len(known) else float("nan")


def means_of(values: Mapping[str, Values]) -> DecoderScores:
    """Return the mean of each score over the texts that have it; of perplexity the median."""

    def mean(one: Values) -> float:
        known = one[np.isfinite(one)]
        return round(float(known.mean()), 4) if len(known) else float("nan")

    means = {name: perplexity(one) if name == "perplexity" else mean(one) for name, one in values.items()}
    return cast(DecoderScores, means)


def gains_of(high: Mapping[str, Values], low: Mapping[str, Values], cases: Cases) -> Gains:
    """Return how much nearer texts are than nearest chunks: to the vector, to the true chunk by vector and by words."""
    _, article = np.unique([chunk.document_id for chunk in cases.chunks], return_inverse=True)
    gains: Gains = {}
    for name in ("round_trip_cosine", "to_truth", "token_f1"):
        found = bootstrap.interval(bootstrap.article_sums(high[name] - low[name], article))
        gains[name] = round(found.mean, 4)
        gains[f"{name}_ci"] = [round(end, 4) for end in found.ends] if found.ends else None
    return gains
