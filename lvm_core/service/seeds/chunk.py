"""Port 8001: text to chunks."""

import time
from collections import Counter
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lvm_core.config import check
from lvm_core.corpus.chunks import ChunkSettings
from lvm_core.service.asking import Asked, as_json, while_there
from lvm_core.service.endpoints.chunk import cut
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import Text

CHUNKERS = {"simple": "sentence", "semantic": "semantic", "proposition": "sentence", "hybrid": "semantic"}
"""The predecessor's modes: two of them asked a language model, for which sentences stand here."""


class ChunkingRequest(BaseModel):
    """A text, and how the predecessor would cut it."""

    text: Text
    mode: Literal["simple", "semantic", "proposition", "hybrid"] = "semantic"
    max_chunk_size: int = Field(320, ge=40, le=100_000)
    min_chunk_size: int = Field(20, ge=1, le=1_000)


def router() -> APIRouter:
    """Return the endpoints of port 8001."""
    routes = APIRouter(responses=RESPONSES)
    counts: Counter[str] = Counter()

    @routes.post("/chunk")
    async def chunk(request: Request, body: ChunkingRequest, engine: Asked) -> Response:
        """Cut a text into chunks."""
        begun = time.perf_counter()
        settings = check(
            ChunkSettings(CHUNKERS[body.mode], min(body.min_chunk_size, body.max_chunk_size), body.max_chunk_size)
        )
        found = await while_there(request, engine.call(lambda: cut(engine, body.text, settings)))
        counts.update(requests=1, chunks=len(found))
        chunks = [
            {"text": one.text, "start_idx": one.start, "end_idx": one.end, "metadata": {"chunk_index": i}}
            for i, one in enumerate(found)
        ]
        average = sum(len(one.text) for one in found) / len(found) if found else 0.0
        ms = (time.perf_counter() - begun) * 1000
        about = {"mode": body.mode, "num_chunks": len(found), "avg_chunk_size": average, "processing_time_ms": ms}
        return as_json({"chunks": chunks, "metadata": about})

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Say that the port lives."""
        return {"status": "healthy", "modes": list(CHUNKERS)}

    @routes.get("/stats")
    async def stats() -> dict[str, int]:
        """Return how much was cut."""
        return {"requests": counts["requests"], "chunks": counts["chunks"]}

    return routes
