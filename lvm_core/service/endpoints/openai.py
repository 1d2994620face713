"""Embeddings as OpenAI's clients ask for them, so that any of them works with the encoders of the studio.

Source: the OpenAI API reference, "Create embeddings".
"""

import base64
from typing import Any

from fastapi import APIRouter, Request, Response

from lvm_core.encoders import DEFAULT_ENCODER, available_encoders
from lvm_core.errors import SettingsError
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.encoding import encoding
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import EmbeddingJson, EmbeddingsAnswer, EmbeddingsRequest
from lvm_core.types import Vectors

router = APIRouter(prefix="/v1", tags=["OpenAI"])


@router.post("/embeddings", response_model=EmbeddingsAnswer, responses=RESPONSES)
async def embeddings(request: Request, body: EmbeddingsRequest, engine: Asked) -> Response:
    """Return the vectors of texts in the form of OpenAI's embeddings; `usage` counts words, not tokens."""
    texts = [body.input] if isinstance(body.input, str) else body.input
    at_most(texts, engine.settings.most_texts, "input", "--most-texts")
    if not texts:
        raise SettingsError(["input is empty; expected a text or several. Give one."])
    made = await while_there(request, encoding(engine, texts, body.model or None))
    dim = made.vectors.shape[1]
    if body.dimensions not in (None, dim):
        raise SettingsError([f"dimensions is {body.dimensions}; expected {dim}: those of the encoder. Leave it out."])
    n_words = sum(len(text.split()) for text in texts)
    return as_json(
        {
            "object": "list",
            "data": [_embedding(i, row, body.encoding_format) for i, row in enumerate(made.vectors)],
            "model": made.encoder,
            "usage": {"prompt_tokens": n_words, "total_tokens": n_words},
        }
    )


@router.get("/models")
async def models(request: Request, engine: Asked) -> dict[str, Any]:
    """List the encoders as OpenAI's models."""
    names = await while_there(request, engine.call(available_encoders))
    names = list(dict.fromkeys([DEFAULT_ENCODER, *names]))
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "lvm-studio"} for name in names],
    }


def _embedding(i: int, vector: Vectors, form: str) -> EmbeddingJson:
    as_text = base64.b64encode(vector.astype("<f4").tobytes()).decode() if form == "base64" else ""
    return {"object": "embedding", "index": i, "embedding": as_text or vector.tolist()}
