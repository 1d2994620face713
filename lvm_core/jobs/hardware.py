"""What the machine is doing, and what of it a job takes."""

import shutil
import subprocess
import time
from dataclasses import dataclass

import psutil

GPU_EVERY_S = 2.0
GPU_TIMEOUT_S = 1.5


@dataclass(frozen=True, slots=True)
class Load:
    """CPU in percent of all cores, memory in bytes; `gpu` has percent, bytes used and bytes in all, or is None."""

    cpu: float
    n_cores: int
    memory: int
    memory_total: int
    gpu: tuple[float, int, int] | None


@dataclass(frozen=True, slots=True)
class Share:
    """What one process takes: CPU in percent of one core, resident bytes."""

    cpu: float
    memory: int


_processes: dict[int, psutil.Process] = {}
_gpu: tuple[float, tuple[float, int, int] | None] = (float("-inf"), None)


def load() -> Load:
    """Return the load since the last call."""
    memory = psutil.virtual_memory()
    return Load(psutil.cpu_percent(), psutil.cpu_count() or 1, memory.used, memory.total, _gpu_load())


def share(pid: int | None) -> Share | None:
    """Return what process `pid` took since the last call, None where it is gone."""
    if pid is None:
        return None
    try:
        process = _processes.setdefault(pid, psutil.Process(pid))
        return Share(process.cpu_percent(), process.memory_info().rss)
    except psutil.Error:
        _processes.pop(pid, None)
        return None


def _gpu_load() -> tuple[float, int, int] | None:
    """Return what the driver's own tool says, asked at most every two seconds; None without an NVIDIA GPU."""
    global _gpu
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    measured_at, load = _gpu
    if time.monotonic() - measured_at < GPU_EVERY_S:
        return load
    query = "--query-gpu=utilization.gpu,memory.used,memory.total"
    try:
        answer = subprocess.run(
            [tool, query, "--format=csv,noheader,nounits"], capture_output=True, text=True, timeout=GPU_TIMEOUT_S
        ).stdout
        percent, used, total = (float(word) for word in answer.splitlines()[0].split(","))
        load = (percent, int(used * 2**20), int(total * 2**20))
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        load = None
    _gpu = (time.monotonic(), load)
    return load
