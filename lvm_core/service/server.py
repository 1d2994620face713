"""The service as a process: sockets first, so that a taken port is said at once, then one event loop for all."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from lvm_core.errors import SettingsError
from lvm_core.service.settings import ServiceSettings

BACKLOG = 512
KEPT_ALIVE_S = 75
"""Seconds that an idle connection stays open: a client that asks just when it is closed gets no answer."""

MOMENT_S = 3
"""For answering that there is no answer."""


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
        made.listen(BACKLOG)  # from now on who calls waits, and is not turned away
    except (OSError, UnicodeError) as error:  # the latter for what can be no name of a host
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            [f"{host}:{port} cannot be listened to ({reason}); expected a free port of this machine."
             " Stop what listens there, or choose another --port."]
        ) from error  # fmt: skip
    return Listening(app, made)


class _Server(uvicorn.Server):
    """A server that is one of several: signals are for all of them, so they are taken once, outside."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def serve(
    all_of: Sequence[Listening],
    settings: ServiceSettings,
    stop: threading.Event | None = None,
    out_of_grace: Callable[[], None] = lambda: None,
) -> None:
    """Answer until a signal to stop (or `stop`), then let what is under way end.

    Args:
        all_of: applications and their sockets.
        settings: the time for requests under way.
        stop: ends it from another thread.
        out_of_grace: called when that time is over and something is still under way; it then has a moment to end.
    """
    asyncio.run(_serve(all_of, settings, stop, out_of_grace))


def _in_time(limit_s: float) -> type[H11Protocol]:
    """Return the HTTP protocol that closes a connection on which the head of a request does not come in time.

    The body has its own limit (`guard`), and between requests uvicorn's keep-alive holds.
    """

    class InTime(H11Protocol):
        _due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._due = self.loop.call_later(limit_s, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            waits = self.conn.their_state is h11.IDLE and (self.cycle is None or bool(self.conn.trailing_data[0]))
            if not waits:
                self._forget()
            elif self._due is None:
                self._due = self.loop.call_later(limit_s, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _forget(self) -> None:
            if self._due is not None:
                self._due.cancel()
                self._due = None

    return InTime


async def _serve(
    all_of: Sequence[Listening],
    settings: ServiceSettings,
    stop: threading.Event | None,
    out_of_grace: Callable[[], None],
) -> None:
    protocol = _in_time(settings.body_limit_s)
    servers = [
        _Server(
            uvicorn.Config(
                one.app, log_level="warning", access_log=False, backlog=BACKLOG, server_header=False,
                timeout_keep_alive=KEPT_ALIVE_S,
                timeout_graceful_shutdown=round(settings.grace_s) + MOMENT_S, lifespan="off", http=protocol,
            )
        )
        for one in all_of
    ]  # fmt: skip
    told = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
    watching = asyncio.ensure_future(_until_told(servers, told, stop, settings.grace_s, out_of_grace))
    try:
        await asyncio.gather(*(s.serve(sockets=[one.socket]) for s, one in zip(servers, all_of, strict=True)))
    finally:
        watching.cancel()


async def _until_told(
    servers: Sequence[uvicorn.Server],
    told: asyncio.Event,
    stop: threading.Event | None,
    grace_s: float,
    out_of_grace: Callable[[], None],
) -> None:
    """When one server stops, or is told to, all of them do; what is under way then has `grace_s` seconds."""
    while not any(server.should_exit for server in servers) and not told.is_set() and not (stop and stop.is_set()):
        await asyncio.sleep(0.1)
    for server in servers:
        server.should_exit = True
    await asyncio.sleep(grace_s)
    out_of_grace()
