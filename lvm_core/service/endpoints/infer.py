"""Vectors in, vector out."""

from fastapi import APIRouter, Request, Response

from lvm_core.errors import SettingsError
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.inferring import Contexts, Inferred, Inferring
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import InferAnswer, InferBatchAnswer, InferBatchRequest, InferRequest

router = APIRouter(tags=["vectors"])


@router.post("/infer", response_model=InferAnswer, responses=RESPONSES)
async def infer(request: Request, body: InferRequest, engine: Asked) -> Response:
    """Return what a model predicts after the vectors of a context."""
    at_most(body.context_vectors, engine.settings.most_chunks, "context_vectors", "--most-chunks")
    wanted = Contexts([body.context_vectors], body.model, body.encoder, body.normalize)
    said: Inferred = await while_there(request, engine.ask(Inferring, wanted))
    return as_json(
        {
            "model": said.model, "encoder": said.encoder, "vector": said.vectors[0].tolist(),
            "length": float(said.lengths[0]), "query": said.queries[0].tolist(),
        }
    )  # fmt: skip


@router.post("/infer/batch", response_model=InferBatchAnswer, responses=RESPONSES)
async def infer_batch(request: Request, body: InferBatchRequest, engine: Asked) -> Response:
    """Return what a model predicts after each of many contexts."""
    at_most(body.contexts, engine.settings.most_texts, "contexts", "--most-texts")
    for i, context in enumerate(body.contexts):
        at_most(context, engine.settings.most_chunks, f"contexts[{i}]", "--most-chunks")
        if not context:
            raise SettingsError([f"contexts[{i}] is empty; expected one vector or more. Leave it out."])
    wanted = Contexts(body.contexts, body.model, body.encoder, body.normalize)
    said: Inferred = await while_there(request, engine.ask(Inferring, wanted))
    return as_json(
        {
            "model": said.model, "encoder": said.encoder, "vectors": said.vectors.tolist(),
            "lengths": said.lengths.tolist(),
        }
    )  # fmt: skip
