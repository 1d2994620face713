"""Every look at the windows of a split sees the same predictions as an evaluation does."""

import numpy as np
import pytest

from lvm_core.errors import CorpusError, SpaceMismatch
from lvm_core.forecast import over_windows
from lvm_core.study.sample import sample_windows
from lvm_core.workspace import Workspace

SHIPPED = ["linear-filter-100", "mlp-100", "amn", "copy-last"]


@pytest.mark.parametrize("ref", SHIPPED)
def test_predictions_are_those_of_an_evaluation(seeded_once: Workspace, ref: str) -> None:
    from lvm_core.checkpoint import load_model

    sample = sample_windows(seeded_once, [ref], "enwiki-sample", "train", 25)
    loaded = load_model(seeded_once, ref, sample.test.encoder_id, 384)
    whole = over_windows(loaded.model, sample.test, sample.test.windows(max(loaded.info.context, 5)))
    np.testing.assert_allclose(sample.predict(ref).vectors, whole.vectors[sample.chosen], atol=1e-5)


def test_windows_are_spread_over_all_articles(seeded_once: Workspace) -> None:
    sample = sample_windows(seeded_once, [], "enwiki-sample", "train", 40)
    assert len(np.unique(sample.article)) == sample.test.n_articles
    assert sample.contexts.shape == (len(sample.chosen), 5, 384)
    np.testing.assert_allclose(sample.truths, sample.encoded.matrix.rows(sample.rows), atol=2e-3)
    near = sample.neighbours(sample.truths, 3)
    np.testing.assert_allclose(sample.nearest(sample.truths), [hits[0].cosine for hits in near], atol=1e-5)
    assert not {hit.row for hit in near[0]} & set(sample.own_articles[0].tolist())


def test_mistakes_are_named(seeded: Workspace) -> None:
    with pytest.raises(CorpusError, match="There is no corpus 'nowhere'"):
        sample_windows(seeded, [], "nowhere", "test", 10)
    sample = sample_windows(seeded, ["amn"], "enwiki-sample", "train", 10)
    other = sample.test.__class__(**{**vars(sample.test), "encoder_id": "other@000000000000"})
    mixed = sample.__class__(sample.encoded, other, sample.chosen, sample.index)
    with pytest.raises(SpaceMismatch, match="other@000000000000"):
        mixed.predict("amn")
