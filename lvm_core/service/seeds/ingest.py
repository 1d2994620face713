"""Port 8004: chunks into a corpus. Each request is an article; reading and encoding are jobs."""

import hashlib
import json
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lvm_core.boundary.files import read_bytes
from lvm_core.boundary.values import one_line
from lvm_core.errors import SettingsError
from lvm_core.jobs.store import JobStore
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import Text
from lvm_core.workspace import slug, write_text

MOST_KEPT_BYTES = 1_000_000_000


class NewChunk(BaseModel):
    """A chunk; what else the predecessor takes of it is passed over."""

    text: Text = Field(min_length=1)


class IngestRequest(BaseModel):
    """Chunks in reading order, and the corpus that they go into."""

    chunks: list[NewChunk] = Field(min_length=1)
    dataset_source: Text = Field("user_input", min_length=1, max_length=100)


def router() -> APIRouter:
    """Return the endpoints of port 8004."""
    routes = APIRouter(responses=RESPONSES)

    @routes.post("/ingest")
    async def ingest(request: Request, body: IngestRequest, engine: Asked) -> Response:
        """Add chunks to a corpus as an article of its own, and queue its reading and encoding."""
        at_most(body.chunks, engine.settings.most_texts, "chunks", "--most-texts")
        return as_json(await while_there(request, engine.call(lambda: _queued(engine, body))))

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Say that the port lives."""
        return {"status": "healthy"}

    return routes


def _queued(engine: Engine, body: IngestRequest) -> dict[str, Any]:
    begun = time.perf_counter()
    texts = [text for chunk in body.chunks if (text := one_line(chunk.text))]
    if not texts:
        raise SettingsError(["chunks hold no text; expected a word or more in one of them. Give it."])
    corpus = slug(body.dataset_source)
    path = engine.workspace.upload(f"{corpus}.jsonl")
    before = read_bytes(path, "The chunks so far", MOST_KEPT_BYTES).decode() if path.exists() else ""
    title = f"{corpus} {before.count(chr(10)) + 1}"
    write_text(path, before + json.dumps({"title": title, "text": "\n\n".join(texts)}, ensure_ascii=False) + "\n")
    words = ["--chunker", "paragraph", "--min-chars", "1", "--max-chars", "100000", "--min-chunks", "1", "--replace"]
    store = JobStore(engine.workspace)
    reading = store.submit(["ingest", str(path), "--corpus", corpus, *words])
    encoding = store.submit(["encode", "--corpus", corpus], after=reading)
    results = [
        {"global_id": hashlib.sha256(text.encode()).hexdigest()[:32], "concept_text": text, "status": "queued"}
        for text in texts
    ]
    return {
        "results": results, "total_chunks": len(body.chunks), "successful": len(texts),
        "failed": len(body.chunks) - len(texts), "corpus": corpus, "jobs": [reading, encoding],
        "processing_time_ms": (time.perf_counter() - begun) * 1000,
    }  # fmt: skip
