"""What every endpoint needs of a request: the engine behind it, and an end when nobody listens any more."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request
from starlette.responses import Response

from lvm_core.errors import SettingsError
from lvm_core.service.engine import Engine
from lvm_core.service.problems import Gone, as_bytes

R = TypeVar("R")


async def _engine(request: Request) -> Engine:  # not `def`: that would be called on a thread of its own
    return cast(Engine, request.app.state.engine)


Asked = Annotated[Engine, Depends(_engine)]


async def while_there(request: Request, work: Coroutine[Any, Any, R]) -> R:
    """Return what `work` gives; it is cancelled when the client hangs up.

    Raises:
        Gone: if the client did.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Gone
    finally:
        for task in (working, leaving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def as_json(value: Any) -> Response:
    """Return a value as a JSON response, without another look at its shape."""
    return Response(as_bytes(value), media_type="application/json")


def at_most(items: Sequence[Any], most: int, what: str, flag: str) -> None:
    """Check how many things a request holds.

    Raises:
        SettingsError: if they are more than `most`.
    """
    if len(items) > most:
        raise SettingsError(
            [f"{what} has {len(items):,} entries; expected at most {most:,}. Send fewer at once, or start the service"
             f" with a larger {flag}."]
        )  # fmt: skip
