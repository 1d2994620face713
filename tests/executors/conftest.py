"""One real Ray cluster of two nodes a session, a core each, on this machine's loopback alone."""

import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NODE = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 100 * 2**20, "include_dashboard": False}
QUIET = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else Ray turns 127.0.0.1 into the address of an interface
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_agent_register_timeout_ms": "300000",  # on a busy machine a process needs long to begin
    "RAY_worker_register_timeout_seconds": "300",
}
START_S = 300.0


class TwoNodes:
    """The cluster: nodes called "one" (its head) and "two" that tests take away and bring back."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="lvm-ray-", dir="/tmp")
        os.environ["RAY_TMPDIR"] = self.folder  # where Ray notes the address of the latest cluster
        Path(self.folder, "ray").mkdir()
        self.start()

    def start(self) -> None:
        """Start both nodes."""
        from ray.cluster_utils import Cluster

        self._cluster: Any = Cluster(shutdown_at_exit=True)
        self.one = self._add("one", temp_dir=tempfile.mkdtemp(dir=self.folder))
        self.address = self._cluster.address
        self.two = self.add("two")

    def add(self, name: str, **variables: str) -> Any:
        """Start one more node, with these variables in its environment."""
        return self._add(name, **variables)

    def _add(self, name: str, temp_dir: str | None = None, **variables: str) -> Any:
        extra = {"temp_dir": temp_dir} if temp_dir else {}
        return self._cluster.add_node(wait=False, env_vars={"LVM_NODE": name, **variables}, **NODE, **_ports(), **extra)

    def lose(self, node: Any) -> None:
        """Kill all processes of a node."""
        self._cluster.remove_node(node, allow_graceful=False)

    def lose_head(self) -> None:
        """Kill -9 all processes of the head's node."""
        self._cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)

    def start_again(self) -> None:
        """Start both nodes anew, at an address of their own."""
        self.stop()
        self.start()

    def whole(self) -> None:
        """Bring node two back where a test took it away."""
        if self.two not in self._cluster.worker_nodes:
            self.two = self.add("two")

    def stop(self) -> None:
        """Kill every process of both nodes."""
        for node in [*self._cluster.worker_nodes, self._cluster.head_node]:
            node.kill_all_processes(check_alive=False, allow_graceful=False)


def _ports() -> dict[str, int]:
    """Return free ports: without them Ray's agents must have chosen theirs within 15 s, which a busy machine misses."""
    names = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return dict(zip(names, (one.getsockname()[1] for one in sockets), strict=True))


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Let a node take its time: Ray gives it 30 s, and its agents 15 s to write down their ports, fixed or not."""
    from ray._private import services

    get_node, start_raylet = services.get_node, services.start_raylet

    def patiently(*given: Any) -> Any:
        stop = time.monotonic() + START_S
        while True:
            try:
                return get_node(*given)
            except RuntimeError:
                if time.monotonic() > stop:
                    raise

    def port_first(*given: Any, **more: Any) -> Any:
        node_id, session = given[2], Path(given[11])
        port = more["dashboard_agent_listen_port"]
        (session / f"dashboard_agent_listen_port_{node_id}").write_text(str(port), encoding="utf-8")
        return start_raylet(*given, **more)

    services.get_node, services.start_raylet = patiently, port_first
    try:
        yield
    finally:
        services.get_node, services.start_raylet = get_node, start_raylet


@pytest.fixture(scope="session")
def two_nodes_once() -> Iterator[TwoNodes]:
    before = {name: os.environ.get(name) for name in (*QUIET, "RAY_TMPDIR")}
    os.environ.update(QUIET)
    with patience():
        cluster = TwoNodes()
        yield cluster
        cluster.stop()
        shutil.rmtree(cluster.folder, ignore_errors=True)
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture
def two_nodes(two_nodes_once: TwoNodes, monkeypatch: pytest.MonkeyPatch) -> TwoNodes:
    """Return the cluster with both nodes up, and its address where the studio looks for it."""
    two_nodes_once.whole()
    monkeypatch.setenv("LVM_RAY_ADDRESS", two_nodes_once.address)
    return two_nodes_once
