"""`serve`: the studio over HTTP, for other programs to call."""

import argparse
import sys
import threading

from lvm_core import config
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

JOB = None
"""It runs until it is stopped."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    from lvm_core.service.settings import ServiceSettings

    config.add_arguments(parser, ServiceSettings)


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Serve until a signal to stop."""
    from lvm_core.service.app import make_app
    from lvm_core.service.engine import Engine
    from lvm_core.service.server import listen, serve
    from lvm_core.service.settings import ServiceSettings

    settings = config.from_namespace(ServiceSettings, namespace).checked()
    engine = Engine(workspace, settings)
    listening = [listen(make_app(engine), settings.host, settings.port)]
    for one in listening:
        print(f"{one.address} (what it takes: {one.address}/docs)", file=sys.stderr, flush=True)
    threading.Thread(target=_warm, args=(engine,), name="warm", daemon=True).start()
    try:
        serve(listening, settings)
    finally:
        engine.stop()
    return {"served": [one.address for one in listening]}


def _warm(engine: object) -> None:
    from lvm_core.errors import LvmError
    from lvm_core.service.engine import Engine

    assert isinstance(engine, Engine)
    try:
        engine.warm()
    except LvmError as error:
        print(f"note: {error}", file=sys.stderr, flush=True)


def report(result: Json) -> str:
    """Return what was served."""
    return f"stopped: {', '.join(result['served'])}"
