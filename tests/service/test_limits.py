"""What the service refuses, how it says so, and that nobody who hangs up costs anything."""

import asyncio
import json
import socket
import threading
import time

import httpx
import pytest
from fastapi import FastAPI

from lvm_core import abandoned
from lvm_core.errors import SettingsError
from lvm_core.service import problems
from lvm_core.service.keys import Keys
from lvm_core.service.lane import Stopping
from lvm_core.service.settings import ServiceSettings
from lvm_core.workspace import Workspace
from tests.library.serving import served
from tests.service.conftest import ASK, CONTEXT, Service, serve
from tests.service.test_together import Gate

HUGE = "9" * 400
DIM = 384


def refused(response: httpx.Response, status: int, *words: str) -> dict:
    """Return a problem, after a look that it is one and says `words`."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    said = response.json()
    assert all(word in said["detail"] for word in words), said["detail"]
    return said


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/predict", '{"chunks": []}', 422, ["holds no text"]),
        ("/predict", '{"chunks": ["x"], "steps": 99}', 422, ["steps is 99", "50"]),
        ("/predict", '{"chunks": ["x"], "stepz": 1}', 422, ["stepz", "no such field"]),
        ("/predict", '{"chunks": "x"}', 422, ["chunks is 'x'", "list"]),
        ("/predict", '{"chunks": ["x"], "models": ["nobody"]}', 404, ["no model 'nobody'"]),
        ("/predict", '{"chunks": ["x"], "encoder": "/etc"}', 404, ["no encoder '/etc'"]),
        ("/predict", '{"chunks": ["x"], "corpus": "nowhere"}', 404, ["no corpus 'nowhere'"]),
        ("/predict", '{"rows": [5, 2], "corpus": "enwiki-sample"}', 422, ["rows is [5, 2]"]),
        ("/predict", '{"rows": [9990, 9999], "corpus": "enwiki-sample"}', 422, ["Row 9990 is not in"]),
        ("/predict", '{"chunks": ["x"]', 400, ["no JSON", "Send the whole"]),
        ("/predict", "", 422, ["the body"]),
        ("/infer", '{"context_vectors": []}', 422, ["context_vectors"]),
        ("/infer", '{"context_vectors": [[]]}', 422, ["0 numbers in row 0", "384"]),
        ("/infer", '{"context_vectors": [[1, 2]]}', 422, ["2 numbers in row 0", "384"]),
        ("/infer", json.dumps({"context_vectors": [[float("nan")] * DIM]}), 422, ["NaN"]),
        ("/infer", json.dumps({"context_vectors": [[1e300] * DIM]}), 422, ["infinite"]),
        ("/infer", json.dumps({"context_vectors": [[0.0] * DIM]}), 422, ["zeros"]),
        ("/infer", f'{{"context_vectors": [[{HUGE}]]}}', 422, ["valid number"]),
        ("/infer", json.dumps({"context_vectors": [[1.0] * DIM], "model": "gone"}), 404, ["no model 'gone'"]),
        ("/decode", json.dumps({"vectors": [[1.0] * 768]}), 422, ["768 numbers", "384"]),
        ("/decode", json.dumps({"vectors": [[1.0] * DIM], "decoder": "nobody"}), 422, ["no decoder 'nobody'"]),
        ("/encode", '{"texts": ["a", " "]}', 422, ["Text 2 of 2 is empty"]),
        ("/search", '{"query": " "}', 422, ["query or vector"]),
        ("/rollout", '{"corpus": "enwiki-sample"}', 422, ["chunks or row"]),
        ("/jobs", '{"argv": ["rm", "-rf", "x"]}', 409, ["rm cannot be a job"]),
        ("/jobs", '{"argv": ["train", "--nonsense"]}', 409, ["--nonsense"]),
        ("/v1/embeddings", '{"input": [], "model": ""}', 422, ["input is empty"]),
        ("/v1/embeddings", '{"input": [1, 2], "model": ""}', 422, ["input"]),
    ],
)
def test_bad_input_is_said_in_words(service: Service, path: str, body: str, status: int, words: list[str]) -> None:
    response = service.ask("POST", path, content=body, headers={"Content-Type": "application/json"})
    said = refused(response, status, *words)
    assert said["given"]
    assert said["to_do"]


def test_too_much_is_refused_before_it_is_read(seeded_once: Workspace) -> None:
    one = serve(seeded_once, most_body_mb=0.001)
    refused(one.post("/predict", {"chunks": ["word " * 1000]}), 413, "0.001 MB")

    async def in_pieces():
        for _ in range(100):
            yield b"x" * 100

    refused(one.run(lambda client: client.post("/predict", content=in_pieces())), 413, "0.001 MB")
    one.engine.stop()
    one = serve(seeded_once)
    refused(one.post("/predict", {**ASK, "chunks": ["x"] * 10_000}), 422, "10,000 entries", "at most 100")
    one.engine.stop()


def test_a_body_that_does_not_come_is_given_up(seeded_once: Workspace) -> None:
    one = serve(seeded_once, body_limit_s=0.1)

    async def half():
        yield b'{"chunks": ['
        await asyncio.sleep(1)
        yield b'"x"]}'

    refused(one.run(lambda client: client.post("/predict", content=half())), 408, "0.1 s")
    one.engine.stop()


def test_strange_names_and_pages_of_strangers_are_refused(seeded_once: Workspace) -> None:
    one = serve(seeded_once)
    refused(one.get("/models", headers={"Host": "evil.example"}), 400, "'evil.example'", "localhost")
    refused(one.get("/models", headers={"Origin": "https://evil.example"}), 403, "'https://evil.example'")
    assert one.get("/health", headers={"Origin": "http://localhost:9000"}).status_code == 200
    assert "access-control-allow-origin" not in one.get("/health").headers
    plain = one.ask("POST", "/predict", content=json.dumps(ASK), headers={"Content-Type": "text/plain"})
    assert plain.status_code == 422, "what a form of a stranger's page can send is no request"
    one.engine.stop()
    one = serve(seeded_once, cors="https://lab.example", allowed_hosts="box")
    asked = one.get("/health", headers={"Host": "box:9000", "Origin": "https://lab.example"})
    assert asked.headers["access-control-allow-origin"] == "https://lab.example"
    one.engine.stop()
    with pytest.raises(SettingsError, match=r"cors is 'lab\.example'; expected origins"):
        ServiceSettings(cors="lab.example").checked()


def test_a_full_queue_says_when_to_come_back(seeded_once: Workspace) -> None:
    one = serve(seeded_once, most_waiting=2)

    async def work(client):
        gate = threading.Event()
        one.engine.quick.submit(Gate(), gate)
        while one.engine.quick.waiting:
            await asyncio.sleep(0.01)
        asked = [asyncio.ensure_future(client.post("/encode", json={"texts": CONTEXT})) for _ in range(2)]
        while one.engine.quick.waiting < 2:
            await asyncio.sleep(0.01)
        late = await client.post("/encode", json={"texts": CONTEXT})
        asked[0].cancel()
        await asyncio.sleep(0.05)
        instead = asyncio.ensure_future(client.post("/encode", json={"texts": CONTEXT}))
        await asyncio.sleep(0.05)
        gate.set()
        return late, await asked[1], await instead

    late, second, instead = one.run(work)
    refused(late, 429, "2 requests wait")
    assert 1 <= int(late.headers["Retry-After"]) <= 60
    assert second.status_code == 200
    assert instead.status_code == 200, "who hangs up gives the place free"
    one.engine.stop()


def test_what_nobody_waits_for_any_more_ends_and_the_lane_is_free(seeded_once: Workspace) -> None:
    one = serve(seeded_once)
    begun, ended = threading.Event(), threading.Event()

    def endless() -> None:
        begun.set()
        try:
            while True:
                abandoned.check()
                time.sleep(0.001)
        finally:
            ended.set()

    async def hang_up(client):
        asked = asyncio.ensure_future(one.engine.call(endless))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        asked.cancel()

    one.run(hang_up)
    assert ended.wait(30)
    assert one.post("/encode", {"texts": CONTEXT}).status_code == 200
    one.engine.stop()


def test_who_hangs_up_is_no_fault_and_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    async def gone() -> None:
        raise problems.Gone

    async def ask() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return (await client.get("/")).status_code

    assert asyncio.run(ask()) == problems.HUNG_UP
    assert not caplog.records


def test_when_grace_is_over_those_who_wait_are_told_and_the_work_ends(seeded_once: Workspace) -> None:
    one = serve(seeded_once)
    begun = threading.Event()

    def endless() -> None:
        begun.set()
        while True:
            abandoned.check()
            time.sleep(0.001)

    async def work(client):
        asked = asyncio.ensure_future(one.engine.call(endless))
        while not begun.is_set():  # else the lane may take both at once, and nothing waits
            await asyncio.sleep(0.01)
        late = asyncio.ensure_future(client.post("/encode", json={"texts": CONTEXT}))
        while not one.engine.quick.waiting:
            await asyncio.sleep(0.01)
        one.engine.abandon()
        with pytest.raises(Stopping):
            await asked
        return await late

    refused(one.run(work), 503, "is being stopped")
    assert one.engine.stop(30), "its thread has ended"


def test_half_a_head_is_not_waited_for(seeded_once: Workspace) -> None:
    with served(seeded_once, body_limit_s=0.2) as address:
        where = address.removeprefix("http://").split(":")
        with socket.create_connection((where[0], int(where[1])), timeout=30) as slow:
            slow.sendall(b"GET /health HTTP/1.1\r\nHost: local")
            assert slow.recv(100) == b"", "closed"
        with socket.create_connection((where[0], int(where[1])), timeout=30) as again:
            again.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert again.recv(4_000).startswith(b"HTTP/1.1 200")
            again.sendall(b"GET /health HTTP/1.1\r\nHost: local")
            left = again.recv(4_000)
            while left and not left.endswith(b"}"):
                left = again.recv(4_000)
            assert again.recv(100) == b"" if left else True, "closed, though it was asked something before"


def test_an_answer_that_takes_too_long_is_given_up(seeded_once: Workspace) -> None:
    one = serve(seeded_once, time_limit_s=0.2)
    gate = threading.Event()

    async def work(client):
        one.engine.quick.submit(Gate(), gate)
        return await client.post("/encode", json={"texts": CONTEXT})

    refused(one.run(work), 504, "0.2 s")
    gate.set()
    one.engine.stop()


def test_keys_are_asked_for_kept_as_hashes_and_forgotten(seeded: Workspace) -> None:
    keys = Keys(seeded)
    key = keys.make("notebook")
    assert key not in seeded.keys.read_text()
    assert seeded.keys.stat().st_mode & 0o077 == 0
    one = serve(seeded, need_key=True)
    assert one.get("/health").status_code == 200
    refused(one.get("/models"), 401, "no API key", "Authorization: Bearer")
    refused(one.get("/models", headers={"Authorization": "Bearer lvm_wrong"}), 401)
    assert one.get("/models", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert one.get("/models", headers={"X-API-Key": key}).status_code == 200
    with pytest.raises(SettingsError, match="There is a key 'notebook' already"):
        keys.make("notebook")
    keys.forget("notebook")
    refused(one.get("/models", headers={"Authorization": f"Bearer {key}"}), 401)
    with pytest.raises(SettingsError, match="There is no key 'notebook'"):
        keys.forget("notebook")
    one.engine.stop()


def test_a_model_that_goes_while_it_is_asked_is_missing_from_then_on(seeded: Workspace) -> None:
    import shutil

    from lvm_core.workspace import SHIPPED

    shutil.copytree(SHIPPED / "linear-filter-5", seeded.run("mine"))
    one = serve(seeded)
    assert one.post("/predict", {**ASK, "models": ["mine"]}).status_code == 200
    shutil.rmtree(seeded.run("mine"))
    refused(one.post("/predict", {**ASK, "models": ["mine"]}), 404, "no model 'mine'")
    one.engine.stop()
