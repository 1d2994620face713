"""How near a decoded text is to the true next chunk, word by word.

Low scores are expected: the models predict what a sentence means, not its words.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

ROUGE_KEYS = ("rouge_1", "rouge_2", "rouge_l")


@lru_cache(maxsize=1)
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)


def rouge(text: str, reference: str) -> dict[str, float]:
    """Return ROUGE-1, ROUGE-2 and ROUGE-L as F1, fractions of 1, with Porter stems (Lin 2004; rouge-score)."""
    scores = _scorer().score(reference, text)
    return {key: float(scores[name].fmeasure) for key, name in zip(ROUGE_KEYS, scores, strict=True)}


def bleu(text: str, reference: str) -> float:
    """Return sentence BLEU as a fraction of 1: sacrebleu's 13a tokens, exponential smoothing, effective order.

    Papineni et al. 2002; effective order so that a text shorter than four words is not zero by construction.
    """
    import sacrebleu

    return float(sacrebleu.sentence_bleu(text, [reference], use_effective_order=True).score) / 100


def text_scores(texts: Sequence[str], references: Sequence[str]) -> list[dict[str, float]]:
    """Return for each text its `rouge_1`, `rouge_2`, `rouge_l` and `bleu` against its reference."""
    pairs = zip(texts, references, strict=True)
    return [{**rouge(text, reference), "bleu": bleu(text, reference)} for text, reference in pairs]
