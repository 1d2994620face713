"""The studio answers to its own names only: a page that points its name at this machine cannot drive it."""

import base64
import os
import socket
from collections.abc import Iterator

import pytest

from tests.app.studio import end, free_port, serve


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    number = free_port()
    process = serve(tmp_path_factory.mktemp("hosts") / "work space", number)
    yield number
    end(process)


def handshake(port: int, host: str, origin: str) -> str:
    """Return the status of the answer to a request for the page's websocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /_stcore/stream HTTP/1.1", f"Host: {host}", f"Origin: {origin}", "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", "",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return connection.recv(4_096).split(b" ")[1].decode()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_its_own_names_are_answered(port: int, name: str) -> None:
    assert handshake(port, f"{name}:{port}", f"http://{name}:{port}") == "101"


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_other_names_and_other_origins_are_refused(port: int, name: str) -> None:
    assert handshake(port, f"{name}:{port}", f"http://{name}:{port}") == "403"
    assert handshake(port, f"localhost:{port}", f"http://{name}:{port}") == "403"
