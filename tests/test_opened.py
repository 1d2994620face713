"""What is open is shared, bounded, and opened anew when its files change."""

import threading
import time

import numpy as np
import pytest

from lvm_core import opened
from lvm_core.checkpoint import save_model
from lvm_core.errors import ModelError
from lvm_core.nets import build_model
from lvm_core.opened import Shelf
from lvm_core.spaces import space_of_corpus
from lvm_core.workspace import Workspace

CORPUS = "enwiki-sample"


def test_a_shelf_keeps_what_was_used_last() -> None:
    shelf: Shelf[str] = Shelf(2)
    for key in ("a", "b", "a", "c"):
        shelf.get(key, lambda key=key: key.upper())
    assert len(shelf) == 2
    assert shelf.get("a", lambda: "opened again") == "A"
    assert shelf.get("b", lambda: "opened again") == "opened again"


def test_two_who_ask_at_once_open_it_once() -> None:
    shelf: Shelf[object] = Shelf(2)
    got: list[object] = []

    def slow() -> object:
        time.sleep(0.05)
        return object()

    threads = [threading.Thread(target=lambda: got.append(shelf.get("a", slow))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_what_fails_to_open_is_tried_again() -> None:
    shelf: Shelf[str] = Shelf(2)

    def fail() -> str:
        raise ModelError("There is no such thing", "one", "Make it.")

    with pytest.raises(ModelError, match="no such thing"):
        shelf.get("a", fail)
    assert shelf.get("a", lambda: "there now") == "there now"


def test_pages_and_predictions_share_one_copy(seeded_once: Workspace) -> None:
    from lvm_core.predict import Predictor

    space = space_of_corpus(seeded_once, CORPUS)
    encoder = opened.encoder(seeded_once, space)
    first, second = (Predictor(seeded_once, space, CORPUS, encoder=encoder) for _ in range(2))
    assert encoder is opened.encoder(seeded_once, space)
    assert first.corpus is not None
    assert second.corpus is not None
    assert first.corpus.index is second.corpus.index is opened.index(seeded_once, CORPUS, space)
    assert first.corpus.matrix is opened.matrix(seeded_once, CORPUS, space)
    texts = [opened.decoder(seeded_once, "inverter", first.encoder, corpus) for corpus in (CORPUS, None)]
    assert texts[0] is texts[1], "an inverter says vectors of unit norm, whatever the corpus"
    net = opened.model(seeded_once, "amn", space, 384)
    assert net is opened.model(seeded_once, "amn", space, 384)


def test_a_model_that_was_trained_anew_is_opened_anew(workspace: Workspace) -> None:
    config = {"encoder_id": "e@1", "context": 5}
    save_model(workspace.run("one"), build_model("mlp", 8), config)
    before = opened.model(workspace, "one", "e@1", 8)
    save_model(workspace.run("one"), build_model("mlp", 8), config)
    after = opened.model(workspace, "one", "e@1", 8)
    assert after is not before
    assert not np.allclose(before.model.state_dict()["head.weight"], after.model.state_dict()["head.weight"])
