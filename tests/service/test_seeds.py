"""The predecessor's clients work unchanged: its requests byte for byte, its fields in the answers."""

import json

import numpy as np
import pytest

from lvm_core.encoders import load_encoder
from lvm_core.service.seeds import AROUND, seed_apps
from lvm_core.service.settings import SEED_MODELS
from tests.service.conftest import CONTEXT, Service

PARAGRAPH = " ".join(CONTEXT * 3)


@pytest.fixture(scope="module")
def ports(service: Service, module_patch: pytest.MonkeyPatch) -> dict[int, Service]:
    """Return what answers on each port; texts are real chunks, which take no seconds."""
    module_patch.setattr("lvm_core.predict.text.available_decoders", lambda *_: ["extractive"])
    return {port: Service(service.engine, app) for port, app in seed_apps(service.engine)}


@pytest.fixture(scope="module")
def vectors() -> list[list[float]]:
    return load_encoder(device="cpu").encode(CONTEXT).tolist()


def send(port: Service, path: str, body: str) -> dict:
    """Return the answer to bytes as the predecessor's clients send them."""
    response = port.ask("POST", path, content=body.encode(), headers={"Content-Type": "application/json"})
    assert response.status_code == 200, response.text
    return response.json()


def test_every_port_of_the_predecessor_is_there(ports: dict[int, Service]) -> None:
    assert set(ports) == {*SEED_MODELS, *AROUND}
    assert all(port.get("/health").json()["status"] == "healthy" for port in ports.values())


@pytest.mark.parametrize("number", sorted(SEED_MODELS))
def test_a_model_port_infers_chats_and_says_what_it_is(ports, vectors, number: int) -> None:
    port = ports[number]
    three = json.dumps(vectors)
    said = send(port, "/infer", f'{{"context_vectors": {three}, "temperature": 1.0, "normalize": true}}')
    assert set(said) == {"predicted_vector", "confidence", "latency_ms", "model_type", "device"}
    assert np.linalg.norm(said["predicted_vector"]) == pytest.approx(1, abs=1e-4)
    both = send(port, "/infer/batch", f'{{"context_vectors": [{three}, {three}]}}')
    np.testing.assert_allclose(both["predicted_vectors"], [said["predicted_vector"]] * 2, atol=1e-5)
    messages = json.dumps(CONTEXT)
    chat = send(port, "/chat", f'{{"messages": {messages}, "temperature": 1.0, "decode_steps": 1, "auto_chunk": true}}')
    assert {"response", "confidence", "latency_breakdown", "total_latency_ms", "chunks_used", "chunking_applied",
            "input_chunks", "timings", "ctx_fill_mode"} <= set(chat)  # fmt: skip
    assert chat["response"]
    assert {"encoding_ms", "lvm_inference_ms", "decoding_ms", "cache_hit"} <= set(chat["latency_breakdown"])
    assert port.get("/info").json()["model_type"] == SEED_MODELS[number]
    assert port.get("/metrics").json()["slo_metrics"]["total_requests"] >= 1


@pytest.mark.parametrize(
    ("body", "n_chunks", "cut"),
    [
        ({"paragraph": PARAGRAPH}, 5, True),
        ({"messages": [PARAGRAPH], "chunk_mode": "adaptive"}, 5, True),
        ({"messages": [PARAGRAPH], "chunk_mode": "sentence"}, 9, True),
        ({"messages": [PARAGRAPH], "chunk_mode": "off"}, 1, False),
        ({"messages": [PARAGRAPH], "auto_chunk": False}, 1, False),
        ({"messages": CONTEXT, "chunk_mode": "fixed"}, 3, False),
    ],
)
def test_long_messages_are_cut_as_the_mode_says(ports, body: dict, n_chunks: int, cut: bool) -> None:
    answer = ports[9001].post("/chat", body).json()
    assert (answer["input_chunks"], answer["chunking_applied"]) == (n_chunks, cut)


def test_passthrough_uses_no_model(ports) -> None:
    answer = ports[9005].post("/chat", {"messages": CONTEXT}).json()
    assert (answer["ctx_fill_mode"], answer["confidence"]) == ("passthrough", 1.0)


@pytest.mark.parametrize(
    "body", [{}, {"messages": CONTEXT, "paragraph": "Both."}, {"messages": CONTEXT, "decode_steps": 0}]
)
def test_a_chat_that_cannot_be_is_refused(ports, body: dict) -> None:
    response = ports[9001].post("/chat", body)
    assert response.status_code == 422
    assert response.json()["detail"]


def test_the_services_around_the_models_answer_in_their_form(ports, vectors) -> None:
    chunked = send(ports[8001], "/chunk", json.dumps({"text": PARAGRAPH, "mode": "simple", "max_chunk_size": 320}))
    assert [c["text"] for c in chunked["chunks"]] == CONTEXT * 3
    assert set(chunked["metadata"]) == {"mode", "num_chunks", "avg_chunk_size", "processing_time_ms"}
    tmd = send(ports[8002], "/extract-tmd", '{"concept_text": "photosynthesis"}')
    assert {"concept_text", "domain_code", "domain_name", "task_code", "modifier_code"} <= set(tmd)
    routed = send(ports[8002], "/route", '{"concept_text": "photosynthesis", "use_cache": true}')
    assert {"lane_model", "lane_port", "specialist_prompt_id", "is_fallback", "cache_hit"} <= set(routed)
    embedded = send(ports[8767], "/embed", json.dumps({"texts": CONTEXT, "normalize": True}))
    assert (embedded["dimension"], embedded["count"]) == (384, 3)
    np.testing.assert_allclose(embedded["embeddings"], vectors, atol=1e-6)
    single = ports[8767].ask("POST", "/embed/single?text=The%20crew%20reached%20the%20summit.").json()
    np.testing.assert_allclose(single["embedding"], vectors[0], atol=1e-6)
    decoded = send(ports[8767], "/decode", json.dumps({"vectors": vectors[:1], "subscribers": "jxe,ielab", "steps": 1}))
    assert set(decoded["results"][0]["subscribers"]) == {"gtr → jxe", "gtr → ielab"}
    assert decoded["results"][0]["subscribers"]["gtr → jxe"]["status"] == "success"


def test_ingested_chunks_become_a_corpus(seeded, monkeypatch) -> None:
    from lvm_core.__main__ import main
    from lvm_core.commands import ingest
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.jobs.store import JobStore
    from tests.service.conftest import serve

    queued: list[list[str]] = []
    monkeypatch.setattr(JobStore, "submit", lambda self, argv, **_: queued.append(argv) or f"job-{len(queued)}")
    one = serve(seeded)
    apps = {port: Service(one.engine, app) for port, app in seed_apps(one.engine)}
    for text in ("First", "Second"):
        body = {"chunks": [{"text": f"{text} chunk about light."}, {"text": f"{text} chunk about leaves."}],
                "dataset_source": "biology course"}  # fmt: skip
        answer = send(apps[8004], "/ingest", json.dumps(body))
    one.engine.stop()
    assert (answer["total_chunks"], answer["successful"], answer["corpus"]) == (2, 2, "biology-course")
    assert ingest.__name__.endswith(queued[-2][0])
    assert main([*queued[-2], "--workspace", str(seeded.root)]) == 0
    said = [f"{text} chunk about {what}." for text in ("First", "Second") for what in ("light", "leaves")]
    assert CorpusStore(seeded).texts("biology-course") == said
