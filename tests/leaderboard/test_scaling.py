"""The law of what more text brings."""

from typing import Any

import pytest

from lvm_core.evaluate.rows import Row
from lvm_core.leaderboard.scaling import laws
from tests.leaderboard.rows import make_row

SIZES = (20_000, 65_000, 130_000, 450_000, 900_000)


def gain(windows: int) -> float:
    return 0.016 - 0.9 * windows**-0.4


def rows(sizes: tuple[int, ...] = SIZES, **fields: Any) -> list[Row]:
    made = []
    for n in sizes:
        against = {"cosine": gain(n), "ci": [gain(n) - 0.001, gain(n) + 0.001], "fitted_on": "the same articles"}
        made.append(make_row(f"mlp-{n}", 0.5, vs_filter=against, n_train_windows=n, **fields)[0])
    return made


def test_a_power_law_is_found_again_and_checked_on_its_largest_size() -> None:
    (law,) = laws(rows())
    assert (law.net, law.context, law.parameters) == ("mlp", 5, 1000)
    assert law.power == pytest.approx(0.4, abs=0.011)
    assert law.at(2_700_000) == pytest.approx(gain(2_700_000), abs=1e-4)
    assert law.foretold == pytest.approx(gain(900_000), abs=1e-4)
    assert "foretold +0.0123 there" in law.words()


def test_only_trainings_of_one_form_make_a_law() -> None:
    two, three = rows(SIZES[:2]), rows(SIZES[:3])
    assert laws(two) == []
    assert laws([*two, *rows(SIZES[2:], parameters=2_000)[:1]]) == []
    assert laws([*two, make_row("copy-last", 0.3, n_train_windows=SIZES[2])[0]]) == []
    (law,) = laws(three)
    assert law.foretold is None
    assert "not been checked" in law.words()


def test_gains_that_do_not_grow_promise_nothing() -> None:
    flat = [make_row(f"mlp-{n}", 0.5, n_train_windows=n)[0] for n in SIZES]
    (law,) = laws(flat)
    assert law.scale == pytest.approx(0.0, abs=1e-12)
    assert law.at(10**7) == pytest.approx(law.sizes[0].gain)
