"""Ports 9001 to 9006, one model a port: by vectors; by text see `chat`."""

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lvm_core.checkpoint import ModelInfo, find_model
from lvm_core.errors import SettingsError
from lvm_core.predict.model import COPIES
from lvm_core.predict.prediction import PASSTHROUGH
from lvm_core.predict.stages import elapsed_ms
from lvm_core.service.asking import Asked as EngineAsked
from lvm_core.service.asking import as_json, at_most, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.inferring import Contexts, Inferred, Inferring
from lvm_core.service.problems import RESPONSES
from lvm_core.service.seeds import chat
from lvm_core.service.seeds.chat import device, url
from lvm_core.service.shapes import Numbers
from lvm_core.vectors.checks import MAX_STEPS
from lvm_core.vectors.geometry import unit_rows


class InferenceRequest(BaseModel):
    """Vectors of a context, oldest first."""

    context_vectors: list[Numbers] = Field(min_length=1)
    temperature: float = Field(1.0, ge=0.0, le=2.0, description="changes nothing: a net says one thing")
    normalize: bool = True


class BatchRequest(BaseModel):
    """Vectors of many contexts."""

    context_vectors: list[list[Numbers]] = Field(min_length=1)
    temperature: float = Field(1.0, ge=0.0, le=2.0)
    normalize: bool = True


def router(model: str) -> APIRouter:
    """Return the endpoints of the port of `model`."""
    routes = APIRouter(responses=RESPONSES)
    routes.include_router(chat.router(model))

    @routes.post("/infer")
    async def infer(request: Request, body: InferenceRequest, engine: EngineAsked) -> Response:
        """Return what the model predicts after the vectors of a context."""
        begun = time.perf_counter()
        at_most(body.context_vectors, engine.settings.most_chunks, "context_vectors", "--most-chunks")
        said = await _inferred(request, engine, [body.context_vectors], model, body.normalize)
        confidence = await while_there(request, engine.call(lambda: _near(engine, said)))
        return as_json(
            {
                "predicted_vector": said.vectors[0].tolist(), "confidence": confidence[0],
                "latency_ms": elapsed_ms(begun), "model_type": model, "device": device(),
            }
        )  # fmt: skip

    @routes.post("/infer/batch")
    async def infer_batch(request: Request, body: BatchRequest, engine: EngineAsked) -> Response:
        """Return what the model predicts after the vectors of many contexts."""
        begun = time.perf_counter()
        at_most(body.context_vectors, engine.settings.most_texts, "context_vectors", "--most-texts")
        for i, one in enumerate(body.context_vectors):
            at_most(one, engine.settings.most_chunks, f"context_vectors[{i}]", "--most-chunks")
            if not one:
                raise SettingsError([f"context_vectors[{i}] is empty; expected a vector or more. Leave it out."])
        said = await _inferred(request, engine, body.context_vectors, model, body.normalize)
        confidences = await while_there(request, engine.call(lambda: _near(engine, said)))
        return as_json(
            {
                "predicted_vectors": said.vectors.tolist(), "confidences": confidences, "latency_ms": elapsed_ms(begun),
                "model_type": model, "device": device(),
            }
        )  # fmt: skip

    @routes.get("/info")
    async def info(request: Request, engine: EngineAsked) -> dict[str, Any]:
        """Say which model stands behind the port."""
        return await while_there(request, engine.call(lambda: _info(engine, model)))

    return routes


async def _inferred(
    request: Request, engine: Engine, contexts: list[list[Numbers]], model: str, normalize: bool
) -> Inferred:
    wanted = Contexts(contexts, COPIES if model == PASSTHROUGH else model, None, normalize)
    said: Inferred = await while_there(request, engine.ask(Inferring, wanted))
    return said


def _near(engine: Engine, said: Inferred) -> list[float]:
    """Return the cosine of each prediction to its nearest real chunk; zeros where there is no corpus."""
    corpus = engine.predictor(said.encoder).corpus
    if corpus is None:
        return [0.0] * len(said.vectors)
    return [hits[0].cosine if hits else 0.0 for hits in corpus.index.search(unit_rows(said.vectors), 1)]


def _info(engine: Engine, model: str) -> dict[str, Any]:
    urls = {"encoder_url": url(engine, 8767, "/embed"), "decoder_url": url(engine, 8766, "/decode")}
    if model == PASSTHROUGH:
        return {
            "pipeline": PASSTHROUGH,
            "model_type": model,
            "device": device(),
            **urls,
            "max_decode_steps": MAX_STEPS,
        }
    space = engine.space_asked(None, [model])
    found: ModelInfo = find_model(engine.workspace, model, space)
    dim = engine.predictor(space).encoder.dim
    return {
        "model_type": model, "model_path": str(found.path), "device": device(), "context_length": found.context,
        "vector_dim": dim, "hidden_dim": _hidden(found, dim), "parameters": found.n_parameters,
        "parameters_trainable": found.n_parameters, "memory_mb": found.n_parameters * 4 / 2**20, **urls,
        "max_decode_steps": MAX_STEPS, "encoder": space,
    }  # fmt: skip


def _hidden(found: ModelInfo, dim: int) -> int:
    options = found.config.get("options") or {}
    value = next((options[name] for name in ("d_hidden", "d_model", "hidden") if name in options), dim)
    return value if isinstance(value, int) else dim
