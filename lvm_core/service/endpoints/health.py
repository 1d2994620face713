"""Whether the service lives."""

import time

from fastapi import APIRouter

from lvm_core import __version__
from lvm_core.service.asking import Asked
from lvm_core.service.shapes import Health

router = APIRouter(tags=["service"])


@router.get("/health")
async def health(engine: Asked) -> Health:
    """Say that the service lives, and how many requests wait."""
    waiting = {lane.name: lane.waiting for lane in engine.lanes}
    return Health(version=__version__, uptime_s=time.time() - engine.begun, waiting=waiting)
