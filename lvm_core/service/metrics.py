"""The service's figures for Prometheus: requests, how long they took, what waits, how much is computed together."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from lvm_core.service.lane import Lane

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.3, 2.5, 5, 10, 30, 60)
TOGETHER = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Figures of one engine."""

    MEDIA_TYPE = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        """Start at zero."""
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "lvm_requests", "Requests by endpoint and status.", ("endpoint", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "lvm_request_seconds", "From a request to the end of its answer.", ("endpoint",), buckets=SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._waiting = Gauge("lvm_waiting", "Requests that wait, by lane.", ("lane",), registry=self._registry)
        self._working = Gauge("lvm_working", "Requests being computed, by lane.", ("lane",), registry=self._registry)
        self._together = Histogram(
            "lvm_together", "Requests computed together, by lane.", ("lane",), buckets=TOGETHER, registry=self._registry
        )

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count a request that has been answered."""
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def batch(self, lane: str, n: int) -> None:
        """Count requests that were computed together."""
        self._together.labels(lane).observe(n)

    def text(self, lanes: Sequence[Lane]) -> bytes:
        """Return all figures in Prometheus's text format."""
        for lane in lanes:
            self._waiting.labels(lane.name).set(lane.waiting)
            self._working.labels(lane.name).set(lane.working)
        return generate_latest(self._registry)
