"""Work on several targets at once: each part on threads of its own, since small products gain little from many."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[Sequence[T]], list[R]], items: Sequence[T], least: int, threads: int) -> list[R]:
    """Return `work` of all items, done in parts of at least `least` items, as many at once as there are threads.

    Args:
        work: does a part; what it gives for an item must not depend on the other items.
        items: to work on.
        least: items that are worth a part.
        threads: torch's threads, shared out among the parts.
    """
    n_parts = max(1, min(threads, len(items) // least))
    if n_parts == 1:
        return work(items)
    edges = [len(items) * k // n_parts for k in range(n_parts + 1)]

    def part(k: int) -> list[R]:
        torch.set_num_threads(max(1, threads // n_parts))  # of this thread
        return work(items[edges[k] : edges[k + 1]])

    try:
        with ThreadPoolExecutor(n_parts) as pool:
            return [found for own in pool.map(part, range(n_parts)) for found in own]
    finally:
        torch.set_num_threads(threads)  # of threads to come, too
