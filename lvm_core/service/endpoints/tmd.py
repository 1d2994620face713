"""Domain, task and modifier of texts."""

from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from lvm_core.corpus.tmd.codes import describe_labels, label_by_descriptions, tmd_vectors, unpack
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.encoding import encoding
from lvm_core.service.engine import Engine
from lvm_core.service.problems import RESPONSES
from lvm_core.service.text_shapes import TmdAnswer, TmdJson, TmdRequest
from lvm_core.types import Vectors

router = APIRouter(tags=["text"])


@router.post("/tmd", response_model=TmdAnswer, responses=RESPONSES)
async def tmd(request: Request, body: TmdRequest, engine: Asked) -> Response:
    """Give each text its code of 16 bits, zero-shot: the nearest description of each kind of label."""
    at_most(body.texts, engine.settings.most_texts, "texts", "--most-texts")
    return as_json(await while_there(request, labelled(engine, body.texts, body.encoder)))


class Labelled(TypedDict):
    """The codes of texts, and the encoder that compared them."""

    encoder: str
    codes: list[TmdJson]


async def labelled(engine: Engine, texts: list[str], encoder: str | None) -> Labelled:
    """Return the codes of texts."""
    made = await encoding(engine, texts, encoder)
    described = await engine.call(lambda: _described(engine, made.encoder))
    return {"encoder": made.encoder, "codes": _codes(label_by_descriptions(made.vectors, described).tolist())}


def _described(engine: Engine, encoder: str) -> Vectors:
    return describe_labels(engine.encoder(encoder))  # the encoder remembers the descriptions


def _codes(codes: list[int]) -> list[TmdJson]:
    found: list[TmdJson] = []
    for code, vector in zip(codes, tmd_vectors(codes).tolist(), strict=True):
        domain, task, modifier = unpack(code).names
        found.append({"code": code, "domain": domain, "task": task, "modifier": modifier, "vector": vector})
    return found
