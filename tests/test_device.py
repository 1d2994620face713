"""What the process does with memory, seen from outside."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
import numpy as np
from lvm_core.device import hold_memory_together

def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1000

def work():
    for _ in range(3):
        large = np.ones(1_500_000)
        kept.append(bytes(2000))
        del large

if sys.argv[1] == "together":
    hold_memory_together()
kept, before = [], resident()
threads = [threading.Thread(target=work) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(resident() - before)
"""


def grown(how: str) -> float:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="it speaks of glibc")
def test_what_threads_free_goes_back_to_the_system() -> None:
    assert grown("together") < 20
