"""The predecessor's ports with its requests and answers, so that the clients it has work unchanged.

Source: the system that this studio grew from; one service a model on 9001 to 9006, and the services around them. A port
is one entry of `AROUND`, or one of the setting `seed_models`.
"""

from collections.abc import Callable, Iterator

from fastapi import APIRouter, FastAPI

from lvm_core.service import problems
from lvm_core.service.app import guard
from lvm_core.service.engine import Engine
from lvm_core.service.seeds import chunk, embed, infer, ingest, tmd
from lvm_core.version import __version__

AROUND: dict[int, tuple[str, Callable[[], APIRouter]]] = {
    8001: ("semantic chunker", chunk.router),
    8002: ("TMD router", tmd.router),
    8004: ("ingest", ingest.router),
    8766: ("decoder", embed.router),
    8767: ("embeddings", embed.router),
}
"""Port, what it is, and its endpoints."""


def seed_apps(engine: Engine) -> Iterator[tuple[int, FastAPI]]:
    """Yield each port of the predecessor with the application that answers there.

    Raises:
        SettingsError: if the table of ports has something else than ports and models.
    """
    offset = engine.settings.seed_offset
    for port, model in engine.settings.seed_table().items():
        yield port + offset, _app(engine, f"model {model}", infer.router(model))
    for port, (title, make) in AROUND.items():
        yield port + offset, _app(engine, title, make())


def _app(engine: Engine, title: str, router: APIRouter) -> FastAPI:
    app = FastAPI(title=f"LVM Studio, {title}", version=__version__)
    app.state.engine = engine
    problems.install(app)
    app.include_router(router)
    guard(app, engine)
    return app
