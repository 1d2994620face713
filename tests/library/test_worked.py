"""The worked example on Predict's first sight: of the models that come along today, and made anew by a command."""

from pathlib import Path

import pytest

from lvm_core.errors import CorpusError
from lvm_core.library import worked
from lvm_core.workspace import Workspace


def test_it_is_of_the_models_and_the_decoder_that_come_along_today(workspace: Workspace) -> None:
    assert worked.load().made_with == worked.made_with(workspace), "run: python -m lvm_core ship --worked-example"


def test_without_its_article_it_is_not_made_and_the_old_one_stays(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="ingest enwiki-sample"):
        worked.make(workspace, tmp_path / "example.json")
    assert not (tmp_path / "example.json").exists()
