"""A service in this process: the real application on a workspace with twelve real articles, asked without a socket."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import httpx
import pytest

from lvm_core.service.app import make_app
from lvm_core.service.engine import Engine
from lvm_core.service.settings import ServiceSettings
from lvm_core.workspace import Workspace

CONTEXT = ["The crew reached the summit.", "They planted a flag there.", "The weather turned at noon."]
ASK = {"chunks": CONTEXT, "models": ["context-mean"], "decoder": "none"}


class Service:
    """A service that tests ask; each call runs an event loop of its own."""

    def __init__(self, engine: Engine, app: Any) -> None:
        self.engine, self.app = engine, app

    def run(self, work: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]) -> Any:
        """Return what `work` makes of a client."""

        async def inside() -> Any:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9000", timeout=60) as client:
                return await work(client)

        return asyncio.run(inside())

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the response to one request."""
        response: httpx.Response = self.run(lambda client: client.request(method, path, **options))
        return response

    def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        """Return the response to a JSON body."""
        return self.ask("POST", path, json=body, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Return the response to a question without a body."""
        return self.ask("GET", path, **options)


def serve(workspace: Workspace, **settings: Any) -> Service:
    """Return a service on a workspace."""
    engine = Engine(workspace, ServiceSettings(**settings).checked())
    return Service(engine, make_app(engine))


@pytest.fixture(scope="module")
def service(seeded_once: Workspace) -> Iterator[Service]:
    """Return a service to read from."""
    one = serve(seeded_once)
    yield one
    one.engine.stop()


@pytest.fixture(scope="module")
def module_patch() -> Iterator[pytest.MonkeyPatch]:
    """Return what patches for a whole module."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
