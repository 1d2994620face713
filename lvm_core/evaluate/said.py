"""What the measures of decoded texts are taken from: the texts, the true next chunks, and what several of them read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lvm_core.errors import MissingPackage
from lvm_core.metrics import facts, text
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import Values


def surprise_of(texts: Sequence[str]) -> Values:
    """Return how surprising each of n texts is to SmolLM2 (n,), in nats a token; NaN where it is not installed."""
    from lvm_core.inverter.smollm import surprises

    try:
        return np.array(surprises(texts))
    except MissingPackage:
        return np.full(len(texts), np.nan)


@dataclass(frozen=True)
class Texts:
    """The texts of n predictions (n, D), the true next chunks as text and vector, and the texts encoded again."""

    texts: Sequence[str]
    truths: Sequence[str]
    encoded: Vectors
    predictions: Vectors
    targets: Vectors

    @cached_property
    def overlap(self) -> Mapping[str, Values]:
        """ROUGE and BLEU (n,) by name."""
        scores = text.text_scores(self.texts, self.truths)
        return {name: np.array([score[name] for score in scores]) for name in (*text.ROUGE_KEYS, "bleu")}

    @cached_property
    def facts(self) -> Mapping[str, Values]:
        """Precision and recall (n,) of names and numbers by name; NaN where there are none."""
        return facts.fact_scores(list(self.texts), list(self.truths))

    @cached_property
    def surprise(self) -> Values:
        """How surprising each text (n,) is to SmolLM2, in nats a token; NaN where it is not installed."""
        return surprise_of(self.texts)
