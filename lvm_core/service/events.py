"""Server-sent events: `event: NAME`, `data: JSON`, an empty line."""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.responses import StreamingResponse

from lvm_core.service.problems import as_bytes

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def event(name: str, value: Any) -> bytes:
    """Return one event; JSON has no line break, so it is one line of data."""
    return b"event: " + name.encode() + b"\ndata: " + as_bytes(value) + b"\n\n"


def stream(events: AsyncGenerator[bytes, None]) -> StreamingResponse:
    """Return events as a response; when the client hangs up, the generator is closed."""
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)
