"""Many contexts from a file, each predicted as one alone: what the page and the command `predict --batch` share."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Protocol, TypedDict, final

from lvm_core.boundary.files import quoted
from lvm_core.boundary.json_values import from_json, parse_json
from lvm_core.boundary.values import one_line, whole_characters
from lvm_core.decode.extractive import METHOD
from lvm_core.errors import LvmError, SourceError
from lvm_core.predict.context import Question
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.prediction import Prediction
from lvm_core.predict.report import PredictionsJson, to_json
from lvm_core.predict.settings import NO_DECODER, PredictSettings
from lvm_core.predict.stages import Ask
from lvm_core.predict.text import writes
from lvm_core.predict.together import predict_all
from lvm_core.types import Progress, no_progress

MOST_BYTES = 10_000_000
MOST_CONTEXTS = 10_000
QUICK_AT_ONCE, WRITTEN_AT_ONCE = 32, 4
REMEDY = (
    'Give {"chunks": ["oldest", "newest"], "target": "true next", "name": "mine"}; target and name may be left out.'
)
SPLIT = "Split the file."


@dataclass(frozen=True, slots=True)
class NamedContext:
    """Chunks, oldest first, the text of the true next chunk where it is known, and a name to find it by."""

    chunks: tuple[str, ...]
    target: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PredictedContext:
    """A context of a batch and what each model says comes next, in the order of the models, raw before snapped.

    `error` says why there are no predictions, "" where there are.
    """

    context: NamedContext
    predictions: tuple[Prediction, ...]
    error: str = ""


# ---------------------------------------------------------------- reading


def read_batch(data: bytes, name: str) -> list[NamedContext]:
    """Return the contexts of a file, its form told by the ending of its name.

    Args:
        data: its bytes, UTF-8.
        name: `.jsonl`: an object {"chunks", "target", "name"} a line; `.json`: a list of lists of chunks or of such
            objects; `.txt`: contexts separated by blank lines, a chunk a line.

    Raises:
        SourceError: with the line, if it cannot be read, is too long, or a context of it holds no text.
    """
    parse = FORMS.get(PurePath(name).suffix.lower())
    if parse is None:
        raise SourceError(
            f"{quoted(name)} is no batch of contexts by its name", ", ".join(FORMS), "Rename it, or convert it."
        )
    if len(data) > MOST_BYTES:
        raise SourceError(f"{name} has {len(data) / 1e6:.1f} MB", f"at most {MOST_BYTES / 1e6:.0f} MB", SPLIT)
    contexts = [
        replace(context, name=context.name or f"context {i}")
        for i, (place, context) in enumerate(parse(_decoded(data, name), name), 1)
        if _has_text(context, place)
    ]
    if not contexts:
        raise SourceError(f"{name} holds no context", "one or more", REMEDY)
    if len(contexts) > MOST_CONTEXTS:
        raise SourceError(f"{name} has {len(contexts):,} contexts", f"at most {MOST_CONTEXTS:,}", SPLIT)
    return contexts


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise SourceError(
            f"Line {line} of {name} holds the byte 0x{data[problem.start]:02x}", "text in UTF-8", "Save it as UTF-8."
        ) from problem


def _has_text(context: NamedContext, place: str) -> bool:
    if any(chunk.strip() for chunk in context.chunks):
        return True
    raise SourceError(f"{place} has {len(context.chunks)} chunks without text", "one or more with", REMEDY)


def _json_lines(text: str, name: str) -> Iterator[tuple[str, NamedContext]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            place = f"Line {number} of {name}"
            yield place, _context(parse_json(line, place, remedy=REMEDY), place)


def _json_list(text: str, name: str) -> Iterator[tuple[str, NamedContext]]:
    values = parse_json(text, name, remedy=f"Give a list of contexts. {REMEDY}")
    if not isinstance(values, list):
        raise SourceError(f"{name} is no list", "a list of contexts", REMEDY)
    for number, value in enumerate(values, 1):
        place = f"Context {number} of {name}"
        yield place, _context(value, place)


def _text_blocks(text: str, name: str) -> Iterator[tuple[str, NamedContext]]:
    chunks: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            chunks.append(line)
        elif chunks:
            yield f"Line {number - len(chunks)} of {name}", NamedContext(tuple(chunks))
            chunks = []


def _context(value: Any, place: str) -> NamedContext:
    given = from_json(NamedContext, {"chunks": value} if isinstance(value, list) else value, place, REMEDY)
    chunks = tuple(whole_characters(chunk) for chunk in given.chunks)
    return NamedContext(chunks, whole_characters(given.target), one_line(given.name))


FORMS: dict[str, Callable[[str, str], Iterator[tuple[str, NamedContext]]]] = {
    ".jsonl": _json_lines,
    ".json": _json_list,
    ".txt": _text_blocks,
}
"""How a file is read, by the ending of its name."""


# ---------------------------------------------------------------- predicting


class Answers(Protocol):
    """What answers contexts, some together: a predictor, or a studio elsewhere."""

    def load(self, models: Sequence[str], settings: PredictSettings) -> None:
        """Raise what holds for every context; see `Predictor.load`."""
        ...

    def predict_all(
        self, contexts: Sequence[NamedContext], models: Sequence[str], settings: PredictSettings
    ) -> Sequence[Sequence[Prediction] | LvmError]:
        """Return what each of `models` predicts after each context, or why it cannot; see `together.predict_all`."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """Answers of a predictor in this process."""

    predictor: Predictor

    def load(self, models: Sequence[str], settings: PredictSettings) -> None:
        """Raise what holds for every context."""
        self.predictor.load(models, settings)

    def predict_all(
        self, contexts: Sequence[NamedContext], models: Sequence[str], settings: PredictSettings
    ) -> Sequence[Sequence[Prediction] | LvmError]:
        """Return what each of `models` predicts after each context."""
        questions = [Question(context.chunks, target_text=context.target) for context in contexts]
        return predict_all(self.predictor, [Ask(question, models, settings) for question in questions])


def at_once(settings: PredictSettings) -> int:
    """Return how many contexts are answered together: many, but where texts are written, which takes seconds each."""
    return WRITTEN_AT_ONCE if writes(settings) else QUICK_AT_ONCE


def quick_decoder(has_corpus: bool) -> str:
    """Return the decoder a batch has unless another is named: real chunks, or no text where there is no corpus."""
    return METHOD if has_corpus else NO_DECODER


def predict_batch(
    answers: Answers,
    contexts: Sequence[NamedContext],
    models: Sequence[str],
    settings: PredictSettings,
    progress: Progress = no_progress,
    n_before: int = 0,
) -> Iterator[PredictedContext]:
    """Yield each of `contexts` with its predictions as soon as they are final, in order; some are predicted together.

    A context that cannot be predicted is yielded with its error, and the rest go on. The first `n_before` were done
    before.

    Raises:
        LvmError: for what holds for every context, such as an unknown model; see `Predictor.load`.
    """
    answers.load(models, settings)
    begun, n_at_once = time.perf_counter(), at_once(settings)
    for first in range(n_before, len(contexts), n_at_once):
        together = contexts[first : first + n_at_once]
        for context, said in zip(together, answers.predict_all(together, models, settings), strict=True):
            if isinstance(said, LvmError):
                yield PredictedContext(context, (), str(said))
            else:
                yield PredictedContext(context, tuple(said))
        n_done = first + len(together)
        left = (time.perf_counter() - begun) / (n_done - n_before) * (len(contexts) - n_done)
        progress(n_done / len(contexts), f"{n_done:,} of {len(contexts):,} contexts, {left:.0f} s left")


def seconds_per_text(predictions: Sequence[Prediction]) -> float | None:
    """Return the mean seconds that the texts of these predictions cost; None where none of them was written anew."""
    written = [p.timings.decode for p in predictions if p.done and p.text and not p.timings.cached]
    return sum(written) / len(written) / 1000 if written else None


# ---------------------------------------------------------------- taking along

COLUMNS = ("name", "last_chunk", "model", "snapped", "text", "cosine_to_target", "target", "error")


class PredictedContextJson(PredictionsJson):
    """A context of a batch as it was given, and its predictions; `error`: why there are none."""

    name: str
    chunks: list[str]
    target: str | None
    error: str | None


@final
class BatchJson(TypedDict):
    """What the command `predict --batch` prints."""

    batch: list[PredictedContextJson]


def batch_json(batch: Sequence[PredictedContext], encoder: str) -> BatchJson:
    """Return a batch as `predict --batch --json` prints it: each context, and what `to_json` says of it."""
    return {
        "batch": [
            {
                "name": one.context.name,
                "chunks": list(one.context.chunks),
                "target": one.context.target or None,
                "error": one.error or None,
                **to_json(one.predictions, _n_read(one), encoder),
            }
            for one in batch
        ]
    }


def _n_read(one: PredictedContext) -> int:
    return len(one.predictions[0].context.texts if one.predictions else one.context.chunks)


def batch_csv(batch: Sequence[PredictedContext]) -> str:
    """Return a batch as a table, a line a prediction; a context without any has one line that says why."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in batch:
        context = one.context
        for p in one.predictions:
            cosine = "" if p.cosine_to_target is None else f"{p.cosine_to_target:.4f}"
            writer.writerow([context.name, p.context.texts[-1], p.model, p.snap_on, p.text, cosine, context.target, ""])
        if one.error:
            writer.writerow([context.name, context.chunks[-1], "", "", "", "", context.target, one.error])
    return out.getvalue()


def batch_report(result: BatchJson) -> str:
    """Return what `batch_json` gave as lines for a terminal, a block a context."""
    lines = []
    for one in result["batch"]:
        lines.append(f"{one['name']}: {one['chunks'][-1]}")
        if one["error"]:
            lines.append(f"  not predicted: {one['error']}")
        for p in one["predictions"]:
            cosine = "" if p["cosine_to_target"] is None else f", to the true chunk {p['cosine_to_target']:.3f}"
            lines.append(
                f"  {p['model']} ({'snapped' if p['snap']['on'] else 'raw'}{cosine}): {p['text'] or '(no text)'}"
            )
        lines.append("")
    notes = dict.fromkeys(p["note"] for one in result["batch"] for p in one["predictions"] if p["note"])
    return "\n".join([*lines, *(f"note: {note}" for note in notes)]).rstrip()
