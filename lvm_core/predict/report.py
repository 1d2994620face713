"""A prediction as JSON (the shape that other programs build on) and as text for a terminal."""

import csv
import io
import textwrap
from collections.abc import Sequence
from itertools import groupby

from typing_extensions import TypedDict

from lvm_core.decode.checks import Attempt
from lvm_core.predict.prediction import Neighbour, Prediction, Remembered
from lvm_core.types import Chunk, Decoded

WIDTH = 100
SHOWN_NEIGHBOURS = 3
SHOWN_CHARS = 160


class PlaceJson(TypedDict):
    """Where a chunk stands."""

    chunk_id: int
    article: str
    position: int


class TargetJson(PlaceJson):
    """The true next chunk."""

    text: str


class NeighbourJson(TargetJson):
    """A chunk near the prediction, its cosine, and its weight in the snap."""

    cosine: float
    weight: float


class RememberedJson(TargetJson):
    """A place of the model's memory: the chunk `last` there, what came next, their nearness, and the place's share."""

    last: str
    cosine: float
    weight: float


class SnapJson(TypedDict):
    """What the snap did."""

    on: bool
    drift_clamped: bool
    neighbours: list[NeighbourJson]


class AttemptJson(TypedDict):
    """A text that was tried, and how it was judged."""

    steps: int
    text: str
    method: str
    repeated_bigrams: float
    entropy: float
    keyword: str | None
    topic_cosine: float | None
    accepted: bool
    reason: str
    round_trip_cosine: float
    ms: float


class HypothesisJson(TypedDict):
    """A text after so many corrections."""

    steps: int
    text: str
    round_trip_cosine: float


class PredictionJson(TypedDict):
    """One prediction without its vectors; each field is described at that of `Prediction`."""

    model: str
    text: str
    method: str
    steps: int
    round_trip_cosine: float | None
    cosine_to_target: float | None
    raw_cosine_to_target: float | None
    target: TargetJson | None
    snap: SnapJson
    remembered: list[RememberedJson]
    attempts: list[AttemptJson]
    hypotheses: list[HypothesisJson]
    smoothed: str | None
    decoder: str
    corpus: str | None
    cached: bool
    note: str
    timings_ms: dict[str, float]


class PredictionsJson(TypedDict):
    """What the command `predict` prints: predictions after `context` chunks in the space of `encoder`."""

    context: int
    encoder: str
    predictions: list[PredictionJson]


def to_json(predictions: Sequence[Prediction], context: int, encoder: str) -> PredictionsJson:
    """Return the predictions after `context` chunks in the space of `encoder`, as the command `predict` prints them."""
    return {"context": context, "encoder": encoder, "predictions": [prediction_json(p) for p in predictions]}


def prediction_json(prediction: Prediction) -> PredictionJson:
    """Return one prediction without its vectors."""
    target = prediction.context.target
    return {
        "model": prediction.model,
        "text": prediction.text,
        "method": prediction.method,
        "steps": prediction.steps,
        "round_trip_cosine": prediction.round_trip_cosine,
        "cosine_to_target": prediction.cosine_to_target,
        "raw_cosine_to_target": prediction.raw_cosine_to_target,
        "target": None if target is None else {**_place(target), "text": target.text},
        "snap": {
            "on": prediction.snap_on,
            "drift_clamped": prediction.drift_clamped,
            "neighbours": [_neighbour(n) for n in prediction.neighbours],
        },
        "remembered": [_remembered(place) for place in prediction.remembered],
        "attempts": [_attempt(attempt) for attempt in prediction.decoding.attempts],
        "hypotheses": [_hypothesis(text) for text in prediction.decoding.hypotheses],
        "smoothed": prediction.smoothed,
        "decoder": prediction.decoder,
        "corpus": prediction.corpus,
        "cached": prediction.timings.cached,
        "note": prediction.note,
        "timings_ms": {name: round(ms, 3) for name, ms in prediction.timings.stages().items()},
    }


COLUMNS = ("model", "snapped", "text", "method", "steps", "round_trip_cosine", "cosine_to_target", "ready_ms")


def to_csv(predictions: Sequence[Prediction]) -> str:
    """Return the predictions as a table, a line each."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for p in predictions:
        figures = (p.round_trip_cosine, p.cosine_to_target, p.timings.waited)
        rounded = ["" if figure is None else f"{figure:.4f}" for figure in figures]
        writer.writerow([p.model, p.snap_on, p.text, p.method, p.steps, *rounded])
    return out.getvalue()


def to_markdown(predictions: Sequence[Prediction]) -> str:
    """Return the context, the true next chunk and what each model said, for a note or an issue."""
    context = predictions[0].context
    lines = ["## Context", "", *(f"{i}. {text}" for i, text in enumerate(context.texts, 1)), ""]
    if context.target_text:
        lines += ["## True next chunk", "", context.target_text, ""]
    lines += ["## Predictions", "", "| model | | text | round trip | to true next |", "|---|---|---|---|---|"]
    for p in predictions:
        figures = ["" if c is None else f"{c:.3f}" for c in (p.round_trip_cosine, p.cosine_to_target)]
        text = p.text.replace("|", "\\|")
        lines.append(f"| {p.model} | {'snapped' if p.snap_on else 'raw'} | {text} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def _attempt(attempt: Attempt) -> AttemptJson:
    decoded, verdict = attempt.decoded, attempt.verdict
    return {
        "steps": decoded.steps,
        "text": decoded.text,
        "method": decoded.method,
        "repeated_bigrams": verdict.repeated_bigrams,
        "entropy": verdict.entropy,
        "keyword": verdict.keyword,
        "topic_cosine": verdict.topic_cosine,
        "accepted": attempt.accepted,
        "reason": attempt.reason,
        "round_trip_cosine": decoded.round_trip_cosine,
        "ms": attempt.ms,
    }


def _place(chunk: Chunk) -> PlaceJson:
    return {"chunk_id": chunk.chunk_id, "article": chunk.article, "position": chunk.position}


def _neighbour(neighbour: Neighbour) -> NeighbourJson:
    return {
        **_place(neighbour.chunk),
        "text": neighbour.chunk.text,
        "cosine": neighbour.cosine,
        "weight": neighbour.weight,
    }


def _remembered(place: Remembered) -> RememberedJson:
    return {
        **_place(place.next),
        "text": place.next.text,
        "last": place.last.text,
        "cosine": place.cosine,
        "weight": place.weight,
    }


def _hypothesis(decoded: Decoded) -> HypothesisJson:
    return {"steps": decoded.steps, "text": decoded.text, "round_trip_cosine": decoded.round_trip_cosine}


def report(result: PredictionsJson) -> str:
    """Return what `to_json` gave as blocks for a terminal, a block a model, the true next chunk on top."""
    predictions = result["predictions"]
    plural = "" if result["context"] == 1 else "s"
    lines = [f"After {result['context']} chunk{plural}, in the space of {result['encoder']}:"]
    target = next((p["target"] for p in predictions if p["target"]), None)
    if target:
        lines += ["", f"true next chunk ({target['article']}, chunk {target['position']})", _wrap(target["text"])]
    for prediction in predictions:
        lines += ["", *_block(prediction)]
    notes = dict.fromkeys(p["note"] for p in predictions if p["note"])
    return "\n".join(lines + ([""] if notes else []) + [f"note: {note}" for note in notes])


def _block(prediction: PredictionJson) -> list[str]:
    facts = [f"{prediction['method']}" + (f", {_steps([prediction['steps']])}" if prediction["steps"] else "")]
    if prediction["round_trip_cosine"] is not None:
        facts.append(f"round trip {prediction['round_trip_cosine']:.3f}")
    if prediction["cosine_to_target"] is not None:
        facts.append(f"to the true chunk {prediction['cosine_to_target']:.3f}")
    snap = prediction["snap"]
    facts.append(("snapped, drift clamped" if snap["drift_clamped"] else "snapped") if snap["on"] else "raw")
    lines = [f"{prediction['model']}: {' | '.join(facts)}", _wrap(prediction["text"] or "(no text)")]
    if prediction["smoothed"]:
        lines += ["  smoothed:", _wrap(prediction["smoothed"])]
    lines += _judged(prediction["attempts"])
    lines += [_near(n) for n in snap["neighbours"][:SHOWN_NEIGHBOURS]]
    lines += [_like(place) for place in prediction["remembered"]]
    timings = "  ".join(f"{name} {ms:.0f}" for name, ms in prediction["timings_ms"].items())
    return [*lines, f"  ms: {timings}"]


def _judged(attempts: list[AttemptJson]) -> list[str]:
    """Why texts were rejected, each text once, and what is odd about the one that was taken."""
    lines = []
    rejected = [a for a in attempts if not a["accepted"]]
    for (text, reason), same in groupby(rejected, key=lambda a: (a["text"], a["reason"])):
        steps = _steps([a["steps"] for a in same])
        lines.append(_wrap(f"rejected at {steps}: {textwrap.shorten(text, SHOWN_CHARS)!r} ({reason})", "  - "))
    return lines + [_wrap(a["reason"], "  - ") for a in attempts if a["accepted"] and a["reason"]]


def _steps(numbers: list[int]) -> str:
    return f"{', '.join(map(str, numbers))} step{'' if numbers == [1] else 's'}"


def _near(neighbour: NeighbourJson) -> str:
    weight = f", weight {neighbour['weight']:.2f}" if neighbour["weight"] else ""
    text = textwrap.shorten(neighbour["text"], 70, placeholder=" ...")
    return f"  near: {neighbour['cosine']:.3f}{weight}  {neighbour['article']} {neighbour['position']}: {text}"


def _like(place: RememberedJson) -> str:
    last, text = (textwrap.shorten(words, 60, placeholder=" ...") for words in (place["last"], place["text"]))
    return f"  remembered: {place['cosine']:.3f}  {place['article']} {place['position']}: {last} -> {text}"


def _wrap(text: str, first: str = "    ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent="    ")
