"""What stands behind a row of the board: its values by article, and the same model on several tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.errors import ModelError
from lvm_core.evaluate.measures import Measure
from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.board import Group, row_articles
from lvm_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a test: its windows, and the mean over them of a measure for each row by name."""

    title: str
    n_windows: int
    values: dict[str, float]


def by_article(workspace: Workspace, rows: Mapping[str, Row], measure: Measure) -> list[Article]:
    """Return the mean of a paired measure over the windows of each article, for rows of one test, in its order.

    Rows whose sums are gone are left out.
    """
    sums = {}
    for name, row in rows.items():
        try:
            sums[name] = row_articles(workspace, row)
        except ModelError:
            continue
    sums = {name: one for name, one in sums.items() if measure.name in one.sums}
    if not sums:
        return []
    titles = next(iter(sums.values())).titles
    count = next(iter(sums.values())).sums[measure.name].count
    means = {
        name: np.divide(one.sums[measure.name].total, count, out=np.full(len(count), np.nan), where=count > 0)
        for name, one in sums.items()
    }
    return [
        Article(title, int(count[i]), {name: float(values[i]) for name, values in means.items()})
        for i, title in enumerate(titles)
        if count[i] > 0
    ]


@dataclass(frozen=True, slots=True)
class OverTests:
    """One model on several tests: its value on each by the test's key, and their mean where it has all of them."""

    model: str
    row: Row
    values: dict[str, float]
    mean: float | None


def over_tests(groups: Sequence[Group], measure: Measure) -> list[OverTests]:
    """Return every model on the tests of `groups`, the best mean first, those that lack a test after them.

    The mean counts every test once, however many windows it has, as leaderboards of embedding models do (Muennighoff
    et al. 2023, MTEB). A model that was measured with several contexts counts with the longest.
    """
    by_model: dict[str, dict[str, Row]] = {}
    for group in groups:
        for row in sorted(group.rows, key=lambda row: row.context):
            by_model.setdefault(row.model, {})[group.comparable] = row
    models = []
    for model, rows in by_model.items():
        values = {key: value for key, row in rows.items() if (value := measure.value(row)) is not None}
        mean = float(np.mean(list(values.values()))) if len(values) == len(groups) else None
        models.append(OverTests(model, next(iter(rows.values())), values, mean))
    sign = 1 if measure.lower else -1
    return sorted(models, key=lambda one: (one.mean is None, sign * (one.mean or 0.0), one.model))
