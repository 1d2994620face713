"""Chunks of a corpus, by meaning or by words."""

from fastapi import APIRouter, Request, Response

from lvm_core.errors import CorpusError, SettingsError
from lvm_core.predict.corpus import NO_CORPUS, OpenCorpus
from lvm_core.service.asking import Asked, as_json, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.problems import RESPONSES
from lvm_core.service.text_shapes import HitJson, SearchAnswer, SearchRequest
from lvm_core.service.vectors import as_vectors
from lvm_core.types import Chunk, Encoder, Vectors

router = APIRouter(tags=["text"])


@router.post("/search", response_model=SearchAnswer, responses=RESPONSES)
async def search(request: Request, body: SearchRequest, engine: Asked) -> Response:
    """Find the chunks nearest to a text or a vector, or those that hold all words."""
    if (body.vector is None) == (not body.query.strip()):
        raise SettingsError(["A search is for one thing; expected either query or vector. Give one of them."])
    if body.by == "words" and body.vector is not None:
        raise SettingsError(["A vector has no words; expected by to be meaning. Leave it out."])
    return as_json(await while_there(request, engine.call(lambda: _found(engine, body))))


def _found(engine: Engine, body: SearchRequest) -> dict[str, object]:
    if body.by == "words" and body.corpus:
        from lvm_core.corpus.store import CorpusStore

        hits = [(chunk, None) for chunk in CorpusStore(engine.workspace).search(body.corpus, body.query, body.k)]
        return {"corpus": body.corpus, "hits": [_hit(chunk, cosine) for chunk, cosine in hits]}
    predictor = engine.predictor(engine.space(body.encoder), body.corpus)
    corpus = predictor.corpus
    if corpus is None:
        raise CorpusError("There is no corpus to search", "one that is encoded with this encoder", NO_CORPUS)
    if body.by == "words":
        return _found(engine, body.model_copy(update={"corpus": corpus.info.name}))
    return {"corpus": corpus.info.name, "hits": _near(corpus, _vector(predictor.encoder, body), body.k)}


def _vector(encoder: Encoder, body: SearchRequest) -> Vectors:
    if body.vector is not None:
        return as_vectors([body.vector], encoder.dim, "The vector")
    return encoder.encode([body.query])


def _near(corpus: OpenCorpus, vector: Vectors, k: int) -> list[HitJson]:
    (hits,) = corpus.index.search(vector, k)
    chunks = corpus.chunks([hit.row for hit in hits])
    return [_hit(chunk, hit.cosine) for chunk, hit in zip(chunks, hits, strict=True)]


def _hit(chunk: Chunk, cosine: float | None) -> HitJson:
    return {
        "chunk_id": chunk.chunk_id, "row": chunk.row, "article": chunk.article, "position": chunk.position,
        "text": chunk.text, "cosine": cosine,
    }  # fmt: skip
