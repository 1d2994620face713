"""What a process does with memory and threads, seen from outside."""

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


SHAPES = """
from lvm_core.device import give_back_memory, hold_memory_together
hold_memory_together()
import torch

def resident():
    give_back_memory()
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) / 1000

weight, x = torch.zeros(1536, 384, dtype=torch.bfloat16), torch.zeros(900, 384, dtype=torch.bfloat16)
for rows in range(1, 900):
    torch.nn.functional.linear(x[:rows], weight)
    if rows == 100:
        before = resident()
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_products_of_ever_new_shapes_take_no_more_memory() -> None:
    done = subprocess.run([sys.executable, "-c", SHAPES], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100, "it was 340 with all of them kept"


SHARED = """
import threading, torch
from lvm_core.device import lone_threads, share_threads, threads, together

def seen_by(run):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(run()))
    thread.start(); thread.join()
    return seen[0]

torch.set_num_threads(3)
assert (together(torch.get_num_threads), threads()) == (3, 3)
seen_by(share_threads)
assert seen_by(lambda: together(torch.get_num_threads)) == 3
assert (threads(), torch.get_num_threads(), seen_by(torch.get_num_threads)) == (3, 3, 1)
pool = lone_threads(2, "two")
pool.submit(lambda: torch.ones(300, 300) @ torch.ones(300, 300)).result()
assert {*pool.map(lambda _: torch.get_num_threads(), range(8))} == {1}
assert (threads(), together(torch.get_num_threads), seen_by(torch.get_num_threads)) == (3, 3, 1)
"""


def test_where_threads_are_shared_one_has_them_all_and_all_others_compute_alone() -> None:
    subprocess.run([sys.executable, "-c", SHARED], check=True)
