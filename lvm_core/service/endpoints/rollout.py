"""Predictions fed back."""

from fastapi import APIRouter, Request, Response

from lvm_core.errors import SettingsError
from lvm_core.service.asking import Asked, as_json, at_most, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.problems import RESPONSES
from lvm_core.service.shapes import RolloutRequest
from lvm_core.shipped import shipped_models
from lvm_core.spaces import space_to_measure_in
from lvm_core.study.drift import DriftSettings
from lvm_core.study.rollouts import Rollouts, described, roll_out, roll_out_from, start_with

router = APIRouter(tags=["predict"])


@router.post("/rollout", response_model=Rollouts, responses=RESPONSES)
async def rollout(request: Request, body: RolloutRequest, engine: Asked) -> Response:
    """Feed predictions back, and say of each step which real chunk is nearest and how far it has drifted."""
    at_most(body.chunks, engine.settings.most_chunks, "chunks", "--most-chunks")
    if (body.row is None) == (not body.chunks):
        raise SettingsError(["A rollout starts in one place; expected either chunks or row. Give one of them."])
    return as_json(await while_there(request, engine.call(lambda: _rolled(engine, body))))


def _rolled(engine: Engine, body: RolloutRequest) -> Rollouts:
    workspace = engine.workspace
    settings = DriftSettings(corpus=body.corpus, steps=body.steps, context=body.context)
    variants = {"raw": None, "snapped": body.snap_settings()}
    kept = {"both": ("raw", "snapped"), "on": ("snapped",), "off": ("raw",)}[body.snap]
    snaps = {name: variants[name] for name in kept}
    space = space_to_measure_in(workspace, body.models, body.corpus)
    models = list(dict.fromkeys(body.models)) or shipped_models(workspace, space)
    if body.row is not None:
        return roll_out_from(workspace, models, settings, snaps, body.row)
    start = start_with(body.chunks, engine.encoder(space))
    return described(workspace, settings, start, roll_out(workspace, models, settings, snaps, start))
