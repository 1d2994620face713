"""How texts are checked, grouped by length, and spread over the threads before a net sees them."""

from collections.abc import Callable, Sequence

import numpy as np

from lvm_core import abandoned
from lvm_core.device import lone_threads, threads
from lvm_core.errors import EncoderError
from lvm_core.types import Rows, Vectors

TOKENS_PER_BATCH = 1024
"""Padded tokens of one batch on a CPU: its activations stay in the cache."""

SPLIT_FROM_TOKENS = 48
"""Fewer tokens than this are not worth a second thread."""


def check_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts as a list.

    Raises:
        EncoderError: naming the first text that is empty, not a string, or not valid Unicode.
    """
    if isinstance(texts, str):
        raise EncoderError("encode was given one string", "a list of texts", "Put it in a list.")
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise EncoderError(f"Text {number} is {type(text).__name__}", "a string", "Leave it out, or make it text.")
        if not text.strip():
            raise EncoderError(f"Text {number} of {len(texts)} is empty", "at least one word", "Leave it out.")
        if not _is_unicode(text):
            raise EncoderError(
                f"Text {number} holds half a surrogate pair",
                "whole characters",
                "Read the file as UTF-8 with errors='replace'.",
            )
    return list(texts)


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def batches(lengths: Sequence[int], n_threads: int = 1, tokens: int = TOKENS_PER_BATCH) -> list[Rows]:
    """Return positions in `lengths`, longest first, grouped so that a padded batch has at most `tokens` tokens.

    The longest come first, so that a batch that is too large for the memory fails at once. A few short texts are
    dealt out to the threads instead.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    order: Rows = np.argsort(-sizes, kind="stable")
    total = int(sizes.sum())
    if n_threads > 1 and SPLIT_FROM_TOKENS <= total <= tokens:
        return [group for i in range(n_threads) if len(group := order[i::n_threads])]
    groups: list[Rows] = []
    start = 0
    while start < len(order):
        size = max(1, tokens // max(1, int(sizes[order[start]])))
        groups.append(order[start : start + size])
        start += size
    return groups


def run_batches(groups: Sequence[Rows], forward: Callable[[Rows], Vectors], out: Vectors, n_threads: int) -> None:
    """Fill `out[group]` with `forward(group)` for every group, on `n_threads` threads.

    A thread computes its batch alone: threads that share every matrix product wait for each other at its end, which
    on a busy machine costs more than the product: one sentence on two threads took 500 ms there, on one 12.
    """
    if n_threads < 2:
        for group in groups:
            abandoned.check()
            out[group] = forward(group)
        return
    pool = lone_threads(n_threads, "encode")
    futures = [(group, pool.submit(forward, group)) for group in groups]
    try:
        for group, future in futures:
            abandoned.check()
            out[group] = future.result()
    finally:
        for _, future in futures:
            future.cancel()


def cpu_threads(device_type: str) -> int:
    """Return how many batches to compute side by side: torch's threads on a CPU, 1 on an accelerator."""
    return threads() if device_type == "cpu" else 1
