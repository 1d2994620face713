"""Who is shown where nobody has chosen: by the tests of the shipped board, not by cosines of different corpora."""

from dataclasses import dataclass

import pytest

from lvm_core.leaderboard import first
from lvm_core.leaderboard.board import ShippedBoard
from tests.leaderboard.rows import make_row


@dataclass(frozen=True)
class Named:
    ref: str
    validation_cosine: float = 0.0
    kind: str = "net"
    context: int = 5
    shipped: bool = True

    @property
    def name(self) -> str:
        return self.ref.rpartition("-")[0] if self.kind == "baseline" else self.ref


FILTERS = [Named("linear-filter-100", kind="baseline", context=100), Named("linear-filter-5", kind="baseline")]


@pytest.fixture(autouse=True)
def board(monkeypatch: pytest.MonkeyPatch) -> None:
    def row(model: str, test: str, cosine: float):  # type: ignore[no-untyped-def]
        return make_row(model, cosine, comparable=test)[0]

    rows = [row("small", "k1", 0.507), row("deep", "k1", 0.512), row("small", "k2", 0.508), row("deep", "k2", 0.509),
            row("once", "k1", 0.599), row("own", "k1", 0.6), row("own", "k2", 0.6)]  # fmt: skip
    monkeypatch.setattr(first, "shipped_board", lambda: ShippedBoard(rows, {}, {}))


def test_the_gain_on_the_shipped_tests_decides_not_the_validation_cosine() -> None:
    infos = [Named("small", 0.55), Named("deep", 0.51), *FILTERS]
    assert first.first_models(infos) == ["deep", "linear-filter-5"]


def test_a_net_measured_on_fewer_tests_or_not_shipped_is_not_put_first() -> None:
    infos = [Named("once", 0.9), Named("small", 0.5), Named("own", 0.9, shipped=False), Named("unmeasured", 0.9)]
    assert first.first_models(infos) == ["small", "context-mean"]


def test_where_nothing_was_measured_validation_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "shipped_board", lambda: ShippedBoard([], {}, {}))
    assert first.first_models([Named("small", 0.55), Named("deep", 0.51)]) == ["small", "context-mean"]


def test_a_long_memory_is_shown_only_where_there_is_no_short_one() -> None:
    assert first.first_models([Named("deep", context=100), Named("small")])[0] == "small"
    assert first.first_models([Named("deep", context=100)])[0] == "deep"
