"""Ports 8767 and 8766: texts to vectors, and back."""

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lvm_core.errors import SettingsError
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.decoding import Decoding, Said, Vectors
from lvm_core.service.encoding import encoding
from lvm_core.service.engine import Engine
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import Numbers, Text
from lvm_core.vectors.checks import MAX_STEPS

SUBSCRIBERS = ("jxe", "ielab")
"""The predecessor's two decoders; here one decoder of the encoder's space answers under either name."""


class EmbedRequest(BaseModel):
    """Texts to encode; vectors are at unit norm as the encoder gives them."""

    texts: list[Text] = Field(min_length=1)
    normalize: bool = True


class SingleRequest(BaseModel):
    """One text, where it is no query parameter."""

    text: Text


class DecodeRequest(BaseModel):
    """Vectors to put into words."""

    vectors: list[Numbers] = Field(min_length=1)
    subscribers: Text = "jxe,ielab"
    steps: int = Field(1, ge=0, le=MAX_STEPS)


class RoundTripRequest(BaseModel):
    """Texts to encode and put into words again."""

    texts: list[Text] = Field(min_length=1)
    subscribers: Text = "jxe,ielab"
    steps: int = Field(1, ge=0, le=MAX_STEPS)


def router() -> APIRouter:
    """Return the endpoints of both ports."""
    routes = APIRouter(responses=RESPONSES)

    async def embed(request: Request, body: EmbedRequest, engine: Asked) -> Response:
        """Return the vectors of texts."""
        at_most(body.texts, engine.settings.most_texts, "texts", "--most-texts")
        made = await while_there(request, encoding(engine, body.texts, None))
        return as_json(
            {
                "embeddings": made.vectors.tolist(), "dimension": made.vectors.shape[1], "count": len(made.vectors),
                "encoder": made.encoder,
            }
        )  # fmt: skip

    routes.post("/embed")(embed)
    routes.post("/encode")(embed)

    @routes.post("/embed/single")
    async def embed_single(
        request: Request, engine: Asked, text: str = "", body: SingleRequest | None = None
    ) -> Response:
        """Return the vector of one text, given as a query parameter or in the body."""
        wanted = body.text if body else text
        if not wanted.strip():
            raise SettingsError(["text is empty; expected a word or more, as ?text= or in the body. Give it."])
        made = await while_there(request, encoding(engine, [wanted], None))
        return as_json(
            {"embedding": made.vectors[0].tolist(), "dimension": made.vectors.shape[1], "encoder": made.encoder}
        )

    @routes.post("/decode")
    async def decode(request: Request, body: DecodeRequest, engine: Asked) -> Response:
        """Return a text for each vector."""
        at_most(body.vectors, engine.settings.most_texts, "vectors", "--most-texts")
        return as_json(await _decoded(request, engine, body.vectors, body.subscribers, body.steps))

    @routes.post("/encode-decode")
    async def encode_decode(request: Request, body: RoundTripRequest, engine: Asked) -> Response:
        """Encode texts and put their vectors into words again."""
        at_most(body.texts, engine.settings.most_texts, "texts", "--most-texts")
        made = await while_there(request, encoding(engine, body.texts, None))
        found = await _decoded(request, engine, made.vectors.tolist(), body.subscribers, body.steps)
        for one, text in zip(found["results"], body.texts, strict=True):
            one["input"] = text
        return as_json(found)

    @routes.get("/health")
    async def health(request: Request, engine: Asked) -> dict[str, Any]:
        """Say that the port lives, and whose vectors it gives."""
        space = await while_there(request, engine.call(engine.space))
        return {"status": "healthy", "encoder": space, "model_loaded": True}

    return routes


async def _decoded(
    request: Request, engine: Engine, vectors: list[Numbers], subscribers: str, steps: int
) -> dict[str, Any]:
    names = [name for name in (word.strip() for word in subscribers.split(",")) if name]
    unknown = [name for name in names if name not in SUBSCRIBERS]
    if unknown or not names:
        raise SettingsError([f"subscribers is {subscribers[:80]!r}; expected one or both of jxe, ielab. Mend it."])
    begun = time.perf_counter()
    said: Said = await while_there(
        request, engine.ask(Decoding, Vectors(vectors, None, "auto", steps, None), engine.words)
    )
    ms = (time.perf_counter() - begun) * 1000 / len(said.texts)
    results = [
        {
            "index": i,
            "subscribers": {
                f"gtr → {name}": {
                    "status": "success", "output": text["text"], "cosine": text["round_trip_cosine"], "elapsed_ms": ms,
                }
                for name in names
            },
        }
        for i, text in enumerate(said.texts)
    ]  # fmt: skip
    return {"results": results, "count": len(results), "decoder": said.decoder}
