"""The service as a process: sockets first, so that a taken port is said at once, then one event loop for all."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from lvm_core.errors import SettingsError
from lvm_core.service.settings import ServiceSettings

BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Listening:
    """An application and the socket that it answers on."""

    app: FastAPI
    socket: socket.socket

    @property
    def address(self) -> str:
        """Where it is reached."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def listen(app: FastAPI, host: str, port: int) -> Listening:
    """Return `app` with a socket that is bound to `host` and `port`.

    Raises:
        SettingsError: if the address is taken or none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio leaves Nagle on: +40 ms
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError as error:
        raise SettingsError(
            [f"{host}:{port} cannot be listened to ({error.strerror or error}); expected a free port of this machine."
             " Stop what listens there, or choose another --port."]
        ) from error  # fmt: skip
    return Listening(app, made)


class _Server(uvicorn.Server):
    """A server that is one of several: signals are for all of them, so they are taken once, outside."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def serve(all_of: Sequence[Listening], settings: ServiceSettings, stop: threading.Event | None = None) -> None:
    """Answer until a signal to stop (or `stop`), then let what is under way end.

    Args:
        all_of: applications and their sockets.
        settings: the time for requests under way.
        stop: ends it from another thread.
    """
    asyncio.run(_serve(all_of, settings, stop))


async def _serve(all_of: Sequence[Listening], settings: ServiceSettings, stop: threading.Event | None) -> None:
    servers = [
        _Server(
            uvicorn.Config(
                one.app, log_level="warning", access_log=False, backlog=BACKLOG, server_header=False,
                timeout_graceful_shutdown=max(1, round(settings.grace_s)), lifespan="off",
            )
        )
        for one in all_of
    ]  # fmt: skip
    told = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
    watching = asyncio.ensure_future(_until_told(servers, told, stop))
    try:
        await asyncio.gather(*(s.serve(sockets=[one.socket]) for s, one in zip(servers, all_of, strict=True)))
    finally:
        watching.cancel()


async def _until_told(servers: Sequence[uvicorn.Server], told: asyncio.Event, stop: threading.Event | None) -> None:
    """When one server stops, or is told to, all of them do."""
    while not any(server.should_exit for server in servers) and not told.is_set() and not (stop and stop.is_set()):
        await asyncio.sleep(0.1)
    for server in servers:
        server.should_exit = True
