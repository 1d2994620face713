"""What every request passes before an endpoint sees it: host name, size, pace, API key."""

import asyncio
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lvm_core.boundary.files import quoted
from lvm_core.service.metrics import Metrics
from lvm_core.service.problems import HUNG_UP, of_http, problem
from lvm_core.service.settings import ServiceSettings

OPEN = ("/health",)
"""Paths that need no key: whoever watches over the service must see that it lives."""


CLOSE = {"Connection": "close"}
"""What is left of a body that is refused is not read."""


def too_large(settings: ServiceSettings) -> HTTPException:
    """Return what is raised where more comes than may."""
    return HTTPException(
        413, f"The body is larger than it may be; expected at most {settings.most_body_mb:g} MB. Send less at once, or"
        " start the service with a larger --most-body-mb.", CLOSE
    )  # fmt: skip


def too_slow(settings: ServiceSettings) -> HTTPException:
    """Return what is raised where a body does not come in time."""
    return HTTPException(
        408,
        f"The body was not there after {settings.body_limit_s:g} s; expected the whole of it. Send it again.",
        CLOSE,
    )


class Guard:
    """Refuses what comes under a strange name, without a key, too large or too slowly.

    A page of a stranger that is open in somebody's browser can reach a service on the same machine by a name of its own
    that leads here (DNS rebinding); it cannot change the name that the browser sends.
    """

    def __init__(
        self, app: ASGIApp, settings: ServiceSettings, knows: Callable[[str], bool] | None, metrics: Metrics
    ) -> None:
        """Stand before `app`; `knows` says of an API key whether it is one, None where none is needed."""
        self._app, self._settings, self._knows, self._metrics = app, settings, knows, metrics
        self._names, self._origins = settings.names(), settings.origins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), HUNG_UP

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._pass(scope, receive, counted)
        finally:
            endpoint = getattr(scope.get("route"), "path", "other")
            self._metrics.request(endpoint, status, time.perf_counter() - begun)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _Body(receive, self._settings).receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        name = host_name(headers.get("host", ""))
        if self._names != ("*",) and name not in self._names:
            return problem(
                400, f"The request is for the host {quoted(name)}; expected one of {', '.join(self._names)}. Call it by"
                " one of these, or start the service with --allowed-hosts."
            )  # fmt: skip
        origin = headers.get("origin", "")
        if origin and not self._is_ours(origin, headers.get("host", "")):
            return problem(
                403, f"The request comes from a page of {quoted(origin)}; expected one of this service itself. Start"
                " the service with --cors and that origin."
            )  # fmt: skip
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._settings.most_body_bytes:
            return of_http(too_large(self._settings))
        preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if self._knows is None or scope["path"] in OPEN or preflight or self._knows(key_of(headers)):
            return None
        return problem(
            401, "The request has no API key that is known here; expected the header Authorization: Bearer KEY. Make"
            " one with: python -m lvm_core serve --new-key NAME", headers={"WWW-Authenticate": "Bearer"}
        )  # fmt: skip

    def _is_ours(self, origin: str, host: str) -> bool:
        """Return whether a page of `origin` may ask: one of this service, or one that the settings name."""
        return "*" in self._origins or origin in self._origins or origin.partition("://")[2].lower() == host.lower()


class _Body:
    """The way a body comes in, counted and timed."""

    def __init__(self, receive: Receive, settings: ServiceSettings) -> None:
        self._receive, self._settings, self._n_bytes, self._whole = receive, settings, 0, False
        self._until = asyncio.get_running_loop().time() + settings.body_limit_s

    async def receive(self) -> Message:
        """Return the next message; once the body is whole there is no hurry."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise too_slow(self._settings) from None
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes > self._settings.most_body_bytes:
            raise too_large(self._settings)
        self._whole = not message.get("more_body", False)
        return message


def host_name(host: str) -> str:
    """Return the name in a Host header, without its port, in small letters."""
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def key_of(headers: Headers) -> str:
    """Return the API key of a request, "" where it has none."""
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "").strip()
