"""What /predict answers is what the command prints, whole or as a stream."""

import argparse
import json
from pathlib import Path

from lvm_core.commands import predict as command
from lvm_core.workspace import Workspace
from tests.service.conftest import ASK, CONTEXT, Service

TIMES = ("timings_ms", "ms")


def without_times(answer):
    """Return an answer without what differs from run to run."""
    if isinstance(answer, dict):
        return {key: without_times(value) for key, value in answer.items() if key not in TIMES}
    return [without_times(value) for value in answer] if isinstance(answer, list) else answer


def read(stream: str) -> list[tuple[str, dict]]:
    """Return the events of a stream: name and data."""
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in stream.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


def test_the_answer_is_what_the_command_prints(service: Service, seeded_once) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = ["--model", "context-mean", "--model", "copy-last", "--snap", "both", "--decoder", "extractive"]
    printed = command.run(parser.parse_args([*words, *(f"--chunk={c}" for c in CONTEXT)]), seeded_once)
    body = {"chunks": CONTEXT, "models": ["context-mean", "copy-last"], "snap": "both", "decoder": "extractive"}
    response = service.post("/predict", body)
    assert response.status_code == 200, response.text
    assert without_times(response.json()) == without_times(json.loads(json.dumps(printed)))


def test_a_stream_tells_vectors_then_texts_then_the_whole(service: Service) -> None:
    body = {**ASK, "models": ["context-mean", "copy-last"], "snap": "both", "decoder": "extractive", "stream": True}
    response = service.post("/predict", body)
    assert response.headers["content-type"].startswith("text/event-stream")
    told = read(response.text)
    names = [name for name, _ in told]
    assert names[:4] == ["prediction"] * 4, "all vectors and neighbours come before any text"
    assert names[-1] == "end"
    finals = [(p["model"], p["snap"]["on"]) for name, p in told if name == "final"]
    assert sorted(finals) == sorted({(m, on) for m in body["models"] for on in (False, True)})
    whole = {**body, "stream": False}
    assert without_times(told[-1][1]) == without_times(service.post("/predict", whole).json())


def test_many_contexts_are_answered_as_the_command_answers_a_file_of_them(
    service: Service, seeded_once: Workspace, tmp_path: Path
) -> None:
    contexts = [
        {"chunks": CONTEXT, "target": "They went down.", "name": "summit"},
        {"chunks": ["Whales sing."]},
        {"chunks": [" "], "name": "empty"},
        *({"chunks": [f"Line {i} of a poem.", "It rhymes."]} for i in range(40)),
    ]
    body = {"contexts": contexts, "models": ["context-mean", "copy-last"], "snap": "both"}
    answer = service.post("/predict/batch", body)
    assert answer.status_code == 200, answer.text
    batch = answer.json()["batch"]
    assert "holds no text" in batch[2].pop("error")
    file = tmp_path / "contexts.jsonl"
    file.write_text("".join(json.dumps(c) + "\n" for c in contexts if c.get("name") != "empty"))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = ["--model", "context-mean", "--model", "copy-last", "--snap", "both", "--batch", str(file)]
    printed = json.loads(json.dumps(command.run(parser.parse_args(words), seeded_once)))["batch"]
    texts = [[(p["model"], p["snap"]["on"], p["text"]) for p in one["predictions"]] for one in batch]
    assert texts[:2] + texts[3:] == [[(p["model"], p["snap"]["on"], p["text"]) for p in one["predictions"]]
                                     for one in printed]  # fmt: skip
    assert [one["name"] for one in batch[:4]] == ["summit", "context 2", "empty", "context 4"]
    assert set(batch[0]) == set(printed[0])
    nobody = service.post("/predict/batch", {"contexts": contexts, "models": ["nobody"]})
    assert (nobody.status_code, nobody.json()["given"]) == (404, "There is no model 'nobody'")


def test_vectors_come_where_they_are_asked_for(service: Service) -> None:
    (prediction,) = service.post("/predict", {**ASK, "vectors": True}).json()["predictions"]
    assert len(prediction["raw"]) == len(prediction["vector"]) == 384
    (prediction,) = service.post("/predict", ASK).json()["predictions"]
    assert "raw" not in prediction
