"""Evaluation from corpus to stored rows: fair, repeatable, and refusing what would flatter."""

import gzip
import math
from dataclasses import asdict
from typing import Any

import pytest

from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents
from lvm_core.errors import CorpusError, ModelError, SpaceMismatch
from lvm_core.evaluate.results import ResultStore
from lvm_core.evaluate.run import Evaluation, evaluate
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.leaderboard.export import public
from lvm_core.train import TrainConfig, train
from lvm_core.training_titles import PLAIN_TITLES, TITLES
from lvm_core.workspace import Workspace
from tests.evaluate.worlds import ENCODER, make_corpus

SIZES = [24] * 30
DESIGN_FIELDS = {
    "model", "kind", "corpus", "encoder", "split", "context", "n_windows", "n_articles", "parameters", "cosine",
    "cosine_ci", "mse", "recall_at_1", "recall_at_5", "recall_at_10", "mrr", "contrastive_accuracy", "direction",
    "latency_ms", "efficiency", "train_s", "vs_filter",
}  # fmt: skip
RULES = {"copy-last", "context-mean", "random", "weighted-mean", "linear-filter", "corpus-mean"}


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr("lvm_core.checkpoint.SHIPPED", tmp_path_factory.mktemp("models"))


def rows_of(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the rows as the command prints them."""
    return [public(row, evaluation.examples.get(row.id, [])) for row in evaluation.rows]


def quick(**fields: object) -> EvaluateSettings:
    return EvaluateSettings(**fields)  # type: ignore[arg-type]


def train_amn(workspace: Workspace) -> None:
    train(workspace, TrainConfig(model="amn", corpus="toy", epochs=1, batch_size=8), run="amn-1")


def test_every_rule_is_measured_and_the_filter_stands_at_zero_against_itself(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    found = evaluate(workspace, "all", "toy")
    rows = {row["model"]: row for row in rows_of(found)}
    assert set(rows) == RULES
    assert set(rows["linear-filter"]) >= DESIGN_FIELDS
    assert rows["linear-filter"]["vs_filter"]["cosine"] == 0.0
    assert rows["linear-filter"]["vs_filter"]["ci"] == [0.0, 0.0]
    assert rows["context-mean"]["vs_filter"]["cosine"] < 0
    assert rows["random"]["cosine"] == pytest.approx(0, abs=0.1)
    assert rows["linear-filter"]["cosine"] > rows["corpus-mean"]["cosine"]
    assert {row["n_articles"] for row in rows_of(found)} == {3}
    assert {row["n_windows"] for row in rows_of(found)} == {3 * (24 - 5)}
    for row in rows_of(found):
        assert row["efficiency"] == pytest.approx(row["cosine"] / row["latency_ms"] * 1000)
        low, high = row["cosine_ci"]
        assert low <= row["cosine"] <= high
    assert found.refused == []


def test_evaluating_again_gives_the_same_numbers_and_no_second_row(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    first = rows_of(evaluate(workspace, ["copy-last", "linear-filter"], "toy"))
    again = rows_of(evaluate(workspace, ["copy-last", "linear-filter"], "toy"))
    for a, b in zip(first, again, strict=True):
        for name in ("cosine", "cosine_ci", "recall_at_5", "recall_at_5_ci", "mrr", "vs_filter", "comparable"):
            assert a[name] == b[name]
    assert len(ResultStore(workspace).rows()) == 2


def test_a_trained_net_is_held_against_the_filter_of_its_own_articles(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    train_amn(workspace)
    (row,) = rows_of(evaluate(workspace, ["amn-1"], "toy"))
    assert row["kind"] == "net"
    assert row["net"] == "amn"
    assert row["trained_on"] == ["toy"]
    assert row["n_train_articles"] == 24
    assert row["vs_filter"]["fitted_on"] == "the same articles"
    assert math.isfinite(row["train_s"])
    assert row["coherence"]["train"]["toy"] == pytest.approx(row["coherence"]["test"], abs=0.1)


def test_memory_of_any_length_is_measured_on_the_same_windows(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    short = rows_of(evaluate(workspace, ["linear-filter"], "toy"))[0]
    long = rows_of(evaluate(workspace, ["linear-filter"], "toy", quick(context=20)))[0]
    assert (short["context"], long["context"]) == (5, 20)
    assert short["comparable"] == long["comparable"]
    assert short["n_windows"] == long["n_windows"]
    assert len(ResultStore(workspace).rows()) == 2


def test_a_model_that_saw_the_test_articles_is_refused_with_their_titles(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    make_corpus(workspace, "other", [24] * 6, [f"Article {i}" for i in range(4)] + ["New 1", "New 2"], seed=7)
    train_amn(workspace)
    with pytest.raises(ModelError, match=r"Model 'amn-1' was trained on \d of the 6 articles of this test: 'Article"):
        evaluate(workspace, ["amn-1"], "other", quick(split="all"))
    found = evaluate(workspace, "all", "other", quick(split="all"))
    assert [refused.model for refused in found.refused] == ["amn-1"]
    assert "amn-1" not in {row["model"] for row in rows_of(found)}


@pytest.mark.parametrize("sign", ["\u2028", "\n", "\x85", "\x1c", "\x0b", "\r", '"', "\\"])
def test_no_character_of_a_title_hides_that_it_was_trained_on(workspace: Workspace, sign: str) -> None:
    titles = [f"Article{sign}{i}" for i in range(30)]
    make_corpus(workspace, "toy", SIZES, titles)
    make_corpus(workspace, "other", [24] * 30, titles, seed=7)
    train_amn(workspace)
    with pytest.raises(ModelError, match=r"Model 'amn-1' was trained on 24 of the 30 articles of this test"):
        evaluate(workspace, ["amn-1"], "other", quick(split="all"))


@pytest.mark.parametrize(
    "content", [None, b"", b"no gzip", *(gzip.compress(text, mtime=0) for text in (b"", b"{", b"[]"))]
)
def test_a_model_that_cannot_say_what_it_was_trained_on_is_refused(workspace: Workspace, content: bytes | None) -> None:
    make_corpus(workspace, "toy", SIZES)
    train_amn(workspace)
    path = workspace.run("amn-1") / TITLES
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ModelError, match="Model 'amn-1' has no readable list of the articles it was trained on"):
        evaluate(workspace, ["amn-1"], "toy")
    found = evaluate(workspace, "all", "toy")
    assert [refused.model for refused in found.refused] == ["amn-1"]
    assert len(found.rows) == len(RULES)


def test_titles_as_earlier_studios_wrote_them_are_still_compared(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    make_corpus(workspace, "other", [24] * 6, [f"Article {i}" for i in range(6)], seed=7)
    train_amn(workspace)
    (workspace.run("amn-1") / TITLES).unlink()
    (workspace.run("amn-1") / PLAIN_TITLES).write_bytes(gzip.compress(b"Article 0\nArticle\x0b99"))
    with pytest.raises(ModelError, match=r"Model 'amn-1' was trained on 1 of the 6 articles of this test: 'Article 0'"):
        evaluate(workspace, ["amn-1"], "other", quick(split="all"))


def test_seen_articles_can_be_left_out_for_everyone(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    titles = ["Article 0", "Article 1", "Article 2", "New 1", "New 2", "New 3"]
    make_corpus(workspace, "other", [24] * 6, titles, seed=7)
    train_amn(workspace)
    found = evaluate(workspace, ["amn-1", "copy-last"], "other", quick(split="all", leave_out_seen=True))
    assert {row["model"] for row in rows_of(found)} == {"amn-1", "copy-last"}
    assert rows_of(found)[0]["n_articles"] < 6
    whole = rows_of(evaluate(workspace, ["copy-last"], "other", quick(split="all")))[0]
    assert whole["comparable"] != rows_of(found)[0]["comparable"]


def test_a_model_meets_another_corpus_with_the_coherence_of_both(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    make_corpus(workspace, "strange", [30] * 4, [f"Strange {i}" for i in range(4)], seed=3)
    train_amn(workspace)
    (row,) = rows_of(evaluate(workspace, ["amn-1"], "strange", quick(split="all")))
    assert row["split"] == "all"
    assert row["n_articles"] == 4
    assert set(row["coherence"]["train"]) == {"toy"}
    assert row["vs_filter"]["fitted_on"] == "the same articles"


def test_articles_of_two_corpora_with_one_title_are_reported_as_near_duplicates(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    make_corpus(workspace, "strange", [12] * 31, [f"Article-{i}" for i in range(30)] + ["Strange"], seed=3)
    train_amn(workspace)
    found = evaluate(workspace, ["amn-1"], "strange", quick(split="all"))
    trained = [d.title for d in split_documents(CorpusStore(workspace).documents("toy"))["train"]]
    expected = [(title.replace(" ", "-"), title, "toy") for title in trained]
    assert [(t.test, t.train, t.corpus) for t in found.near_duplicates] == expected
    assert rows_of(found)[0]["near_duplicates"] == [asdict(twin) for twin in found.near_duplicates]


def test_snap_and_drift_are_measured_where_asked_for(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    (row,) = rows_of(evaluate(workspace, ["linear-filter"], "toy", quick(snap=True, drift=4)))
    assert row["snapped"]["cosine"] == pytest.approx(row["cosine"] + row["snapped"]["vs_raw"]["cosine"])
    assert 0 <= row["snapped"]["drift_clamped"] <= 1
    assert row["drift"]["steps"] == 4
    assert row["drift"]["to_truth"][0] > row["drift"]["to_truth"][-1]


def test_windows_are_decoded_and_shown_in_full_with_scores_and_timings(seeded: Workspace) -> None:
    settings = quick(decode=4, examples=3, decoder="extractive")
    (row,) = rows_of(evaluate(seeded, ["copy-last"], "enwiki-sample", settings))
    assert row["n_decoded"] == 4
    for name in ("round_trip_cosine", "rouge_1", "rouge_2", "rouge_l", "bleu"):
        assert 0 <= row[name] <= 1
    assert -1 <= row["echo"] < 0.99, "the article under test was among the answers"
    assert len(row["examples"]) == 3
    for shown in row["examples"]:
        assert shown["target"] not in shown["context"]
        assert shown["text"] != shown["target"]
        assert len(shown["context"]) == 5
        assert set(shown["timings_ms"]) >= {"encode", "predict", "snap", "decode", "total"}
        assert -1 <= shown["cosine"] <= 1
    stored = ResultStore(seeded).examples(row["id"])
    assert [example.to_json() for example in stored] == row["examples"]


def test_mistakes_say_what_to_do(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    make_corpus(workspace, "elsewhere", SIZES, id="other@000000000000")
    train_amn(workspace)
    with pytest.raises(CorpusError, match="no corpus 'none'"):
        evaluate(workspace, ["copy-last"], "none")
    with pytest.raises(ModelError, match="no model 'amn-9'"):
        evaluate(workspace, ["amn-9"], "toy")
    with pytest.raises(SpaceMismatch, match=f"{ENCODER}"):
        evaluate(workspace, ["amn-1"], "elsewhere")


def test_progress_grows_and_ends_at_one(workspace: Workspace) -> None:
    make_corpus(workspace, "toy", SIZES)
    seen: list[float] = []
    evaluate(workspace, "all", "toy", progress=lambda share, _: seen.append(share))
    assert seen[-1] == 1.0
    assert max(seen) <= 1.0
