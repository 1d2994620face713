"""The verbs of a `Studio` elsewhere (`lvm_core.library`): values as the engine has them, vectors exact."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request, Response

from lvm_core.boundary.plain import plain
from lvm_core.command_line import check_command, namespace_of, words_of
from lvm_core.errors import JobError, LvmError, SettingsError
from lvm_core.jobs.store import JobStore
from lvm_core.library import wire
from lvm_core.library.local import Local
from lvm_core.predict.prediction import Context
from lvm_core.service import events
from lvm_core.service.asking import Asked as EngineAsked
from lvm_core.service.asking import as_json, at_most, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.predicting import Asked, Asking, Predicting
from lvm_core.service.problems import RESPONSES, of_error
from lvm_core.workspace import Workspace, read_json

router = APIRouter(tags=["library"])

COMMANDS = ("ingest", "encode", "train", "evaluate", "rollout", "project")
"""What `command` may begin."""

SLOW = ("decode",)
"""Verbs that write texts, which takes seconds."""

PLACE = f"/library/{wire.PROTOCOL}"


@router.post(PLACE + "/{verb}", responses=RESPONSES)
async def library(request: Request, verb: str, body: dict[str, Any], engine: EngineAsked) -> Response:
    """Answer a verb of the Python library, as its client asks it; other programs have paths of their own."""
    if verb == wire.WATCH:
        asked = wire.read(wire.Watch, body)
        at_most(asked.ask.rows or asked.ask.chunks, engine.settings.most_chunks, "The context", "--most-chunks")
        return events.stream(_told(engine, _asking(asked)))
    lane = engine.words if verb in SLOW else engine.quick
    return as_json(await while_there(request, engine.call(lambda: _answer(engine.workspace, verb, body), lane)))


def _answer(workspace: Workspace, verb: str, body: dict[str, Any]) -> Any:
    if verb == wire.COMMAND:
        return plain(_begun(workspace, wire.read(wire.Command, body)))
    if verb == wire.JOB:
        return plain(_job(workspace, wire.read(wire.Key, body).key))
    return wire.answer(Local(workspace.root), verb, body)


def _begun(workspace: Workspace, command: wire.Command) -> wire.JobAnswer:
    if command.name not in COMMANDS:
        raise SettingsError([f"The command is {command.name!r}; expected one of {', '.join(COMMANDS)}."])
    namespace_of(command.name, command.values)
    argv = words_of(command.name, command.values)
    check_command(argv)
    return _job(workspace, JobStore(workspace).submit(argv))


def _job(workspace: Workspace, job_id: str) -> wire.JobAnswer:
    job = JobStore(workspace).get(job_id)
    if job.state in ("failed", "cancelled", "interrupted"):
        raise JobError(
            f"The job {job.id} is {job.state}: {job.message.rstrip('.')}",
            "one that is done",
            "Mend that, ask again.",
        )
    result = read_json(workspace.job_result(job.id)) if job.state == "done" else None
    return wire.JobAnswer(job.id, job.state, job.progress, job.message, result)


def _asking(asked: wire.Watch) -> Asking:
    ask = asked.ask
    rows = None if ask.rows is None else _stretch(ask.rows)
    return Asking(
        ask.chunks, ask.models, ask.settings.checked(), rows, ask.target, ask.corpus, ask.encoder, asked.unfinished
    )


def _stretch(rows: tuple[int, ...]) -> range:
    stretch = range(rows[0], rows[-1] + 1) if rows else range(0)
    if tuple(stretch) != rows:
        raise SettingsError(["The rows are no stretch of a corpus; expected consecutive ones. Send the texts instead."])
    return stretch


async def _told(engine: Engine, asking: Asking) -> AsyncGenerator[bytes, None]:
    context: Context | None = None
    try:
        async with contextlib.aclosing(engine.follow(Predicting, asking)) as answers:
            async for answer in answers:
                if isinstance(answer, Asked):
                    continue
                if answer.context is not context:
                    context = answer.context
                    yield events.event("context", plain(context))
                yield events.event("prediction", wire.without_context(answer))
        yield events.event("end", {})
    except LvmError as error:
        yield b"event: problem\ndata: " + bytes(of_error(error).body) + b"\n\n"
