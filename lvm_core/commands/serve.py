"""`serve`: the studio over HTTP, for other programs to call."""

import argparse
import os
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
    parser.add_argument("--new-key", metavar="NAME", help="make an API key, show it this once, and serve nothing")
    parser.add_argument("--forget-key", metavar="NAME", help="take an API key away, and serve nothing")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Serve until a signal to stop, or make or forget a key.

    Raises:
        SettingsError: for settings out of bounds, a port that is taken, or a key's name that is none.
    """
    from lvm_core.service.keys import Keys

    keys = Keys(workspace)
    if namespace.new_key is not None:
        return {"name": namespace.new_key, "key": keys.make(namespace.new_key)}
    if namespace.forget_key is not None:
        keys.forget(namespace.forget_key)
        return {"forgotten": namespace.forget_key}
    return _served(namespace, workspace)


def _served(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    from lvm_core.device import hold_memory_together, share_threads
    from lvm_core.service.app import make_app
    from lvm_core.service.engine import Engine
    from lvm_core.service.seeds import seed_apps
    from lvm_core.service.server import listen, serve
    from lvm_core.service.settings import LOOPBACK, ServiceSettings

    hold_memory_together()
    share_threads()
    settings = config.from_namespace(ServiceSettings, namespace).checked()
    engine = Engine(workspace, settings)
    listening = [listen(make_app(engine), settings.host, settings.port)]
    if settings.seed_ports:
        listening += [listen(app, settings.host, port) for port, app in seed_apps(engine)]
    addresses = [one.address for one in listening]
    for one, address in zip(listening, addresses, strict=True):
        print(f"{address} {one.app.title} (what it takes: {address}/docs)", file=sys.stderr, flush=True)
    if settings.host not in LOOPBACK and not settings.need_key:
        print("note: whoever reaches this address can ask it and start jobs; --need-key asks for keys", file=sys.stderr)
    warming = threading.Thread(target=_warm, args=(engine,), name="warm", daemon=True)
    warming.start()
    try:
        serve(listening, settings, out_of_grace=engine.abandon)
    finally:  # a thread that computes while the interpreter goes would take it down with a crash
        ended = engine.stop(settings.grace_s)
        warming.join(settings.grace_s)
        if not ended or warming.is_alive():
            print("stopped in the middle of a computation that nobody waits for", file=sys.stderr, flush=True)
            os._exit(0)
    return {"served": addresses}


def _warm(engine: object) -> None:
    from lvm_core.errors import LvmError
    from lvm_core.service.engine import Engine

    assert isinstance(engine, Engine)
    try:
        engine.warm()
    except LvmError as error:
        print(f"note: {error}", file=sys.stderr, flush=True)


def report(result: Json) -> str:
    """Return what was served, or the key."""
    if "key" in result:
        return f"{result['key']}\nThis is shown once. Send it as the header Authorization: Bearer KEY."
    if "forgotten" in result:
        return f"The key '{result['forgotten']}' is refused from now on."
    return f"stopped: {', '.join(result['served'])}"
