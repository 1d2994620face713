"""Whether the service lives, what is behind it, and its figures."""

import time
from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from lvm_core.checkpoint import list_models
from lvm_core.corpus.store import CorpusStore
from lvm_core.decode.decoders import available_decoders
from lvm_core.device import describe_device, pick_device
from lvm_core.encoders import available_encoders
from lvm_core.service.asking import Asked, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.state_shapes import Health, Info
from lvm_core.version import __version__

router = APIRouter(tags=["service"])

LIMITS = ("most_body_mb", "most_chunks", "most_texts", "most_waiting", "most_at_once", "time_limit_s")


@router.get("/health")
async def health(engine: Asked) -> Health:
    """Say that the service lives, and how many requests wait."""
    waiting = {lane.name: lane.waiting for lane in engine.lanes}
    return Health(version=__version__, uptime_s=time.time() - engine.begun, waiting=waiting)


@router.get("/info")
async def info(request: Request, engine: Asked) -> Info:
    """Say what is behind the service: encoders, decoders, models, corpora, and the limits of a request."""
    return await while_there(request, engine.call(lambda: _info(engine)))


@router.get("/metrics", response_class=Response)
async def metrics(engine: Asked) -> Response:
    """Return the figures in the text format of Prometheus."""
    return Response(engine.metrics.text(engine.lanes), media_type=engine.metrics.MEDIA_TYPE)


def _info(engine: Engine) -> Info:
    space = engine.space()
    settings = asdict(engine.settings)
    return Info(
        version=__version__,
        workspace=str(engine.workspace.root),
        encoder=space,
        encoders=available_encoders(),
        decoders=available_decoders(engine.workspace, space),
        models=[info.ref for info in list_models(engine.workspace)],
        corpora=[info.name for info in CorpusStore(engine.workspace).corpora()],
        device=describe_device(pick_device()),
        limits={name: settings[name] for name in LIMITS},
        uptime_s=time.time() - engine.begun,
    )
