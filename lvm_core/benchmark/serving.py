"""The service under load: many clients against one at a time, its memory, and how soon it is back after a kill.

The service is a process of its own, the clients are coroutines of this one; both share the machine. Each client reads
on in a place of its own: its context of five chunks moves on by one with each request, so one chunk of five is new.
"""

import asyncio
import contextlib
import itertools
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from lvm_core.benchmark.measure import Bench, Row, limit, rate, sample_texts
from lvm_core.errors import LvmError
from lvm_core.workspace import Workspace

CLIENTS, MANY, CONTEXT = 16, 64, 5
LEAST_PER_S, P95_MS, TIMES, DECODE_MS = 60.0, 400.0, 3.0, 1000.0
MEMORY_PERCENT, BACK_S, STARTING_S = 5.0, 10.0, 120.0


@dataclass(slots=True)
class Load:
    """What came of a load: milliseconds of each answer, statuses, seconds in all and of the service's processor."""

    took_ms: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return sum(status == 200 for status in self.statuses) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of the service's processor an answer: what other programs on the machine change least."""
        return 1000 * self.cpu_s / max(1, len(self.statuses))

    def at(self, share: float) -> float:
        """Return the milliseconds within which this share was answered."""
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Served:
    """A service as a process of its own."""

    def __init__(self, workspace: Workspace) -> None:
        """Start it on a free port, and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._workspace = workspace
        self._process = self._start()

    def memory_mb(self) -> float:
        """Return what it holds of the memory."""
        return float(psutil.Process(self._process.pid).memory_info().rss) / 1e6

    def cpu_s(self) -> float:
        """Return the seconds of processor that it has taken so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def back_s(self, body: dict[str, Any]) -> float:
        """Start it again and return the seconds until it has answered a question."""
        begun = time.perf_counter()
        self._process = self._start()
        httpx.post(f"{self.address}/predict", json=body, timeout=STARTING_S).raise_for_status()
        return time.perf_counter() - begun

    def _start(self) -> "subprocess.Popen[bytes]":
        words = ["serve", "--port", str(self._port), "--workspace", str(self._workspace.root)]
        with tempfile.TemporaryFile() as says:
            process = subprocess.Popen([sys.executable, "-m", "lvm_core", *words], stderr=says)
            until = time.monotonic() + STARTING_S
            while time.monotonic() < until and process.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{self.address}/health", timeout=5).status_code == 200:
                        return process
                time.sleep(0.05)
            process.kill()
            says.seek(0)
            last = says.read().decode(errors="replace").strip().rpartition("\n")[2] or "nothing"
        raise LvmError(
            f"The service does not answer; it said: {last}",
            "an answer at /health",
            f"Look at: lvm_core {' '.join(words)}",
        )


def service(bench: Bench) -> list[Row]:
    """Return how much the service answers, how soon, with how much memory, and how soon it is back."""
    texts, source = _reading(bench.workspace, 2_000 if not bench.small else 200)
    model = _model(bench.workspace)
    quick = {"models": [model], "decoder": "extractive" if _has_corpus(bench.workspace) else "none"}
    served = Served(bench.workspace)
    try:
        note = f"{source}, {model}, {quick['decoder']} texts, clients on the same machine"
        rows = _rates(served, texts, quick, bench, note)
        rows += _many(served, texts, quick, bench)
        rows += _decoding(served, texts, model, bench)
        return [*rows, _killed(served, texts, quick)]
    finally:
        served.kill()


def _rates(served: Served, texts: Sequence[str], quick: dict[str, Any], bench: Bench, note: str) -> list[Row]:
    seconds = 1.0 if bench.small else 10.0
    places = _places(texts, CLIENTS, 1)
    _run(served, places, quick, 1, seconds / 2)  # what is loaded for the first time is nobody's figure
    many: list[Load] = []
    one: list[Load] = []
    for _ in range(1 if bench.small else 3):
        many.append(_run(served, places, quick, CLIENTS, seconds))
        one.append(_run(served, places, quick, 1, seconds))
    together = statistics.median(load.per_s for load in many)
    alone = statistics.median(load.per_s for load in one)
    fresh = _run(served, _places(texts, CLIENTS, CONTEXT), quick, CLIENTS, seconds)
    p95 = statistics.median(load.at(0.95) for load in many)
    enough = Row("service", f"{CLIENTS} clients", together, None, "predictions/s",
                 f"at least {LEAST_PER_S:g} predictions/s", together >= LEAST_PER_S, note)  # fmt: skip
    return [
        enough,
        rate("service", f"{CLIENTS} clients against one at a time", together, alone, "predictions/s", TIMES),
        limit("service", f"{CLIENTS} clients, 95 of 100 answered within", p95, "ms", P95_MS),
        Row("service", f"{CLIENTS} clients, all chunks new", fresh.per_s, None, "predictions/s"),
        Row(
            "service",
            f"{CLIENTS} clients, processor a prediction, beside one at a time",
            statistics.median(load.cpu_ms for load in many),
            statistics.median(load.cpu_ms for load in one),
            "ms",
        ),
    ]


def _many(served: Served, texts: Sequence[str], quick: dict[str, Any], bench: Bench) -> list[Row]:
    n = 64 if bench.small else 1_000
    places = _places(texts, MANY, 1)
    _run(served, places, quick, MANY, n_requests=n // 2)
    before = served.memory_mb()
    load = _run(served, places, quick, MANY, n_requests=n)
    grown = 100 * (served.memory_mb() / before - 1)
    errors = sum(status not in (200, 429) for status in load.statuses)
    note = f"{before:,.0f} MB before, {sum(status == 429 for status in load.statuses)} answered 429"
    return [
        limit("service", f"{n:,} requests of {MANY} clients: errors but 429", errors, "errors", 0),
        limit("service", f"{n:,} requests of {MANY} clients: memory grows by", grown, "%", MEMORY_PERCENT, note),
    ]


def _decoding(served: Served, texts: Sequence[str], model: str, bench: Bench) -> list[Row]:
    body = {"models": [model], "decoder": "auto", "steps": 1, "use_cache": False}
    places = _places(texts, 1, 1)
    _run(served, places, body, 1, n_requests=1)
    load = _run(served, places, body, 1, n_requests=2 if bench.small else 20)
    note = f"95 of 100 within {load.at(0.95):,.0f} ms"
    return [limit("service", "decode at 1 step, one client, half within", load.at(0.5), "ms", DECODE_MS, note)]


def _killed(served: Served, texts: Sequence[str], quick: dict[str, Any]) -> Row:
    async def until_killed() -> None:
        work = asyncio.ensure_future(_load(served.address, _places(texts, CLIENTS, 1), quick, CLIENTS, 5.0, None))
        await asyncio.sleep(0.5)
        served.kill()
        await work

    asyncio.run(until_killed())
    back = served.back_s({**quick, "chunks": list(texts[:CONTEXT])})
    return limit("service", "killed under load, started again, has answered after", back, "s", BACK_S)


# ---------------------------------------------------------------- clients


def _run(
    served: Served, places: Sequence[Iterator[list[str]]], body: dict[str, Any], n_clients: int,
    seconds: float | None = None, n_requests: int | None = None,
) -> Load:  # fmt: skip
    before = served.cpu_s()
    load = asyncio.run(_load(served.address, places, body, n_clients, seconds, n_requests))
    load.cpu_s = served.cpu_s() - before
    return load


async def _load(
    address: str, places: Sequence[Iterator[list[str]]], body: dict[str, Any], n_clients: int,
    seconds: float | None, n_requests: int | None,
) -> Load:  # fmt: skip
    load, begun = Load(), time.perf_counter()
    left = itertools.count()

    def goes_on() -> bool:
        in_time = seconds is None or time.perf_counter() - begun < seconds
        return in_time and (n_requests is None or next(left) < n_requests)

    async def client(http: httpx.AsyncClient, place: Iterator[list[str]]) -> None:
        while goes_on():
            asked = time.perf_counter()
            try:
                answer = await http.post("/predict", json={**body, "chunks": next(place)})
            except httpx.HTTPError:
                load.statuses.append(0)
                return
            load.took_ms.append((time.perf_counter() - asked) * 1000)
            load.statuses.append(answer.status_code)
            if answer.status_code == 429:
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    async with _client(address, n_clients) as http:
        await asyncio.gather(*(client(http, places[i % len(places)]) for i in range(n_clients)))
    load.seconds = time.perf_counter() - begun
    return load


@contextlib.asynccontextmanager
async def _client(address: str, n: int) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=n, max_keepalive_connections=n)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=STARTING_S) as http:
        yield http


def _places(texts: Sequence[str], n: int, step: int) -> list[Iterator[list[str]]]:
    """Return the contexts of `n` readers, each beginning at its own place and moving on by `step` chunks."""

    def reading(start: int) -> Iterator[list[str]]:
        for i in itertools.count(start, step):
            yield [texts[(i + j) % len(texts)] for j in range(CONTEXT)]

    return [reading(i * len(texts) // n) for i in range(n)]


def _reading(workspace: Workspace, n: int) -> tuple[list[str], str]:
    """Return `n` chunks that follow one another in the workspace's largest corpus, else made-up sentences."""
    from lvm_core.corpus.store import CorpusStore

    store = CorpusStore(workspace)
    corpora = sorted(store.corpora(), key=lambda info: -info.n_chunks)
    if corpora and corpora[0].n_chunks >= n:
        return store.texts(corpora[0].name, 0, n), f"chunks of {corpora[0].name}"
    return sample_texts(workspace, n)


def _has_corpus(workspace: Workspace) -> bool:
    from lvm_core.encoders import DEFAULT_ENCODER, encoder_id
    from lvm_core.predict.corpus import open_corpus

    return open_corpus(workspace, encoder_id(DEFAULT_ENCODER), None)[0] is not None


def _model(workspace: Workspace) -> str:
    from lvm_core.checkpoint import list_models
    from lvm_core.encoders import DEFAULT_ENCODER, encoder_id
    from lvm_core.leaderboard.first import first_models

    return first_models(list_models(workspace, encoder_id(DEFAULT_ENCODER)))[0]
