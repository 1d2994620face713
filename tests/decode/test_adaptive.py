"""The ladder: 1, 3, 5, then the nearest real chunk; every rejected text stays with its reason."""

import numpy as np
import pytest

from lvm_core.decode.adaptive import AdaptiveSettings, adaptive_decode, decode_hypotheses
from lvm_core.decode.cache import DecodeCache
from lvm_core.errors import SettingsError
from lvm_core.types import Decoded
from tests.decode.fakes import ScriptedDecoder, unit_vectors

CONTEXT = ["Volcanoes erupt when magma rises to the surface of the planet."]
GOOD = "Hot magma from the deep mantle often breaks through old volcanoes near coasts."
STUTTER = "magma magma magma magma magma magma magma magma magma"
SHORT = "Magma rises."
STRANGE = "Seven choirs will sing Italian madrigals tomorrow evening inside Saint Mark's basilica."
REAL = Decoded("Lava is magma once it has reached the surface and flows across the land.", "extractive", 0, 0.6)


def climb(decoder, vectors=None, fallback=lambda place: REAL, **options):
    vectors = unit_vectors(1, 8) if vectors is None else vectors
    found = dict(adaptive_decode(vectors, [CONTEXT] * len(vectors), decoder, fallback, **options))
    return [found[i] for i in range(len(vectors))]


def test_a_good_text_is_taken_at_the_first_step():
    decoder = ScriptedDecoder({1: GOOD})
    (result,) = climb(decoder)
    assert (result.decoded.text, result.decoded.method, result.decoded.steps) == (GOOD, "scripted", 1)
    assert decoder.calls == [(1, 1)]
    (tried,) = result.attempts
    assert tried.accepted
    assert tried.keyword == "volcanoes"
    assert tried.ms > 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (STUTTER, r"repeats itself: 88% of its word pairs occur before, 25% are allowed; says little"),
        (SHORT, r"says little: word entropy 1\.00 bits, 2\.8 are needed"),
        (STRANGE, r"off the topic: no keyword shared"),
        ("", "says little"),
    ],
)
def test_each_check_sends_it_up_the_ladder(bad, reason):
    import re

    (result,) = climb(ScriptedDecoder({1: bad, 3: GOOD}))
    assert result.decoded.text == GOOD
    assert result.decoded.steps == 3
    assert [a.accepted for a in result.attempts] == [False, True]
    assert re.search(reason, result.attempts[0].reason)
    assert result.attempts[0].text == bad


def test_the_nearest_real_chunk_comes_last():
    decoder = ScriptedDecoder({1: SHORT, 3: STUTTER, 5: STRANGE})
    (result,) = climb(decoder)
    assert result.decoded == REAL
    assert [(a.steps, a.method, a.accepted) for a in result.attempts] == [
        (1, "scripted", False),
        (3, "scripted", False),
        (5, "scripted", False),
        (0, "extractive", True),
    ]
    assert [steps for _, steps in decoder.calls] == [1, 3, 5]


def test_without_a_corpus_the_best_rejected_text_is_shown_as_rejected():
    (result,) = climb(ScriptedDecoder({1: SHORT, 3: STUTTER, 5: STRANGE}), fallback=lambda place: None)
    assert result.decoded.text == STRANGE
    assert not any(a.accepted for a in result.attempts)


def test_without_a_decoder_only_real_chunks():
    (result,) = climb(None)
    assert result.decoded == REAL
    assert len(result.attempts) == 1
    (nothing,) = climb(None, fallback=lambda place: None)
    assert nothing.decoded.text == ""


def test_a_real_chunk_that_fails_the_checks_is_taken_and_says_so():
    (result,) = climb(None, fallback=lambda place: Decoded(STRANGE, "extractive", 0, 0.2))
    assert result.attempts[0].accepted
    assert "last resort" in result.attempts[0].reason
    assert "off the topic" in result.attempts[0].reason


class Mixed(ScriptedDecoder):
    """The first vector's text is good at once, the second's at 3, the third's never."""

    def text(self, vector, step):
        good = {0: 1, 1: 3, 2: 99}
        return Decoded(GOOD if step >= good[int(np.argmax(vector))] else SHORT, "scripted", step, 0.5)


def test_a_batch_climbs_together_and_those_that_pass_come_first():
    decoder = Mixed({})
    order = [i for i, _ in adaptive_decode(np.eye(3, dtype=np.float32)[::-1], [CONTEXT] * 3, decoder, lambda i: REAL)]
    assert order == [2, 1, 0]
    assert decoder.calls == [(3, 1), (2, 3), (1, 5)]


def test_thresholds_and_ladder_are_settings():
    lenient = AdaptiveSettings(max_repeated_bigrams=1.0, min_entropy=0.0, need_keyword=False, ladder=(0, 2))
    (result,) = climb(ScriptedDecoder({0: STUTTER}), settings=lenient)
    assert result.decoded.steps == 0
    strict = AdaptiveSettings(min_entropy=10.0, ladder=(2,))
    (result,) = climb(ScriptedDecoder({0: GOOD}), settings=strict)
    assert result.decoded == REAL


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (AdaptiveSettings(ladder=()), "expected rising numbers of steps"),
        (AdaptiveSettings(ladder=(3, 1)), "expected rising numbers of steps"),
        (AdaptiveSettings(ladder=(1, 1000)), "steps is 1000; expected 0"),
        (AdaptiveSettings(max_repeated_bigrams=2.0), "max_repeated_bigrams is 2.0; expected 0 to 1"),
    ],
)
def test_bad_settings_are_refused_before_any_text(settings, message):
    decoder = ScriptedDecoder({1: GOOD})
    with pytest.raises(SettingsError, match=message):
        climb(decoder, settings=settings)
    assert not decoder.calls


def test_the_second_time_the_cache_answers(workspace):
    cache = DecodeCache(workspace)
    vectors = unit_vectors(2, 8)
    decoder = ScriptedDecoder({1: SHORT, 3: GOOD})
    first = climb(decoder, vectors, cache=cache)
    calls = list(decoder.calls)
    second = climb(decoder, vectors, cache=cache)
    assert decoder.calls == calls, "nothing was decoded again"
    assert [r.decoded for r in first] == [r.decoded for r in second]
    assert [r.cached for r in first + second] == [False, False, True, True]
    assert [a.text for a in second[0].attempts] == [SHORT, GOOD]


def test_every_hypothesis_of_a_run_is_kept(workspace):
    cache = DecodeCache(workspace)
    decoder = ScriptedDecoder({step: f"after {step}" for step in range(4)})
    vectors = unit_vectors(2, 8)
    for cached in (False, True):
        runs = decode_hypotheses(decoder, vectors, 3, cache)
        assert [[t.text for t in texts] for texts, _ in runs] == [["after 0", "after 1", "after 2", "after 3"]] * 2
        assert [was for _, was in runs] == [cached] * 2
    assert len(decoder.calls) == 1
