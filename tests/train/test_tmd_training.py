"""A net that is told what kind of chunk comes next: it learns from the codes of a labelled corpus, and does without."""

import numpy as np
import pytest
import torch

from lvm_core import forecast
from lvm_core.checkpoint import load_model
from lvm_core.corpus.tmd.codes import pack, read_code, tmd_vectors
from lvm_core.dataset import TrainingSet, open_corpora
from lvm_core.dataset.labelling import set_codes, tmd_rows
from lvm_core.errors import CorpusError, ModelError, SettingsError
from lvm_core.nets import build_model
from lvm_core.predict.model import PredictingModel
from lvm_core.train import TrainConfig, train
from lvm_core.vectors.geometry import unit_rows
from lvm_core.workspace import Workspace
from tests.nets.toy import DIM, ENCODER, Rows, add_corpus, documents, sizes, walk

NET = {"d_model": 32, "n_layers": 1, "d_state": 8, "dropout": 0.0}


def labelled(workspace: Workspace) -> np.ndarray:
    """Write a corpus whose codes say which of two sides a chunk lies on, which nothing before it does."""
    lengths = sizes(30)
    vectors = add_corpus(workspace, lengths=lengths)
    side = np.random.default_rng(3).integers(0, 2, len(vectors))
    shift = np.zeros((2, DIM), dtype=np.float32)
    shift[0, 0], shift[1, 0] = 1.5, -1.5
    vectors = unit_rows(vectors + shift[side])
    np.save(workspace.vectors("toy", ENCODER), vectors.astype(np.float16))
    set_codes(workspace, "toy", 0, [pack(2 + int(s), 5, 10) for s in side])
    return side


def test_told_of_the_chunk_to_come_it_says_another_one_and_untold_it_still_predicts(workspace: Workspace) -> None:
    side = labelled(workspace)
    config = TrainConfig(
        model="mamba2", corpus="toy", tmd=True, options=NET, epochs=30, patience=30, lr=5e-3, batch_size=8,
        query=False, loss="cosine",
    )  # fmt: skip
    train(workspace, config, run="told")
    model = load_model(workspace, "told").model
    source = open_corpora(workspace, ["toy"], ENCODER)
    test = source.splits["test"][0]
    x = source.vectors.slice(test.first_row, test.first_row + 6)
    truth, kind = source.vectors.rows(np.array([test.first_row + 6]))[0], int(side[test.first_row + 6])
    codes = tmd_vectors([pack(2, 5, 10), pack(3, 5, 10)])
    right, wrong = (forecast.after(model, x, tmd=codes[k]).vectors for k in (kind, 1 - kind))
    untold = forecast.after(model, x).vectors
    assert right @ truth > untold @ truth > wrong @ truth
    ((said, notes),) = PredictingModel("told", "net", model, None).predict([x], [codes[kind]])
    np.testing.assert_allclose(said.vectors, right)
    assert notes == ()


def test_codes_of_the_chunks_to_come_stand_beside_the_positions_half_of_them_left_out(workspace: Workspace) -> None:
    labelled(workspace)
    codes = tmd_rows(workspace, ["toy"])
    lengths = sizes(30)
    training = TrainingSet(Rows(walk(lengths)), documents(lengths), 8, 4, seed=0, tmd=codes)
    told = []
    for batch, again in zip(training.batches(0), training.batches(0), strict=True):
        assert batch.tmd is not None
        assert again.tmd is not None
        assert batch.tmd.shape == (*batch.mask.shape, 16)
        assert torch.equal(batch.tmd, again.tmd)
        told.append(batch.tmd.any(-1)[batch.mask].float())
    assert 0.4 < torch.cat(told).mean() < 0.6


def test_without_codes_or_an_adapter_it_is_refused_before_the_training(workspace: Workspace) -> None:
    add_corpus(workspace)
    with pytest.raises(CorpusError, match=r"No chunk of corpus .toy. has a TMD code.*lvm_core tmd --corpus toy"):
        train(workspace, TrainConfig(model="mamba2", corpus="toy", tmd=True, options=NET), run="a")
    with pytest.raises(SettingsError, match="gru takes no TMD code; expected one of mamba, mamba2, hybrid"):
        train(workspace, TrainConfig(model="gru", corpus="toy", tmd=True), run="b")


def test_a_code_of_another_width_and_a_net_that_takes_none_are_refused() -> None:
    x = walk([5])
    with pytest.raises(ModelError, match=r"of shape \(15,\); expected \(16,\)"):
        forecast.after(build_model("mamba2", DIM, tmd=True, **NET).eval(), x, tmd=np.ones(15, dtype=np.float32))
    plain = build_model("mamba2", DIM, **NET).eval()
    with pytest.raises(ModelError, match="takes no TMD code; expected one that was trained with --tmd"):
        forecast.after(plain, x, tmd=np.ones(16, dtype=np.float32))
    ((said, notes),) = PredictingModel("plain", "net", plain, None).predict([x], [np.ones(16, dtype=np.float32)])
    np.testing.assert_allclose(said.vectors, forecast.after(plain, x).vectors)
    assert [note.text for note in notes] == ["plain takes no TMD code, so it was not told."]


def test_a_code_is_read_as_people_write_it() -> None:
    assert read_code("") is None
    assert read_code("8852") == pack(2, 5, 10)
    assert read_code("history / fact_retrieval/temporal") == read_code(
        str(read_code("history/fact_retrieval/temporal"))
    )
    for text, message in (("70000", "65535"), ("history", "DOMAIN/TASK/MODIFIER"), ("a/b/c", "domain 'a' does not")):
        with pytest.raises(SettingsError, match=message):
            read_code(text)
