"""The models that can be asked."""

from fastapi import APIRouter, Request

from lvm_core.checkpoint import ModelInfo, list_models
from lvm_core.service.asking import Asked, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.state_shapes import ModelAnswer, Models
from lvm_core.shipped import shipped_models

router = APIRouter(tags=["models"])


@router.get("/models")
async def models(request: Request, engine: Asked, encoder: str | None = None) -> Models:
    """List the models of an encoder (of every encoder where none is named) and those asked where none is named."""
    return await while_there(request, engine.call(lambda: _models(engine, encoder)))


def _models(engine: Engine, encoder: str | None) -> Models:
    space = engine.space(encoder)
    found = list_models(engine.workspace, space if encoder else None)
    return Models(
        models=[_answer(info) for info in found], default=shipped_models(engine.workspace, space), encoder=space
    )


def _answer(info: ModelInfo) -> ModelAnswer:
    return ModelAnswer(
        ref=info.ref, name=info.name, kind=info.kind, encoder=info.encoder_id, context=info.context,
        n_parameters=info.n_parameters, shipped=info.shipped, validation_cosine=info.result.get("val_cosine"),
        created=info.created,
    )  # fmt: skip
