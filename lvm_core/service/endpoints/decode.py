"""Vectors to texts."""

from fastapi import APIRouter, Request, Response

from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.decoding import Decoding, Vectors
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import DecodeAnswer, DecodeRequest
from lvm_core.vectors.checks import check_budget

router = APIRouter(tags=["vectors"])


@router.post("/decode", response_model=DecodeAnswer, responses=RESPONSES)
async def decode(request: Request, body: DecodeRequest, engine: Asked) -> Response:
    """Return a text for each vector, in their order; one that was decoded before comes from the cache."""
    at_most(body.vectors, engine.settings.most_texts, "vectors", "--most-texts")
    check_budget(body.steps, body.budget_ms)
    steps = 1 if body.steps is None else body.steps
    wanted = Vectors(body.vectors, body.encoder, body.decoder, steps, body.corpus, body.budget_ms)
    said = await while_there(request, engine.ask(Decoding, wanted, engine.words))
    return as_json({"encoder": said.encoder, "decoder": said.decoder, "texts": said.texts})
