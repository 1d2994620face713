"""A service in this process, on a port of its own, for as long as a test asks it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lvm_core.service.app import make_app
from lvm_core.service.engine import Engine
from lvm_core.service.server import listen, serve
from lvm_core.service.settings import ServiceSettings
from lvm_core.workspace import Workspace


@contextmanager
def served(workspace: Workspace, **settings: Any) -> Iterator[str]:
    """Give the address of a service on `workspace`."""
    chosen = ServiceSettings(port=0, grace_s=1.0, **settings)
    listening = listen(make_app(Engine(workspace, chosen)), chosen.host, chosen.port)
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=([listening], chosen, stop), name="service", daemon=True)
    thread.start()
    try:
        yield listening.address
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
