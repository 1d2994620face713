"""Texts within a time: how many steps are taken, what is shown, and what is refused."""

import numpy as np
import pytest

from lvm_core.decode.adaptive import Saying
from lvm_core.decode.budget import StepCosts, last_of, within
from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.checks import AdaptiveSettings, Checks
from lvm_core.decode.improve import improve
from lvm_core.errors import SettingsError
from lvm_core.predict.settings import PredictSettings
from lvm_core.types import Decoded
from lvm_core.workspace import Workspace
from tests.decode.fakes import ScriptedDecoder, unit_vectors

TEXTS = {0: "one", 1: "The Moon is a small planet", 2: "The Moon goes round the planet Earth once a month"}
CONTEXT = ["The Moon is Earth's satellite."]


class SlowDecoder(ScriptedDecoder):
    """Goes on where it ended, as the inverter does: each new step takes 100 ms, the first one 300 ms."""

    def __init__(self, texts: dict[int, str], best: float = 0.9) -> None:
        super().__init__(texts)
        self.now, self.done, self.best = 0.0, 0, best

    def decode_all(self, vectors: np.ndarray, steps: int) -> list[list[Decoded]]:
        self.now += sum(0.3 if step <= 1 else 0.1 for step in range(self.done + 1, steps + 1)) * len(vectors)
        self.done = max(self.done, steps)
        return super().decode_all(vectors, steps)

    def text(self, vector: np.ndarray, step: int) -> Decoded:
        text = super().text(vector, step).text
        return Decoded(text, "scripted", step, min(0.5 + step / 10, self.best))


def steps_taken(decoder: SlowDecoder, budget: float, costs: StepCosts, n: int = 1) -> tuple[int, float]:
    decoder.now, decoder.done = 0.0, 0
    *_, last = within(decoder, unit_vectors(n, 4), budget, costs=costs, clock=lambda: decoder.now)
    return last[0].steps, decoder.now * 1000 / n


@pytest.mark.parametrize("n", [1, 8])
def test_it_takes_what_fits_and_never_a_step_more_than_that(n: int) -> None:
    decoder, costs = SlowDecoder(TEXTS), StepCosts()
    assert steps_taken(decoder, 1000, costs, n)[1] <= 1100
    for budget in (310, 500, 777, 2_000):  # what steps cost is known by now
        taken, ms = steps_taken(decoder, budget, costs, n)
        assert budget - 101 < ms <= budget + 1e-6
        assert taken == 1 + (budget - 300) // 100
    assert steps_taken(decoder, 200, costs, n)[0] == 0  # the first writing takes longer than that


def test_a_text_that_is_near_enough_takes_no_more_time() -> None:
    decoder = SlowDecoder(TEXTS, best=0.98)
    assert steps_taken(decoder, 10_000, StepCosts())[0] == 5


def test_what_the_cache_has_costs_nothing_and_says_nothing_of_costs(workspace: Workspace) -> None:
    cache, vectors, decoder = DecodeCache(workspace), unit_vectors(1, 4), SlowDecoder(TEXTS)
    taken = []
    for _ in range(2):
        decoder.now, costs = 0.0, StepCosts()
        *_, last = within(decoder, vectors, 350, cache, costs, clock=lambda: decoder.now)
        taken.append(last[0].steps)
    assert taken == [2, 5]  # the second time begins behind the two steps that the first one paid for
    assert decoder.calls == [(1, step) for step in (1, 2, 3, 4, 5)]
    assert costs.expected(decoder.id, 1) == 0


def test_the_best_so_far_is_shown_and_a_text_that_fails_has_the_nearest_chunk_beside_it() -> None:
    checks = Checks(AdaptiveSettings(min_topic_cosine=-1), CONTEXT)
    sayings = [Saying(vector, checks) for vector in unit_vectors(2, 4)]
    decoder = SlowDecoder(TEXTS)
    shown = list(improve(decoder, sayings, 5, watch=True, costs=StepCosts()))
    assert [row for row, decoding in shown if decoding.done] == [0, 1]
    assert {decoding.decoded.text for _, decoding in shown if decoding.done} <= set(TEXTS.values())
    wordless = SlowDecoder({0: "one one"})
    nearest = ScriptedDecoder({0: "The Moon is the only natural satellite of Earth"})
    sayings = [Saying(unit_vectors(1, 4)[0], checks, nearest)]
    *_, (_, last) = improve(wordless, sayings, 5, costs=StepCosts())
    assert last.decoded.text.startswith("The Moon is the only")
    assert [a.accepted for a in last.attempts] == [False, True]
    assert list(improve(decoder, sayings, 5, wanted=lambda _: False)) == []


def test_last_of_gives_one_text_a_vector() -> None:
    texts = last_of(SlowDecoder(TEXTS, best=0.98), unit_vectors(3, 4), 1)
    assert len(texts) == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [({"steps": 3, "budget_ms": 500}, "steps is 3 and budget_ms is 500"), ({"budget_ms": 0}, "budget_ms is 0")],
)
def test_steps_and_a_budget_together_or_none_at_all_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        PredictSettings(**values).checked()
