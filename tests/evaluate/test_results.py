import numpy as np
import pytest

from lvm_core.errors import ModelError
from lvm_core.evaluate.results import ResultStore
from lvm_core.evaluate.rows import ArticleSums, Example, Row
from lvm_core.metrics.bootstrap import Sums
from lvm_core.workspace import Workspace

NOTHING = ArticleSums([], {})


def row(model: str = "amn", **fields: object) -> Row:
    base = {"model": model, "comparable": "k", "context": 5, "corpus": "toy", "encoder": "e", "split": "test"}
    counts = {"kind": "net", "n_windows": 100, "n_articles": 9}
    return Row.read({**base, **counts, "weights_digest": "w", "cosine": 0.5, **fields})


def sums(n: int) -> ArticleSums:
    return ArticleSums(["Article"], {"cosine": Sums(np.array([0.5]), np.array([float(n)]))})


def example(target: str) -> Example:
    return Example(3, "Apollo", 9, ["One."], 1, target, "Text.", "extractive", 0, 0.5, None, 0.9, {"bleu": 0.1}, {})


def test_evaluating_again_replaces_the_row(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    assert store.rows() == []
    first = store.save(row(cosine=0.4), sums(1))
    assert store.save(row(cosine=0.5), sums(2)) == first
    (found,) = store.rows()
    assert found.values["cosine"] == 0.5
    assert store.articles(first).to_json() == sums(2).to_json()


def test_other_models_tests_and_contexts_are_other_rows(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    for fields in ({}, {"model": "gru"}, {"comparable": "other", "corpus": "b"}, {"context": 20}):
        store.save(row(**fields), NOTHING)
    assert len(store.rows()) == 4
    assert len(store.rows("b")) == 1


def test_decoded_scores_stay_while_the_weights_stay(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    store.save(row(rouge_1=0.2, echo=0.4), NOTHING, [example("t")])
    result = store.save(row(cosine=0.6, rouge_1=None), NOTHING)
    assert store.rows()[0].values["rouge_1"] == 0.2
    assert store.rows()[0].values["cosine"] == 0.6
    assert store.examples(result) == [example("t")]
    store.save(row(weights_digest="new"), NOTHING)
    assert "rouge_1" not in store.rows()[0].values
    assert store.examples(result) == []


def test_a_deleted_row_is_gone_with_its_examples(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    result = store.save(row(), NOTHING, [example("t")])
    store.delete(result)
    assert store.rows() == []
    assert store.examples(result) == []
    with pytest.raises(ModelError, match=f"Result {result} is not on the board any more"):
        store.articles(result)


def test_deleting_a_model_removes_all_its_rows(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    store.save(row(), NOTHING)
    store.save(row(context=20), NOTHING)
    store.save(row("gru"), NOTHING)
    assert store.delete_model("amn") == 2
    assert [found.model for found in store.rows()] == ["gru"]
