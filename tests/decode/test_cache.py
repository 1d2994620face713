"""The cache of decoded texts: quick, bounded, shared by processes, and never a reason to fail."""

import subprocess
import sys
import time

import numpy as np
import pytest

from lvm_core.decode.cache import DecodeCache, cache_key
from lvm_core.types import Decoded
from tests.decode.fakes import unit_vectors

TEXTS = [Decoded("first", "m", 0, 0.4), Decoded("Ünïcödé 月", "m", 1, 0.5)]


def test_what_is_put_comes_back_in_another_session(workspace):
    vector = unit_vectors(1, 384)[0]
    cache = DecodeCache(workspace)
    assert cache.get("d", 1, vector) is None
    assert not cache.path.exists(), "asking makes no file"
    cache.put("d", 1, vector, TEXTS)
    assert cache.get("d", 1, vector) == TEXTS
    cache.close()
    again = DecodeCache(workspace)
    assert again.get("d", 1, vector) == TEXTS
    assert len(again) == 1
    again.close()
    again.path.unlink()
    assert DecodeCache(workspace).get("d", 1, vector) is None, "it may be deleted at any moment"


def test_the_key_is_decoder_steps_and_three_decimals():
    vector = np.array([0.1234, -0.0001, 0.5], np.float32)
    near = np.array([0.1231, 0.0001, 0.5003], np.float32)
    assert cache_key("d", 1, vector) == cache_key("d", 1, near)
    far = np.array([0.1254, 0, 0.5], np.float32)
    keys = {cache_key("d", 1, vector), cache_key("d", 1, far), cache_key("d", 3, vector), cache_key("e", 1, vector)}
    assert len(keys) == 4


def test_a_hit_takes_less_than_five_milliseconds(workspace):
    cache = DecodeCache(workspace)
    vectors = unit_vectors(300, 384)
    for vector in vectors:
        cache.put("d", 1, vector, TEXTS)
    times = []
    for vector in vectors:
        begun = time.perf_counter()
        assert cache.get("d", 1, vector)
        times.append((time.perf_counter() - begun) * 1000)
    assert np.median(times) < 5


def test_the_least_recently_used_go_first(workspace):
    cache = DecodeCache(workspace, max_entries=10)
    vectors = unit_vectors(11, 8)
    for vector in vectors[:10]:
        cache.put("d", 1, vector, TEXTS)
        time.sleep(0.002)
    assert cache.get("d", 1, vectors[0])
    cache.put("d", 1, vectors[10], TEXTS)
    assert len(cache) == 10
    assert cache.get("d", 1, vectors[0]), "it was used"
    assert cache.get("d", 1, vectors[1]) is None


WRITER = """
import sys
import numpy as np
from lvm_core.decode.cache import DecodeCache
from lvm_core.types import Decoded
from lvm_core.workspace import Workspace
cache = DecodeCache(Workspace(sys.argv[1]))
for i in range(150):
    cache.put("d", int(sys.argv[2]) * 1000 + i, np.ones(4, np.float32), [Decoded("t", "m", 1, 0.5)])
cache.close()
assert not cache.trouble, cache.trouble
"""


def test_two_processes_write_at_once_and_lose_nothing(workspace):
    jobs = [subprocess.Popen([sys.executable, "-c", WRITER, str(workspace.root), str(n)]) for n in (1, 2)]
    assert [job.wait(timeout=60) for job in jobs] == [0, 0]
    assert len(DecodeCache(workspace)) == 300


@pytest.mark.parametrize("content", [b"", b"this is no database" * 400])
def test_a_damaged_file_is_replaced(workspace, content):
    workspace.make(workspace.root)
    workspace.decode_cache.write_bytes(content)
    cache = DecodeCache(workspace)
    vector = unit_vectors(1, 8)[0]
    assert cache.get("d", 1, vector) is None
    cache.put("d", 1, vector, TEXTS)
    assert cache.get("d", 1, vector) == TEXTS
    assert bool(content) == ("started afresh" in cache.trouble)


def test_a_file_damaged_while_open_is_replaced(workspace):
    cache = DecodeCache(workspace)
    for vector in unit_vectors(200, 8):
        cache.put("d", 1, vector, TEXTS)
    cache.close()
    blob = bytearray(workspace.decode_cache.read_bytes())
    blob[4096:] = b"\xff" * (len(blob) - 4096)
    workspace.decode_cache.write_bytes(blob)
    again = DecodeCache(workspace)
    vector = unit_vectors(1, 8)[0]
    assert again.get("d", 1, vector) is None
    again.put("d", 1, vector, TEXTS)
    assert again.get("d", 1, vector) == TEXTS
    assert "damaged" in again.trouble


def test_a_place_that_cannot_be_written_does_no_harm(workspace):
    workspace.root.parent.mkdir(parents=True, exist_ok=True)
    workspace.root.write_text("a file where the folder should be")
    cache = DecodeCache(workspace)
    vector = unit_vectors(1, 8)[0]
    cache.put("d", 1, vector, TEXTS)
    assert cache.get("d", 1, vector) is None
    assert "cannot be used" in cache.trouble
