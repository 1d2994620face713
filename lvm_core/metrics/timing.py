"""How long a call takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

N_BURSTS = 5


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall-clock times of one call in milliseconds: median and 95th percentile of the quietest of five bursts."""

    median_ms: float
    p95_ms: float
    n_calls: int


def latency(call: Callable[[], object], n_calls: int = 100, n_warm: int = 5, budget_s: float = 0.5) -> Latency:
    """Return how long `call` takes; stops after `n_calls` or `budget_s` seconds, whichever is first, at least 3 calls.

    The calls are cut into five bursts and the quietest one is taken, because another program on the machine would
    move the median of all of them.
    """
    for _ in range(n_warm):
        call()
    times: list[float] = []
    end = time.perf_counter() + budget_s
    while len(times) < 3 or (len(times) < n_calls and time.perf_counter() < end):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    size = max(3, len(times) // N_BURSTS)
    bursts = [times[i : i + size] for i in range(0, len(times) - size + 1, size)]
    quiet = sorted(min(bursts, key=median))
    return Latency(median(quiet), quiet[min(size - 1, int(0.95 * size))], len(times))


def efficiency(cosine: float, latency_ms: float) -> float:
    """Return cosine / milliseconds x 1000, the seeds' measure of quality a second."""
    return cosine / latency_ms * 1000 if latency_ms > 0 else float("nan")


def batch_speedup(single_ms: float, batch_ms: float, batch_size: int) -> float:
    """Return how many times faster a query is in a batch than alone."""
    return single_ms * batch_size / batch_ms if batch_ms > 0 else float("nan")
