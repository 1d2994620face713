"""Many requests at once: the answers are those of each alone, and who is wrong spoils nobody else's."""

import asyncio
import threading

import numpy as np

from tests.service.conftest import ASK, CONTEXT, Service
from tests.service.test_predict import without_times

ASKED = [
    {"chunks": CONTEXT, "models": ["context-mean", "linear-filter-5"], "snap": "both", "decoder": "extractive"},
    {"chunks": CONTEXT[1:], "models": ["linear-filter-5"], "decoder": "extractive", "snapping": {"k": 3}},
    {"chunks": CONTEXT * 3, "models": ["copy-last", "mlp"], "decoder": "none"},
    {"rows": [20, 24], "corpus": "enwiki-sample", "models": ["linear-filter-5"], "decoder": "extractive"},
    {"chunks": ["Whales sing."], "target": "They dive.", "models": ["mlp"], "decoder": "extractive"},
]
BAD = [{"chunks": [" "]}, {**ASK, "models": ["nobody"]}, {**ASK, "corpus": "nowhere"}]


def at_once(service: Service, bodies: list[dict]) -> list:
    """Return the responses to requests that all wait before the first is computed."""

    async def work(client):
        open_the_gate = threading.Event()
        service.engine.quick.submit(Gate(), open_the_gate)
        while service.engine.quick.waiting:  # else the lane could take requests together with it
            await asyncio.sleep(0.01)
        asked = [asyncio.ensure_future(client.post("/predict", json=body)) for body in bodies]
        while service.engine.quick.waiting < len(bodies):
            await asyncio.sleep(0.01)
        open_the_gate.set()
        return await asyncio.gather(*asked)

    return service.run(work)


class Gate:
    """Work that keeps a lane until it is let go."""

    def run(self, tickets) -> None:
        for ticket in tickets:
            ticket.request.wait(30)


def close(one, other) -> bool:
    """Return whether two answers are the same but for the last digits of numbers."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, atol=2e-3))
    return one == other


def test_together_is_as_alone_and_the_wrong_spoil_nobody(service: Service) -> None:
    alone = [service.post("/predict", body).json() for body in ASKED]
    mixed = [BAD[0], *ASKED[:2], BAD[1], *ASKED[2:], BAD[2]]
    together = at_once(service, mixed)
    assert [r.status_code for r in together] == [422, 200, 200, 404, 200, 200, 200, 404]
    answers = [r.json() for r in together if r.status_code == 200]
    for one, other in zip(alone, answers, strict=True):
        assert close(without_times(one), without_times(other))


def test_texts_of_many_are_encoded_in_one_call(service: Service, monkeypatch) -> None:
    plain = service.engine.encoder().plain
    calls = []
    encode = plain.encode
    monkeypatch.setattr(plain, "encode", lambda texts: (calls.append(len(texts)), encode(texts))[1])
    bodies = [{**ASK, "chunks": [f"Chapter {i} begins.", "It goes on."], "models": ["copy-last"]} for i in range(6)]
    assert all(r.status_code == 200 for r in at_once(service, bodies))
    assert calls == [7], "six beginnings, and what they share once"
