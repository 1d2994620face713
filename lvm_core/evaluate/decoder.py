"""How well a decoder reads vectors: real ones, predictions and snapped predictions, against the nearest real chunk.

The bar is what extractive decoding would say: the nearest chunk of *other* articles. Rows of the result have one
input and one number of steps each; the texts that the numbers stand on come along, not chosen.
"""

import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Literal, TypedDict

import numpy as np

from lvm_core.config import check
from lvm_core.corpus.store import CorpusStore
from lvm_core.decode.extractive import ExtractiveDecoder
from lvm_core.evaluate.cases import Cases, DecoderSettings, gather_cases
from lvm_core.evaluate.decoder_scores import (
    DecoderScores,
    Gains,
    gains_of,
    means_of,
    perplexity,
    token_f1,
    values_of,
)
from lvm_core.evaluate.said import surprise_of
from lvm_core.types import Decoded, Decoder, Encoder, Index, Progress, Vectors, no_progress
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace

__all__ = ["Cases", "DecoderSettings", "evaluate_decoder", "gather_cases", "never_falls", "token_f1"]

N_PAIRS = 10
N_TIMED = 3


class DecoderRow(DecoderScores):
    """The scores of one input after `steps` corrections, or of the nearest chunk, of which no `ms` are taken."""

    input: str
    steps: int | Literal["extractive"]
    ms: float | None


class DecodedPair(TypedDict):
    """A chunk, what was decoded of its vector, and the nearest chunk of other articles."""

    input: str
    article: str
    text: str
    decoded: str
    steps: int
    round_trip_cosine: float
    nearest: str


class DecoderEvaluation(TypedDict):
    """What is measured of a decoder, as `evaluate --json` prints it.

    `over_extractive` has of each number of steps the gains over the nearest chunk on real vectors, and
    `over_extractive_of` the same of each input, in `NAME_ci` with its 95 % interval over articles; `never_falls` of
    each input whether no text is farther from its vector after more steps; `true_perplexity` the median of the chunks.
    """

    decoder: str
    decoder_id: str
    encoder: str
    corpus: str
    corpus_digest: str
    split: str
    n: int
    n_articles: int
    rows: list[DecoderRow]
    true_perplexity: float
    over_extractive: dict[str, dict[str, float]]
    over_extractive_of: dict[str, dict[str, Gains]]
    never_falls: dict[str, bool]
    pairs: list[DecodedPair]


def evaluate_decoder(
    workspace: Workspace,
    encoder: Encoder,
    decoder: str | Decoder,
    corpus: str,
    settings: DecoderSettings | None = None,
    models: Sequence[str] = (),
    progress: Progress = no_progress,
) -> DecoderEvaluation:
    """Return the decoder's scores on unseen chunks.

    Args:
        workspace: where the corpus lies.
        encoder: whose vectors are decoded.
        decoder: a name of `DECODERS`, or one that is loaded.
        corpus: name of an encoded corpus.
        settings: which chunks, how many steps.
        models: models whose predictions of the same chunks are decoded too, raw and snapped.
        progress: told after each batch.

    Raises:
        CorpusError: if the split has no such chunk.
        LvmError: whatever opening corpus, model or decoder raises.
    """
    from lvm_core.decode.decoders import load_decoder
    from lvm_core.vectors.index import open_index

    settings = check(settings or DecoderSettings())
    reader = load_decoder(workspace, decoder, encoder, corpus) if isinstance(decoder, str) else decoder
    store, index = CorpusStore(workspace), open_index(workspace, corpus, encoder.id)
    cases = gather_cases(workspace, encoder.id, corpus, settings)
    inputs = {"real vectors": cases.vectors} | _predictions(workspace, encoder.id, corpus, cases, models, index)
    rows: list[DecoderRow] = []
    pairs: list[DecodedPair] = []
    notes: dict[str, bool] = {}
    gains: dict[str, dict[str, Gains]] = {}
    for number, (name, vectors) in enumerate(inputs.items()):
        nearest = ExtractiveDecoder(corpus, index, partial(store.chunks, corpus), exclude=cases.articles)
        bar = [run[0] for run in nearest.decode_all(vectors, 0)]
        by_step = _decode(reader, vectors, settings.steps, _part(progress, number, len(inputs)))
        timed = _timed(reader, vectors, settings.steps)
        low = values_of(bar, cases, encoder)
        gains[name] = {}
        for steps, texts in by_step.items():
            high = values_of(texts, cases, encoder)
            rows.append({"input": name, "steps": steps, **means_of(high), "ms": timed.get(steps)})
            gains[name][str(steps)] = gains_of(high, low, cases)
        rows.append({"input": name, "steps": "extractive", **means_of(low), "ms": None})
        pairs += _pairs(name, cases, by_step, bar)
        notes[name] = never_falls(by_step)
    last = [row for row in rows if row["input"] == "real vectors"]
    return {
        "decoder": decoder if isinstance(decoder, str) else decoder.id,
        "decoder_id": reader.id,
        "encoder": encoder.id,
        "corpus": corpus,
        "corpus_digest": store.corpus(corpus).digest,
        "split": settings.split,
        "n": len(cases.chunks),
        "n_articles": len({chunk.article for chunk in cases.chunks}),
        "rows": rows,
        "true_perplexity": perplexity(surprise_of([chunk.text for chunk in cases.chunks])),
        "over_extractive_of": gains,
        "over_extractive": {str(r["steps"]): _gain(r, last[-1]) for r in last[:-1]},
        "never_falls": notes,
        "pairs": pairs,
    }


def _predictions(
    workspace: Workspace, encoder_id: str, corpus: str, cases: Cases, models: Sequence[str], index: Index
) -> dict[str, Vectors]:
    """Return each model's predictions (N, D) of the chunks under test, raw and snapped without their articles."""
    from lvm_core import forecast
    from lvm_core.checkpoint import load_model
    from lvm_core.snap import snap_batch
    from lvm_core.vectors.matrix import open_matrix

    matrix = open_matrix(workspace, corpus, encoder_id)
    predictions: dict[str, Vectors] = {}
    for ref in models:
        loaded = load_model(workspace, ref, encoder_id, matrix.dim)
        contexts = []
        for chunk, article in zip(cases.chunks, cases.articles, strict=True):
            first = max(int(article[0]), chunk.row - loaded.info.context)
            contexts.append(unit_rows(matrix.slice(first, chunk.row)))
        raw = [forecast.after(loaded.model, context, ref).vectors for context in contexts]
        predictions[f"prediction of {ref}"] = unit_rows(np.stack(raw))
        snapped = snap_batch(np.stack(raw), contexts, index, matrix.rows, exclude=list(cases.articles))
        predictions[f"snapped prediction of {ref}"] = np.stack([result.vector for result in snapped])
    return predictions


def _decode(reader: Decoder, vectors: Vectors, steps: Sequence[int], progress: Progress) -> dict[int, list[Decoded]]:
    """Return the texts after each number of steps, from one run."""
    rows: list[list[Decoded]] = []
    for start in range(0, len(vectors), 8):
        rows += reader.decode_all(vectors[start : start + 8], max(steps))
        progress(len(rows) / len(vectors), f"{len(rows):,} of {len(vectors):,} chunks decoded")
    return {step: [row[step] for row in rows] for step in steps}


def _part(progress: Progress, number: int, total: int) -> Progress:
    return lambda share, message: progress((number + share) / total, message)


def _timed(reader: Decoder, vectors: Vectors, steps: Sequence[int]) -> dict[int, float]:
    """Return the median milliseconds of decoding one vector, warm, at each number of steps.

    The vectors are moved by a hair each time: a decoder may remember how it read the very same one.
    """
    medians = {}
    for step in steps:
        spent = []
        for vector in vectors[:N_TIMED]:
            moved = vector.copy()
            moved[step % len(moved)] += 1e-3
            began = time.perf_counter()
            reader.decode_all(moved[None], step)
            spent.append((time.perf_counter() - began) * 1000)
        medians[step] = round(float(np.median(spent)), 1)
    return medians


def _gain(row: DecoderScores, bar: DecoderScores) -> dict[str, float]:
    return {
        "round_trip_cosine": round(row["round_trip_cosine"] - bar["round_trip_cosine"], 4),
        "token_f1": round(row["token_f1"] - bar["token_f1"], 4),
    }


def never_falls(by_step: dict[int, list[Decoded]]) -> bool:
    """Return whether no text is farther from its vector after more steps."""
    ordered = [by_step[step] for step in sorted(by_step)]
    return all(
        b.round_trip_cosine >= a.round_trip_cosine - 1e-6
        for x, y in pairwise(ordered)
        for a, b in zip(x, y, strict=True)
    )


def _pairs(name: str, cases: Cases, by_step: dict[int, list[Decoded]], bar: list[Decoded]) -> list[DecodedPair]:
    steps = max(by_step)
    return [
        {
            "input": name, "article": cases.chunks[i].article, "text": cases.chunks[i].text,
            "decoded": by_step[steps][i].text, "steps": steps,
            "round_trip_cosine": round(by_step[steps][i].round_trip_cosine, 4), "nearest": bar[i].text,
        }
        for i in range(min(N_PAIRS, len(cases.chunks)))
    ]  # fmt: skip
