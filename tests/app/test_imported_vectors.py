"""Vectors whose encoder nobody named work on every page, once their space is chosen on the System page."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from lvm_core.exchange.files import import_npz
from lvm_core.workspace import Workspace
from pages.shared import state
from tests.app.conftest import Open, press, shown

N_ARTICLES, LENGTH, DIM = 4, 30, 16


@pytest.fixture
def imported(workspace: Workspace, tmp_path: Path) -> tuple[Workspace, str]:
    """Return a workspace with articles of vectors alone, and the id of their space."""
    rng = np.random.default_rng(0)
    vectors = np.cumsum(rng.standard_normal((N_ARTICLES, LENGTH, DIM)), axis=1).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    np.savez(
        tmp_path / "own.npz", vectors=vectors.reshape(-1, DIM), article_ids=np.repeat(np.arange(N_ARTICLES), LENGTH),
        chunk_indices=np.tile(np.arange(LENGTH), N_ARTICLES),
    )  # fmt: skip
    return workspace, import_npz(workspace, tmp_path / "own.npz", "own")["encoder"]


def test_their_space_can_be_chosen(imported: tuple[Workspace, str], open_page: Open) -> None:
    workspace, space = imported
    app = open_page(workspace, "system")
    (box,) = [box for box in app.selectbox if box.label == "Encoder in use"]
    assert space in box.options
    box.set_value(space).run()
    assert not app.exception
    assert "encoded" in shown(app)


@pytest.mark.parametrize("page", ["corpus", "vectors", "drift", "train", "leaderboard", "predict", "system"])
def test_every_page_works_in_it(imported: tuple[Workspace, str], open_page: Open, page: str) -> None:
    workspace, space = imported
    app = open_page(workspace, "system")
    app.session_state[state.ENCODER_KEY] = space
    app.run().switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert not app.error
    if page in ("vectors", "drift", "corpus"):
        assert "own" in shown(app) + " ".join(str(box.options) for box in app.selectbox)


def test_the_corpus_page_says_whose_vectors_there_are(imported: tuple[Workspace, str], open_page: Open) -> None:
    workspace, space = imported
    assert f"This corpus has vectors of {space}; the System page chooses" in shown(open_page(workspace, "corpus"))


def test_chunks_of_the_corpus_are_predicted(imported: tuple[Workspace, str], open_page: Open) -> None:
    workspace, space = imported
    app = open_page(workspace, "system")
    app.session_state[state.ENCODER_KEY] = space
    app.session_state[state.SENT_KEY] = {"corpus": "own", "rows": list(range(5))}
    app.query_params["p_models"] = "context-mean"
    app.run().switch_page("pages/predict.py").run()
    press(app, "Predict")
    assert not app.exception
    assert not app.error
    assert "concept" in shown(app), "the nearest real chunk answers"
    st.cache_data.clear()
