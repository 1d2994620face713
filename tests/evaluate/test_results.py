import pytest

from lvm_core.errors import ModelError
from lvm_core.evaluate.results import ResultStore
from lvm_core.workspace import Workspace


def row(model: str = "amn", **fields: object) -> dict[str, object]:
    base = {"model": model, "comparable": "k", "context": 5, "corpus": "toy", "encoder": "e", "split": "test"}
    return {**base, "weights_digest": "w", "cosine": 0.5, **fields}


def test_evaluating_again_replaces_the_row(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    assert store.rows() == []
    first = store.save(row(cosine=0.4), {"n": [1]})
    assert store.save(row(cosine=0.5), {"n": [2]}) == first
    (found,) = store.rows()
    assert found["cosine"] == 0.5
    assert store.articles(first) == {"n": [2]}


def test_other_models_tests_and_contexts_are_other_rows(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    for fields in ({}, {"model": "gru"}, {"comparable": "other", "corpus": "b"}, {"context": 20}):
        store.save(row(**fields), {})
    assert len(store.rows()) == 4
    assert len(store.rows("b")) == 1


def test_decoded_scores_stay_while_the_weights_stay(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    store.save(row(rouge_1=0.2, echo=0.4), {}, [{"target": "t"}])
    result = store.save(row(cosine=0.6, rouge_1=None), {})
    assert store.rows()[0]["rouge_1"] == 0.2
    assert store.rows()[0]["cosine"] == 0.6
    assert store.examples(result) == [{"target": "t"}]
    store.save(row(weights_digest="new"), {})
    assert "rouge_1" not in store.rows()[0]
    assert store.examples(result) == []


def test_a_deleted_row_is_gone_with_its_examples(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    result = store.save(row(), {}, [{"target": "t"}])
    store.delete(result)
    assert store.rows() == []
    assert store.examples(result) == []
    with pytest.raises(ModelError, match=f"Result {result} is not on the board any more"):
        store.articles(result)


def test_deleting_a_model_removes_all_its_rows(workspace: Workspace) -> None:
    store = ResultStore(workspace)
    store.save(row(), {})
    store.save(row(context=20), {})
    store.save(row("gru"), {})
    assert store.delete_model("amn") == 2
    assert [found["model"] for found in store.rows()] == ["gru"]
