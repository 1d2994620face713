"""Port 8002: text to domain, task and modifier."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lvm_core.corpus.tmd.codes import unpack
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.endpoints.tmd import labelled
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import Text
from lvm_core.service.text_shapes import TmdJson


class ConceptRequest(BaseModel):
    """One text; the predecessor's language model is not asked, so what names it is passed over."""

    concept_text: Text
    use_cache: bool = True


class ConceptsRequest(BaseModel):
    """Several texts."""

    concepts: list[Text] = Field(min_length=1)
    use_cache: bool = True


def router() -> APIRouter:
    """Return the endpoints of port 8002."""
    routes = APIRouter(responses=RESPONSES)

    @routes.post("/extract-tmd")
    async def extract_tmd(request: Request, body: ConceptRequest, engine: Asked) -> Response:
        """Return the codes of a text."""
        found = await while_there(request, labelled(engine, [body.concept_text], None))
        return as_json(_codes(body.concept_text, found["codes"][0]))

    @routes.post("/route")
    async def route(request: Request, body: ConceptRequest, engine: Asked) -> Response:
        """Return the codes of a text, in the form that named the language model for it; there is none here."""
        found = await while_there(request, labelled(engine, [body.concept_text], None))
        return as_json(_routed(body.concept_text, found["codes"][0]))

    @routes.post("/route/batch")
    async def route_batch(request: Request, body: ConceptsRequest, engine: Asked) -> Response:
        """Do the same for several texts."""
        at_most(body.concepts, engine.settings.most_texts, "concepts", "--most-texts")
        found = await while_there(request, labelled(engine, body.concepts, None))
        results = [_routed(text, code) for text, code in zip(body.concepts, found["codes"], strict=True)]
        return as_json({"results": results, "count": len(results)})

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Say that the port lives."""
        return {"status": "healthy", "cache_enabled": True, "default_llm_endpoint": "", "default_llm_model": ""}

    return routes


def _codes(text: str, code: TmdJson) -> dict[str, Any]:
    numbers = unpack(code["code"])
    return {
        "concept_text": text, "domain_code": numbers.domain, "domain_name": code["domain"], "task_code": numbers.task,
        "task_name": code["task"], "modifier_code": numbers.modifier, "modifier_name": code["modifier"],
    }  # fmt: skip


def _routed(text: str, code: TmdJson) -> dict[str, Any]:
    lane = {"lane_model": "", "lane_port": 0, "specialist_prompt_id": "", "temperature": 0.0, "max_tokens": 0}
    return {**_codes(text, code), **lane, "is_fallback": True, "cache_hit": False}
