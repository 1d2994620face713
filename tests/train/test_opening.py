"""What is refused before a training starts."""

from pathlib import Path

import numpy as np
import pytest

from lvm_core.errors import LvmError
from lvm_core.train import TrainConfig, train
from lvm_core.vectors.encode import encode_corpus
from lvm_core.workspace import Workspace
from tests.vectors.worlds import WordEncoder, small_corpus


def test_vectors_that_are_no_numbers_are_not_trained_on(workspace: Workspace, tmp_path: Path) -> None:
    small_corpus(workspace, tmp_path)
    encoder = WordEncoder()
    encode_corpus(workspace, "tiny", encoder)
    path = workspace.vectors("tiny", encoder.id)
    data = np.load(path)
    data[5, 1] = np.nan
    np.save(path, data)
    config = TrainConfig(model="linear-filter", corpus="tiny", context=2, yes=True)
    with pytest.raises(LvmError, match=r"NaN or infinite numbers"):
        train(workspace, config, run="r")
    assert not workspace.run("r").exists()
