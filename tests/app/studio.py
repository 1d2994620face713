"""A studio as `make app` runs it, for tests with a real browser."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(workspace: Path, port: int, first: str = "") -> "subprocess.Popen[bytes]":
    """Start a studio that reads in the corpus `first` by itself, and wait until it answers."""
    environment = {**os.environ, "LVM_WORKSPACE": str(workspace), "LVM_FIRST_CORPUS": first}
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    with (workspace.parent / "studio.log").open("a") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2).close()
            return process
        except OSError:
            assert process.poll() is None, "the studio ended at once"
            time.sleep(0.2)
    end(process)
    raise AssertionError("the studio did not answer within a minute")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop a studio, by force where it does not hear."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
