"""A text to chunks, as a corpus is cut."""

from fastapi import APIRouter, Request, Response

from lvm_core.config import check
from lvm_core.corpus.chunking import chunk_document
from lvm_core.corpus.chunks import ChunkSettings, NewChunk
from lvm_core.corpus.sources.base import well_formed
from lvm_core.service.asking import Asked, as_json, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.problems import RESPONSES
from lvm_core.service.text_shapes import ChunkAnswer, ChunkRequest
from lvm_core.types import Document, Section

router = APIRouter(tags=["text"])


@router.post("/chunk", response_model=ChunkAnswer, responses=RESPONSES)
async def chunk(request: Request, body: ChunkRequest, engine: Asked) -> Response:
    """Cut a text into sentences, paragraphs or episodes; `start` and `end` count its characters."""
    settings = check(body.settings())
    found = await while_there(request, engine.call(lambda: cut(engine, body.text, settings, body.encoder)))
    return as_json({"chunks": [{"text": one.text, "start": one.start, "end": one.end} for one in found]})


def cut(engine: Engine, text: str, settings: ChunkSettings, encoder: str | None = None) -> list[NewChunk]:
    """Return the chunks of a text."""
    encode = engine.encoder(encoder).encode if settings.chunker == "semantic" else None
    return chunk_document(Document("", (Section("", well_formed(text)),)), settings, encode)
