"""Regions of a map are named by their own words; density is high where points are."""

import numpy as np
import pytest

from lvm_core.study.regions import density, regions

TOPICS = ("whales swim in cold oceans", "violins and cellos play sonatas", "glaciers carve mountain valleys")


def islands(n: int = 40) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10]], dtype=np.float32)
    xy = np.concatenate([centre + rng.normal(0, 0.3, (n, 2)) for centre in centres]).astype(np.float32)
    return xy, [f"the {topic} and so on" for topic in TOPICS for _ in range(n)]


def test_each_island_is_named_by_its_own_words_where_it_lies() -> None:
    xy, texts = islands()
    found = regions(xy, texts, n=3)
    assert [region.n for region in found] == [40, 40, 40]
    for topic, centre in zip(TOPICS, ((0, 0), (10, 0), (0, 10)), strict=True):
        (region,) = [one for one in found if set(one.words) <= set(topic.split())]
        assert (region.x, region.y) == pytest.approx(centre, abs=0.3)
        assert len(region.words) == 3


def test_words_that_all_share_name_nothing_and_few_points_have_no_regions() -> None:
    xy, texts = islands()
    assert all("the" not in region.words for region in regions(xy, texts, n=3))
    assert regions(xy[:8], texts[:8], n=3) == []
    assert regions(xy, ["123"] * len(xy), n=3) == []


def test_density_is_highest_where_the_points_are() -> None:
    xy, _ = islands(200)
    found = density(np.concatenate([xy, np.full((800, 2), 5.0, np.float32)]))
    assert found is not None
    assert found.share.max() == pytest.approx(1)
    row, column = np.unravel_index(found.share.argmax(), found.share.shape)
    assert (found.x[column], found.y[row]) == pytest.approx((5, 5), abs=0.3)
    assert found.share[-1, -1] == pytest.approx(0, abs=1e-3)
    assert density(np.zeros((5, 2), np.float32)) is None
