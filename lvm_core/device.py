"""Which device to compute on, and what to say of it."""

import contextlib
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lvm_core.errors import SettingsError

if TYPE_CHECKING:
    import torch


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


ARENAS, MAPPED_BYTES = 2, 4_000_000


@functools.cache
def hold_memory_together() -> None:
    """Have glibc keep what many threads allocate in two arenas, and map each large block by itself.

    Otherwise each thread that ever computed keeps an arena of its own, full of holes that no other thread uses: a
    server grows by a hundred megabytes now and then. A block of its own goes back to the system when it is freed
    (mallopt(3): M_ARENA_MAX, M_MMAP_THRESHOLD). Call it before the first thread computes.
    """
    import ctypes
    import sys

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
