"""Which device to compute on, and what to say of it."""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

from lvm_core.errors import SettingsError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    import torch

T = TypeVar("T")


def pick_device(name: str = "auto") -> "torch.device":
    """Return the device called `name`; "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        SettingsError: if the device is not on this machine.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "mps" if there["mps"] else "cpu")
    kind = name.split(":")[0]
    if not there.get(kind, False):
        found = ", ".join(k for k, here in there.items() if here)
        raise SettingsError([f"device is {name!r}; expected {found}, which this machine has, or 'auto'."])
    return torch.device(name)


def describe_device(device: "torch.device") -> str:
    """Return a short name of the hardware for cards, such as "cpu x86_64, 2 cores" or "cuda NVIDIA H100"."""
    import os
    import platform

    import torch

    if device.type == "cuda":
        return f"cuda {torch.cuda.get_device_name(device)}"
    return f"{device.type} {platform.machine()}, {os.cpu_count()} cores"


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute what is inside on one CPU thread: for a few small products, where threads only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.lru_cache(maxsize=8)
def lone_threads(n: int, name: str) -> "ThreadPoolExecutor":
    """Return a pool of `n` threads that live as long as the process, each of which computes on one CPU thread.

    Starting one on a busy machine takes longer than what it is to compute. Work of a pool must not wait for more work
    of the same pool.
    """
    return thread_pool(n, name, 1)


def thread_pool(n: int, name: str, threads_each: int) -> "ThreadPoolExecutor":
    """Return a new pool of `n` threads, each of which computes on so many CPU threads."""
    from concurrent.futures import ThreadPoolExecutor

    import torch

    ready = threading.Barrier(n + 1)

    def begin() -> None:
        torch.get_num_threads()  # otherwise torch gives the thread its own number anew when it first computes
        torch.set_num_threads(threads_each)
        ready.wait()

    to_come = 1 if _team else torch.get_num_threads()
    pool = ThreadPoolExecutor(n, name)
    for _ in range(n):
        pool.submit(begin)
    ready.wait()
    # torch gives threads yet to come the last number that any thread was given
    other = threading.Thread(target=torch.set_num_threads, args=(to_come,))
    other.start()
    other.join()
    return pool


_team: "tuple[ThreadPoolExecutor, int] | None" = None
"""The thread that computes with all of torch's threads, and how many they are, once they are shared."""


def share_threads() -> None:
    """Have one thread of this process compute with all of torch's threads, and all others alone, from now on.

    In a server many threads compute now and then. Each would keep a team of its own, and libgomp, which then sees more
    threads than cores, lets every team wait passively: a text takes half as long again. See `together`. Call it
    before a thread that stays computes.
    """
    global _team
    import torch

    if _team is None:
        n = torch.get_num_threads()
        _team = thread_pool(1, "together", n), n
        torch.set_num_threads(1)  # here, and of all threads to come


def together(work: Callable[[], T]) -> T:
    """Return `work()`, done by the one thread that has all of torch's threads where they are shared, else here.

    It must not call `together` again.
    """
    return _team[0].submit(copy_context().run, work).result() if _team else work()


def threads() -> int:
    """Return how many of torch's threads this process may use on the CPU."""
    import torch

    return _team[1] if _team else torch.get_num_threads()


ARENAS, MAPPED_BYTES = 2, 4_000_000

SHAPES_REMEMBERED = 32
"""Shapes of products that each thread keeps ready for oneDNN: more than the nets at work come back to."""


@functools.cache
def hold_memory_together() -> None:
    """Have glibc keep what many threads allocate in two arenas, and map each large block by itself.

    Otherwise each thread that ever computed keeps an arena of its own, full of holes that no other thread uses: a
    server grows by a hundred megabytes now and then. A block of its own goes back to the system when it is freed
    (mallopt(3): M_ARENA_MAX, M_MMAP_THRESHOLD). Call it before the first thread computes.

    torch also keeps, for each thread and for each of the last 1,024 shapes, what oneDNN made ready for a product in
    bfloat16. Texts have ever new shapes, so a server grew by 1.5 MB with each prediction; so many are not needed.
    """
    import ctypes
    import os
    import sys

    os.environ.setdefault("LRU_CACHE_CAPACITY", str(SHAPES_REMEMBERED))  # read by ideep, once a thread
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(-8, ARENAS)
            mallopt(-3, MAPPED_BYTES)


def give_back_memory() -> None:
    """Return to the system what was freed: glibc keeps it for the thread that had it, and pages run on many threads."""
    import ctypes
    import sys

    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none, and keeps nothing
        if trim is not None:
            trim(0)


def has_fast_bf16() -> bool:
    """Return whether this CPU multiplies bfloat16 natively (AVX512-BF16 or AMX), where it is 2 to 5 times fp32."""
    from pathlib import Path

    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return False
    flags = cpuinfo.read_text(errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def peak_memory() -> int:
    """Return the most bytes of memory that this process held, since `forget_peak_memory` where the system can forget.

    On Linux it is the kernel's own mark: `ru_maxrss` there begins with the memory of the process that started this one.
    """
    import resource
    import sys
    from pathlib import Path

    status = Path("/proc/self/status")
    if status.exists():
        line = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget_peak_memory() -> None:
    """Begin the mark of `peak_memory` anew, where the system can."""
    from pathlib import Path

    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
