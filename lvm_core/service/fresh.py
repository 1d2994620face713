"""What is costly to find out and changes seldom, kept for a few seconds."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

R = TypeVar("R")

KEPT_S = 5.0
MOST = 256


class Fresh:
    """Values by key, each found out again when it is older than `kept_s`; safe across threads."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        """Start empty."""
        self._kept_s, self._lock = kept_s, threading.Lock()
        self._values: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, find: Callable[[], R]) -> R:
        """Return the value under `key`; what fails is not kept."""
        now = time.monotonic()
        with self._lock:
            until, value = self._values.get(key, (0.0, None))
        if now >= until:
            value = find()
            with self._lock:
                if len(self._values) >= MOST:
                    self._values.clear()
                self._values[key] = (now + self._kept_s, value)
        result: R = value
        return result
