"""The corpora of the workspace."""

from dataclasses import asdict

from fastapi import APIRouter, Request

from lvm_core.corpus.store import CorpusStore
from lvm_core.service.asking import Asked, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.state_shapes import Corpora, CorpusAnswer
from lvm_core.vectors.matrix import encoded_with

router = APIRouter(tags=["text"])


@router.get("/corpora")
async def corpora(request: Request, engine: Asked) -> Corpora:
    """List the corpora, and the encoders that each has vectors of, the newest first."""
    return await while_there(request, engine.call(lambda: _corpora(engine)))


def _corpora(engine: Engine) -> Corpora:
    return Corpora(
        corpora=[
            CorpusAnswer.model_validate({**asdict(info), "encoders": encoded_with(engine.workspace, info.name)})
            for info in CorpusStore(engine.workspace).corpora()
        ]
    )
