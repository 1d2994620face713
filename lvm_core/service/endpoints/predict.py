"""From chunks of text to what each model says comes next."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from lvm_core.errors import LvmError, SettingsError
from lvm_core.predict.batch import NamedContext, PredictedContext, batch_json, quick_decoder
from lvm_core.predict.prediction import Prediction
from lvm_core.predict.report import prediction_json
from lvm_core.predict.together import in_order
from lvm_core.service import events
from lvm_core.service.asking import Asked as EngineAsked
from lvm_core.service.asking import as_json, at_most, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.lane import Busy
from lvm_core.service.predicting import Asked, Asking, Predicting
from lvm_core.service.problems import RESPONSES, of_error
from lvm_core.service.shapes import PredictAnswer, PredictBatchAnswer, PredictBatchRequest, PredictRequest

router = APIRouter(tags=["predict"])

BUSY_S = 0.1
"""Until one of many contexts that found no room tries again."""


@router.post("/predict", response_model=PredictAnswer, responses=RESPONSES)
async def predict(request: Request, body: PredictRequest, engine: EngineAsked) -> Response:
    """Say what each model predicts comes next: the JSON of `predict --json`, or a stream of events.

    A stream has an event `prediction` for each prediction as soon as its vectors and neighbours are known, an event
    `text` for each text that is better than the one before, `final` for each prediction with its last text, and at the
    end `end` with the whole answer; `problem`, if something goes wrong on the way, is the last.
    """
    asking = _asking(body, engine)
    if body.stream:
        return events.stream(_told(engine, asking, body.vectors))
    said, asked = await while_there(request, whole(engine, asking))
    return as_json(_answer(said, asked, body.vectors))


@router.post("/predict/batch", response_model=PredictBatchAnswer, responses=RESPONSES)
async def predict_batch(request: Request, body: PredictBatchRequest, engine: EngineAsked) -> Response:
    """Say what comes after each of many contexts: the JSON of `predict --batch`, a decoder named as there.

    They wait with all other requests, some at a time, so that whoever asks for one is not kept waiting by many.
    """
    at_most(body.contexts, engine.settings.most_texts, "contexts", "--most-texts")
    for i, context in enumerate(body.contexts):
        at_most(context.chunks, engine.settings.most_chunks, f"contexts[{i}].chunks", "--most-chunks")
    models, settings = tuple(dict.fromkeys(body.models)), body.settings()
    if "decoder" not in body.model_fields_set:
        has_corpus = await engine.call(lambda: _has_corpus(engine, body))
        settings = replace(settings, decoder=quick_decoder(has_corpus))
    asks = [
        Asking(tuple(one.chunks), models, settings, None, one.target, body.corpus, body.encoder)
        for one in body.contexts
    ]
    answered, encoder = await while_there(request, _all(engine, asks))
    named = [NamedContext(tuple(c.chunks), c.target, c.name or f"context {i}") for i, c in enumerate(body.contexts, 1)]
    batch = [replace(one, context=context) for one, context in zip(answered, named, strict=True)]
    return as_json(batch_json(batch, encoder))


def _has_corpus(engine: Engine, body: PredictBatchRequest) -> bool:
    space = engine.space_asked(body.encoder, body.models, body.corpus)
    return engine.predictor(space, body.corpus).corpus is not None


async def _all(engine: Engine, asks: Sequence[Asking]) -> tuple[list[PredictedContext], str]:
    """Return what comes after each context, or why it cannot be said, and the encoder id.

    Raises:
        LvmError: of the first, where all of them fail.
    """
    room = asyncio.Semaphore(engine.settings.most_at_once)
    errors: list[LvmError] = []
    encoder = ""

    async def one(ask: Asking) -> PredictedContext:
        nonlocal encoder
        context = NamedContext(ask.chunks, ask.target)
        async with room:
            while True:
                try:
                    said, asked = await whole(engine, ask)
                except Busy:
                    await asyncio.sleep(BUSY_S)
                    continue
                except LvmError as error:
                    errors.append(error)
                    return PredictedContext(context, (), str(error))
                encoder = asked.encoder
                return PredictedContext(context, said)

    async with asyncio.TaskGroup() as tasks:
        found = [tasks.create_task(one(ask)) for ask in asks]
    if len(errors) == len(asks):  # what holds for every context, such as an unknown model
        raise errors[0]
    return [task.result() for task in found], encoder


def _asking(body: PredictRequest, engine: Engine) -> Asking:
    rows = _rows(body)
    at_most(rows or body.chunks, engine.settings.most_chunks, "The context", "--most-chunks")
    at_most(body.models, engine.settings.most_texts, "models", "--most-texts")
    models = tuple(dict.fromkeys(body.models))
    settings = body.settings()
    return Asking(
        tuple(body.chunks), models, settings, rows, body.target, body.corpus, body.encoder, unfinished=body.stream
    )


def _rows(body: PredictRequest) -> range | None:
    if body.rows is None:
        return None
    if body.chunks:
        raise SettingsError(["Both chunks and rows are given; expected one of them. Leave the other out."])
    if not body.corpus:
        raise SettingsError(["rows number the chunks of one corpus; expected its name as corpus. Add it."])
    first, last = body.rows
    if last < first or first < 0:
        raise SettingsError([f"rows is [{first}, {last}]; expected [first, last], such as [120, 124]. Mend them."])
    return range(first, last + 1)


async def whole(engine: Engine, asking: Asking) -> tuple[tuple[Prediction, ...], Asked]:
    """Return all predictions of a question with their last texts, in the order of the models."""
    said: list[Prediction] = []
    asked = Asked("", ())
    async with contextlib.aclosing(engine.follow(Predicting, asking)) as answers:
        async for answer in answers:
            if isinstance(answer, Asked):
                asked = answer
            else:
                said.append(answer)
    return in_order(said, asked.models), asked


async def _told(engine: Engine, asking: Asking, vectors: bool) -> AsyncGenerator[bytes, None]:
    said: list[Prediction] = []
    shown: set[tuple[str, bool]] = set()
    asked = Asked("", ())
    try:
        async with contextlib.aclosing(engine.follow(Predicting, asking)) as answers:
            async for answer in answers:
                if isinstance(answer, Asked):
                    asked = answer
                    continue
                if answer.done:
                    said.append(answer)
                name = "final" if answer.done else "text" if (answer.model, answer.snap_on) in shown else "prediction"
                shown.add((answer.model, answer.snap_on))
                yield events.event(name, _prediction(answer, vectors and name != "text"))
        yield events.event("end", _answer(in_order(said, asked.models), asked, vectors))
    except LvmError as error:
        yield b"event: problem\ndata: " + bytes(of_error(error).body) + b"\n\n"


def _answer(said: Sequence[Prediction], asked: Asked, vectors: bool) -> dict[str, Any]:
    predictions = [_prediction(prediction, vectors) for prediction in said]
    return {"context": len(said[0].context.texts), "encoder": asked.encoder, "predictions": predictions}


def _prediction(prediction: Prediction, vectors: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {**prediction_json(prediction)}
    if vectors:
        shown |= {"raw": prediction.raw.tolist(), "vector": prediction.vector.tolist()}
    return shown
