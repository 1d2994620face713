"""A real server as a process: it answers, follows jobs, ends when it is told to, and says what is taken."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from lvm_core.errors import SettingsError
from lvm_core.service.server import listen
from lvm_core.workspace import Workspace
from tests.service.conftest import ASK, CONTEXT

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_an_answer_leaves_at_once() -> None:
    listening = listen(FastAPI(), "127.0.0.1", 0).socket
    with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        assert accepted.proto == socket.IPPROTO_TCP, "asyncio switches Nagle's algorithm off of no other"


def start(workspace: Workspace, *words: str) -> tuple[subprocess.Popen, str]:
    """Return a running service and its address."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "lvm_core",
        "serve",
        "--port",
        str(port),
        "--workspace",
        str(workspace.root),
        *words,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(process.stderr.read())
        try:
            httpx.get(f"{address}/health", timeout=5)
            return process, address
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the service does not answer")


@pytest.fixture
def served(seeded: Workspace) -> Iterator[tuple[subprocess.Popen, str]]:
    process, address = start(seeded)
    with process:
        yield process, address
        process.kill()


def test_it_answers_follows_a_job_and_stops(served: tuple[subprocess.Popen, str]) -> None:
    process, address = served
    with httpx.Client(base_url=address, timeout=120) as client:
        answer = client.post("/predict", json=ASK)
        assert answer.json()["context"] == len(CONTEXT)
        job = client.post("/jobs", json={"argv": ["corpora"], "title": "list"})
        assert job.status_code == 201
        name = job.json()["job"]["id"]
        with client.stream("GET", f"/jobs/{name}/log", params={"follow": True}) as stream:
            told = [line for line in stream.iter_lines() if line]
        assert told[-2] == "event: end"
        assert json.loads(told[-1].removeprefix("data: "))["state"] == "done"
        assert any("enwiki-sample" in line for line in client.get(f"/jobs/{name}/log").json()["log"])
        assert client.delete(f"/jobs/{name}").status_code == 204
        figures = client.get("/metrics").text
        assert 'lvm_requests_total{endpoint="/predict",status="200"} 1.0' in figures
        assert "process_resident_memory_bytes" in figures
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_the_predecessors_ports_are_of_the_same_process_and_what_is_under_way_ends(seeded: Workspace) -> None:
    offset = 20_000
    process, address = start(seeded, "--seed-ports", "--seed-offset", str(offset), "--seed-model", "9006=mlp")
    with process, httpx.Client(timeout=120) as client:
        assert client.get(f"http://127.0.0.1:{9006 + offset}/info").json()["model_type"] == "mlp"
        assert client.get(f"http://127.0.0.1:{8767 + offset}/health").json()["status"] == "healthy"
        assert client.get(f"{address}/models").status_code == 200
        with client.stream("POST", f"{address}/predict", json={**ASK, "stream": True}) as stream:
            process.send_signal(signal.SIGTERM)
            assert "event: end" in list(stream.iter_lines())
        assert process.wait(60) == 0


def test_a_port_that_is_taken_is_said_at_once(served: tuple[subprocess.Popen, str], seeded: Workspace) -> None:
    port = served[1].rpartition(":")[2]
    command = [sys.executable, "-m", "lvm_core", "serve", "--port", port, "--workspace", str(seeded.root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be listened to" in done.stderr
    assert "choose another --port" in done.stderr


@pytest.mark.parametrize("host", ["../x", "a" * 300, "300.1.1.1", ".", "a\nb"])
def test_what_can_be_no_host_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot be listened to .*; expected a free port of this machine"):
        listen(FastAPI(), host, 0)


def test_keys_are_made_on_the_command_line(workspace: Workspace) -> None:
    command = [sys.executable, "-m", "lvm_core", "serve", "--workspace", str(workspace.root), "--new-key", "laptop"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env=os.environ)
    assert done.returncode == 0
    assert done.stdout.startswith("lvm_")
    assert done.stdout.split()[0] not in workspace.keys.read_text()
