"""The ladder: 1, 3, 5, then the nearest real chunk; every rejected text stays with its reason."""

from dataclasses import replace

import numpy as np
import pytest

from lvm_core.decode.adaptive import Ladder, Saying, decode_hypotheses
from lvm_core.decode.cache import DecodeCache
from lvm_core.decode.checks import PRESETS, AdaptiveSettings, Checks, Topic
from lvm_core.errors import SettingsError
from lvm_core.types import Decoded
from tests.decode.fakes import ScriptedDecoder, unit_vectors

CONTEXT = ["Volcanoes erupt when magma rises to the surface of the planet."]
GOOD = "Hot magma from the deep mantle often breaks through old volcanoes near coasts."
STUTTER = "magma magma magma magma magma magma magma magma magma"
SHORT = "Magma rises."
STRANGE = "Seven choirs will sing Italian madrigals tomorrow evening inside Saint Mark's basilica."
REAL = Decoded("Lava is magma once it has reached the surface and flows across the land.", "extractive", 0, 0.6)


class Nearest(ScriptedDecoder):
    """Answers with one real chunk."""

    def __init__(self, answer=REAL):
        super().__init__({0: answer.text})
        self.answer = answer

    def text(self, vector, step):
        return self.answer


def climb(decoder, vectors=None, nearest=Nearest(), settings=PRESETS["seeds"], cache=None, topic=None):
    vectors = unit_vectors(1, 8) if vectors is None else vectors
    checks = Checks(settings, CONTEXT, topic)
    ladder = Ladder(settings.ladder, decoder, cache)
    results = dict(ladder.climb([Saying(vector, checks, nearest) for vector in vectors]))
    return [results[i] for i in range(len(vectors))]


def test_a_good_text_is_taken_at_the_first_step():
    decoder = ScriptedDecoder({1: GOOD})
    (result,) = climb(decoder)
    assert (result.decoded.text, result.decoded.method, result.decoded.steps) == (GOOD, "scripted", 1)
    assert decoder.calls == [(1, 1)]
    (tried,) = result.attempts
    assert tried.accepted
    assert tried.verdict.keyword == "volcanoes"
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
    assert result.attempts[0].decoded.text == bad


def test_the_nearest_real_chunk_comes_last():
    decoder = ScriptedDecoder({1: SHORT, 3: STUTTER, 5: STRANGE})
    (result,) = climb(decoder)
    assert result.decoded == REAL
    assert [(a.decoded.steps, a.decoded.method, a.accepted) for a in result.attempts] == [
        (1, "scripted", False),
        (3, "scripted", False),
        (5, "scripted", False),
        (0, "extractive", True),
    ]
    assert [steps for _, steps in decoder.calls] == [1, 3, 5]


def test_without_a_corpus_the_best_rejected_text_is_shown_as_rejected():
    (result,) = climb(ScriptedDecoder({1: SHORT, 3: STUTTER, 5: STRANGE}), nearest=None)
    assert result.decoded.text == STRANGE
    assert not any(a.accepted for a in result.attempts)


def test_without_a_decoder_only_real_chunks():
    (result,) = climb(None)
    assert result.decoded == REAL
    assert len(result.attempts) == 1
    (nothing,) = climb(None, nearest=None)
    assert nothing.decoded.text == ""


def test_a_real_chunk_that_fails_the_checks_is_taken_and_says_so():
    (result,) = climb(None, nearest=Nearest(Decoded(STRANGE, "extractive", 0, 0.2)))
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
    checks, nearest = Checks(PRESETS["seeds"], CONTEXT), Nearest()
    ladder = Ladder(PRESETS["seeds"].ladder, decoder)
    order = [
        i for i, _ in ladder.climb([Saying(vector, checks, nearest) for vector in np.eye(3, dtype=np.float32)[::-1]])
    ]
    assert order == [2, 1, 0]
    assert decoder.calls == [(3, 1), (2, 3), (1, 5)]


def test_thresholds_and_ladder_are_settings():
    seeds = PRESETS["seeds"]
    lenient = replace(seeds, max_repeated_bigrams=1.0, min_entropy=0.0, need_keyword=False, ladder=(0, 2))
    (result,) = climb(ScriptedDecoder({0: STUTTER}), settings=lenient)
    assert result.decoded.steps == 0
    strict = replace(seeds, min_entropy=10.0, ladder=(2,))
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
    assert [a.decoded.text for a in second[0].attempts] == [SHORT, GOOD]


def test_every_hypothesis_of_a_run_is_kept(workspace):
    cache = DecodeCache(workspace)
    decoder = ScriptedDecoder({step: f"after {step}" for step in range(4)})
    vectors = unit_vectors(2, 8)
    for cached in (False, True):
        runs = decode_hypotheses(decoder, vectors, 3, cache)
        assert [[t.text for t in texts] for texts, _ in runs] == [["after 0", "after 1", "after 2", "after 3"]] * 2
        assert [was for _, was in runs] == [cached] * 2
    assert len(decoder.calls) == 1


# ---------------------------------------------------------------- what the studio shows by default


STUDIO = PRESETS["studio"]


def near(cosine):
    """Return a topic to which each text has the cosine that `cosine` says."""

    def encode(texts):
        cosines = np.array([cosine(text) for text in texts])
        return np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)

    return Topic(encode, np.array([1, 0], dtype=np.float32))


ON_TOPIC = near(lambda text: 0.6 if "magma" in text else 0.1)
"""Everything about magma is near the context, nothing else is."""


def test_a_short_sentence_of_different_words_is_no_empty_one():
    decoder = ScriptedDecoder({1: "The economic growth rate has slowed."})
    (result,) = climb(decoder, settings=replace(PRESETS["studio"], min_topic_cosine=-1.0))
    assert result.decoded.steps == 1
    (seeds,) = climb(decoder, settings=replace(PRESETS["seeds"], need_keyword=False))
    assert "says little: word entropy 2.58 bits, 2.8 are needed" in seeds.attempts[0].reason


def test_a_first_text_that_passes_is_shown_where_its_correction_does_not():
    decoder = ScriptedDecoder({0: GOOD, 1: SHORT})
    (result,) = climb(decoder, settings=replace(PRESETS["studio"], min_topic_cosine=-1.0))
    assert (result.decoded.text, result.decoded.steps) == (GOOD, 0)
    assert [attempt.decoded.text for attempt in result.attempts] == [GOOD, SHORT]
    assert decoder.calls == [(1, 1)], "nothing is corrected further"
    climb(decoder)
    assert decoder.calls[1:] == [(1, 1), (1, 3), (1, 5)], "the seeds look at the last text alone"


def test_a_text_on_the_topic_needs_no_keyword():
    text = "Glowing rock then poured out and buried seven small villages beneath."
    (seeds,) = climb(ScriptedDecoder({1: text}))
    (studio,) = climb(ScriptedDecoder({1: text}), settings=STUDIO, topic=near(lambda text: 0.5))
    assert seeds.decoded == REAL
    assert (studio.decoded.text, studio.decoded.steps) == (text, 1)
    assert studio.attempts[0].verdict.keyword is None, "the keyword stays as a mark"


def test_a_text_off_the_topic_by_the_encoder_is_written_again():
    (result,) = climb(ScriptedDecoder({1: STRANGE, 3: GOOD}), settings=STUDIO, topic=ON_TOPIC)
    assert result.decoded.text == GOOD
    assert "cosine 0.10 to the context, 0.25 are needed" in result.attempts[0].reason


def test_no_replacement_that_fares_worse_is_shown():
    decoder = ScriptedDecoder({1: STRANGE, 3: STUTTER, 5: SHORT})
    strange = Nearest(Decoded("Choirs sang.", "extractive", 0, 0.9))
    (result,) = climb(decoder, nearest=strange, settings=STUDIO, topic=ON_TOPIC)
    assert result.decoded.text == STRANGE
    assert [a.accepted for a in result.attempts] == [False] * 4
    assert result.shown is result.attempts[0]


def test_a_real_chunk_is_shown_where_it_alone_passes():
    decoder = ScriptedDecoder({1: STRANGE, 3: STUTTER, 5: SHORT})
    (result,) = climb(decoder, nearest=Nearest(), settings=STUDIO, topic=near(lambda text: 0.2))
    assert result.decoded.text == STRANGE, "both fail the topic"
    real = replace(REAL, text="The magma that reached the surface flows across seven wide green valleys.")
    (result,) = climb(decoder, nearest=Nearest(real), settings=STUDIO, topic=ON_TOPIC)
    assert result.decoded == real


def test_of_equals_the_nearest_and_most_fluent_is_shown():
    class Fluent(ScriptedDecoder):
        def text(self, vector, step):
            return Decoded(
                f"{STRANGE} {step}", "scripted", step, 0.5 + step / 100, {1: -2.0, 3: -3.0, 5: -6.0}.get(step)
            )

    (result,) = climb(Fluent({}), settings=STUDIO, topic=ON_TOPIC, nearest=None)
    assert result.decoded.steps == 1, "0.02 of cosine are not worth a nat a token"


def test_who_watches_sees_the_first_hypothesis_at_once_and_the_best_so_far():
    decoder = ScriptedDecoder({0: "Hot rock.", 1: SHORT, 3: GOOD})
    saying = Saying(unit_vectors(1, 8)[0], Checks(STUDIO, CONTEXT, ON_TOPIC), Nearest())
    seen = [(d.decoded.text, d.done) for _, d in Ladder(STUDIO.ladder, decoder).climb([saying], watch=True)]
    assert seen == [("Hot rock.", False), (SHORT, False), (GOOD, True)]


def test_of_a_batch_each_vector_counts_its_share():
    first, second = climb(ScriptedDecoder({1: GOOD}), unit_vectors(2, 8))
    assert first.batch == second.batch == 2
    assert first.ms == second.ms > 0
