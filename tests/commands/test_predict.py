"""`predict` on real articles with the real encoder: what stands on stdout, what goes wrong and with which code."""

import json

import pytest

from lvm_core.__main__ import main
from lvm_core.workspace import Workspace

CHUNKS = ["Anarchism is a political philosophy.", "It is sceptical of authority.", "It calls for stateless societies."]


@pytest.fixture(scope="module", autouse=True)
def nothing_generative(tmp_path_factory):
    """Ship no models and no decoder: other tests are theirs."""
    patch = pytest.MonkeyPatch()
    empty = tmp_path_factory.mktemp("models")
    patch.setattr("lvm_core.checkpoint.SHIPPED", empty)
    patch.setattr("lvm_core.inverter.files.SHIPPED", empty)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def here(seeded_once, tmp_path_factory):
    """Return a copy of the articles, because the decode cache is written beside them."""
    import shutil

    root = tmp_path_factory.mktemp("predict") / "work space"
    shutil.copytree(seeded_once.root, root)
    return Workspace(root)


def run(capsys, workspace, *words):
    code = main(["predict", "--workspace", str(workspace.root), *words])
    out = capsys.readouterr()
    return code, out.out, out.err


def chunk_flags(chunks=CHUNKS):
    return [word for chunk in chunks for word in ("--chunk", chunk)]


def test_one_json_object_with_the_promised_fields(capsys, here):
    code, out, err = run(
        capsys, here, *chunk_flags(), "--model", "context-mean", "--model", "passthrough", "--json", "--k", "4"
    )
    assert code == 0
    found = json.loads(out)
    assert (found["context"], found["encoder"].split("@")[0]) == (3, "all-MiniLM-L6-v2")
    assert [p["model"] for p in found["predictions"]] == ["context-mean", "passthrough"]
    mean = found["predictions"][0]
    assert mean["method"] == "extractive"
    assert mean["text"]
    assert mean["cosine_to_target"] is None
    assert len(mean["snap"]["neighbours"]) == 4
    assert sum(n["weight"] for n in mean["snap"]["neighbours"]) == pytest.approx(1)
    assert {"encode", "predict", "snap", "decode", "total"} <= set(mean["timings_ms"])
    assert "context-mean:" in err


def test_rows_of_a_corpus_bring_the_true_next_chunk(capsys, here):
    code, out, _ = run(capsys, here, "--corpus", "enwiki-sample", "--rows", "2-6", "--model", "copy-last", "--json")
    assert code == 0
    (p,) = json.loads(out)["predictions"]
    assert -1 <= p["cosine_to_target"] <= 1
    assert p["target"]["position"] == 7
    assert p["target"]["article"] not in {n["article"] for n in p["snap"]["neighbours"]}


def test_people_read_blocks(capsys, here):
    code, out, _ = run(capsys, here, "--corpus", "enwiki-sample", "--rows", "2-6", "--model", "copy-last", "--no-snap")
    assert code == 0
    assert out.startswith("After 5 chunks, in the space of all-MiniLM-L6-v2@")
    assert "true next chunk (" in out
    assert "copy-last: extractive | round trip" in out
    assert "| raw" in out
    assert "ms: encode" in out


def test_chunks_come_from_a_file_too(capsys, here, tmp_path):
    file = tmp_path / "my chunks.txt"
    file.write_text("\n".join(CHUNKS) + "\n\n", encoding="utf-8")
    code, out, _ = run(capsys, here, "--file", str(file), "--model", "context-mean", "--json", "--decoder", "none")
    assert code == 0
    assert json.loads(out)["context"] == 3
    assert json.loads(out)["predictions"][0]["method"] == "none"


def test_a_file_of_contexts_is_one_object_with_each_of_them(capsys, here, tmp_path):
    file = tmp_path / "my contexts.jsonl"
    lines = [{"chunks": CHUNKS, "target": "Anarchists oppose the state.", "name": "first"}, {"chunks": CHUNKS[:1]}]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    code, out, _ = run(capsys, here, "--batch", str(file), "--model", "context-mean", "--json")
    assert code == 0
    assert len(out.splitlines()) == 1
    first, second = json.loads(out)["batch"]
    assert (first["name"], first["context"], first["chunks"]) == ("first", 3, CHUNKS)
    assert (second["name"], second["target"]) == ("context 2", None)
    assert {p["method"] for one in (first, second) for p in one["predictions"]} == {"extractive"}
    assert -1 <= first["predictions"][0]["cosine_to_target"] <= 1

    code, out, _ = run(capsys, here, "--batch", str(file), "--model", "context-mean", "--decoder", "none")
    assert code == 0
    assert f"first: {CHUNKS[2]}" in out
    assert "(snapped, to the true chunk " in out


def test_an_empty_workspace_predicts_vectors_and_says_what_is_missing(capsys, workspace):
    code, out, _ = run(capsys, workspace, *chunk_flags(), "--json")
    assert code == 0
    found = json.loads(out)["predictions"]
    assert [p["model"] for p in found] == ["context-mean", "copy-last"]
    assert "No corpus is encoded with this encoder yet" in found[0]["note"]
    assert found[0]["text"] == ""
    assert not workspace.database.exists(), "nothing is written for a look"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "expected one of --chunk TEXT"),
        (["--chunk", "a", "--rows", "1-2"], "The context was given in no way or in several"),
        (["--chunk", " "], "The context holds no text"),
        (["--rows", "9-2"], "rows is '9-2'; expected A-B with A no larger than B"),
        (["--rows", "x"], "rows is 'x'; expected A-B"),
        (["--rows", "1-5"], "Add --corpus NAME"),
        (["--rows", "1-999999", "--corpus", "enwiki-sample"], "is not in corpus 'enwiki-sample'"),
        (["--chunk", "a", "--corpus", "nowhere"], "nowhere"),
        (["--chunk", "a", "--model", "nonesuch"], "There is no model 'nonesuch'"),
        (["--chunk", "a", "--model", "copy-last", "--steps", "1000"], "steps is 1000; expected 0 to 50"),
        (["--chunk", "a", "--model", "copy-last", "--k", "0"], "k is 0; expected 1 to 1024"),
        (
            ["--chunk", "a", "--model", "copy-last", "--decoder", "magic"],
            "There is no decoder 'magic'; expected one of",
        ),
        (
            ["--chunk", "a", "--model", "copy-last", "--decoder", "vec2text-jxm"],
            "belongs to the space of encoder 'gtr-",
        ),
        (["--chunk", "a", "--encoder", "nonesuch"], "There is no encoder 'nonesuch'"),
        (["--chunk", "a", "--batch", "b.txt"], "The context was given in no way or in several"),
        (["--batch", "/no/such/file.txt"], "'/no/such/file.txt' does not exist; expected a file"),
        (["--batch", __file__], "is no batch of contexts by its name; expected .jsonl, .json, .txt"),
        (["--file", "/no/such/file"], "'/no/such/file' does not exist; expected a file"),
    ],
)
def test_mistakes_are_answered_with_code_2(capsys, here, flags, message):
    code, out, err = run(capsys, here, *flags)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
