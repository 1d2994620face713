"""The application: endpoints, errors, the guard before them, and what happens at its start and its end."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from lvm_core import __version__
from lvm_core.service import problems
from lvm_core.service.endpoints import ENDPOINTS
from lvm_core.service.engine import Engine
from lvm_core.service.guard import Guard

ABOUT = (
    "Latent vector models over HTTP: chunks of text in, the next chunk out, and everything between. Errors are problem"
    " details (RFC 9457) that say what was given, what was expected and what to do."
)


def make_app(engine: Engine) -> FastAPI:
    """Return the application of an engine, which it stops when it ends."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.stop()

    app = FastAPI(title="LVM Studio", version=__version__, description=ABOUT, lifespan=lifespan)
    app.state.engine = engine
    problems.install(app)
    for router in ENDPOINTS:
        app.include_router(router)
    guard(app, engine)
    return app


def guard(app: FastAPI, engine: Engine) -> None:
    """Put the guard, and the permissions for pages of other origins where there are some, before `app`."""
    origins = list(engine.settings.origins())
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(Guard, settings=engine.settings, knows=None)
