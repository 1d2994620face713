"""Texts to vectors."""

from fastapi import APIRouter, Request, Response

from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.encoding import encoding
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import EncodeAnswer, EncodeRequest

router = APIRouter(tags=["vectors"])


@router.post("/encode", response_model=EncodeAnswer, responses=RESPONSES)
async def encode(request: Request, body: EncodeRequest, engine: Asked) -> Response:
    """Return the vectors of texts, in their order."""
    at_most(body.texts, engine.settings.most_texts, "texts", "--most-texts")
    made = await while_there(request, encoding(engine, body.texts, body.encoder))
    return as_json({"encoder": made.encoder, "dim": made.vectors.shape[1], "vectors": made.vectors.tolist()})
