"""Background jobs: what the pages may start, programs may too."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request, Response

from lvm_core.command_line import check_command, job_commands
from lvm_core.jobs.rows import ENDED
from lvm_core.jobs.store import JobStore
from lvm_core.service import events
from lvm_core.service.asking import Asked, while_there
from lvm_core.service.engine import Engine
from lvm_core.service.problems import RESPONSES
from lvm_core.service.state_shapes import JobAnswer, JobLog, JobRequest, Jobs

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=RESPONSES)

LATEST, MOST_LINES = 50, 1_000
LOOK_EVERY_S = 0.5


@router.get("")
async def jobs(request: Request, engine: Asked, state: str = "", latest: int = LATEST) -> Jobs:
    """List the running jobs, the queue in order, then the newest first."""
    states = (state,) if state else ()
    found = await while_there(request, engine.call(lambda: _store(engine).list(states, max(1, min(latest, 10_000)))))
    return Jobs(jobs=[job.to_json() for job in found], commands=await engine.call(job_commands))


@router.post("", status_code=201)
async def start(request: Request, body: JobRequest, engine: Asked) -> JobAnswer:
    """Queue a command; it starts at once if there is room, and goes on whatever becomes of this service."""

    def submit() -> JobAnswer:
        check_command(body.argv)
        return _one(engine, _store(engine).submit(body.argv, body.title))

    return await while_there(request, engine.call(submit))


@router.get("/{job}")
async def job(request: Request, job: str, engine: Asked) -> JobAnswer:
    """Return one job."""
    return await while_there(request, engine.call(lambda: _one(engine, job)))


@router.get("/{job}/log", response_model=JobLog)
async def log(request: Request, job: str, engine: Asked, lines: int = 40, follow: bool = False) -> Any:
    """Return the last lines of a job's log, or with `follow` a stream of it until the job ends.

    A stream has an event `log` with the lines of each look at which there are new ones, `job` with the job whenever it
    has changed, and `end` with the job as it ended.
    """
    if follow:
        await engine.call(lambda: _store(engine).get(job))
        return events.stream(_followed(engine, job))
    n_lines = max(1, min(lines, MOST_LINES))
    return await while_there(request, engine.call(lambda: _log(engine, job, n_lines)))


@router.post("/{job}/cancel")
async def cancel(request: Request, job: str, engine: Asked) -> JobAnswer:
    """Take a job out of the queue, or ask its process to end."""
    return await while_there(
        request, engine.call(lambda: JobAnswer(job=_store(engine).cancel(_known(engine, job)).to_json()))
    )


@router.post("/{job}/resume")
async def resume(request: Request, job: str, engine: Asked) -> JobAnswer:
    """Go on with a stopped job from its last checkpoint."""
    return await while_there(
        request, engine.call(lambda: JobAnswer(job=_store(engine).resume(_known(engine, job)).to_json()))
    )


@router.post("/{job}/retry", status_code=201)
async def retry(request: Request, job: str, engine: Asked) -> JobAnswer:
    """Queue the same command again, from the beginning."""
    return await while_there(request, engine.call(lambda: _one(engine, _store(engine).retry(_known(engine, job)))))


@router.delete("/{job}", status_code=204)
async def delete(request: Request, job: str, engine: Asked) -> Response:
    """Forget a job and its log; what it made stays."""
    await while_there(request, engine.call(lambda: _store(engine).delete(_known(engine, job))))
    return Response(status_code=204)


def _store(engine: Engine) -> JobStore:
    return JobStore(engine.workspace)


def _known(engine: Engine, job: str) -> str:
    return _store(engine).get(job).id


def _one(engine: Engine, job: str) -> JobAnswer:
    return JobAnswer(job=_store(engine).get(job).to_json())


def _log(engine: Engine, job: str, n_lines: int) -> JobLog:
    store = _store(engine)
    name = store.get(job).id
    return JobLog(log=store.log(name, n_lines), bytes=store.log_bytes(name))


async def _followed(engine: Engine, job: str) -> AsyncGenerator[bytes, None]:
    seen, shown = 0, None
    while True:
        state = await engine.call(lambda: _store(engine).get(job))
        size = await engine.call(lambda: _store(engine).log_bytes(job))
        if size != seen:
            found = await engine.call(lambda: _log(engine, job, MOST_LINES))
            seen = found.bytes
            yield events.event("log", found.model_dump())
        if state.state in ENDED:
            yield events.event("end", state.to_json())
            return
        if (now := (state.state, state.progress, state.message)) != shown:
            shown = now
            yield events.event("job", state.to_json())
        await asyncio.sleep(LOOK_EVERY_S)
