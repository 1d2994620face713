"""The application: endpoints, errors, and the guard before them."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from lvm_core.service import problems
from lvm_core.service.endpoints import ENDPOINTS
from lvm_core.service.engine import Engine
from lvm_core.service.guard import Guard
from lvm_core.version import __version__

ABOUT = (
    "Latent vector models over HTTP: chunks of text in, the next chunk out, and everything between. Errors are problem"
    " details (RFC 9457) that say what was given, what was expected and what to do."
)


def make_app(engine: Engine) -> FastAPI:
    """Return the application of an engine."""
    app = FastAPI(title="LVM Studio", version=__version__, description=ABOUT)
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
    knows = engine.keys.knows if engine.settings.need_key else None
    app.add_middleware(Guard, settings=engine.settings, knows=knows, metrics=engine.metrics)
