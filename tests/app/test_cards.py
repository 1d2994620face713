"""A card shows how the text grew, what was rejected and why, and never lets text act as markup."""

import numpy as np

from lvm_core.decode.adaptive import Decoding
from lvm_core.decode.checks import Attempt, Failure, Verdict
from lvm_core.predict import Prediction
from lvm_core.predict.prediction import Context, Neighbour, Remembered, Timings
from lvm_core.types import Chunk, Decoded
from pages.shared import glossary
from pages.views.predict import cards

VECTOR = np.array([1.0, 0.0], np.float32)
TARGET = np.array([0.512, np.sqrt(1 - 0.512**2)], np.float32)
GOOD = Decoded("The tides follow the moon.", "inverter", 3, 0.81)
REJECTED = Attempt(
    Decoded("tides tides tides", "inverter", 1, 0.6),
    Verdict(0.5, 0.0, None, 0.4, (Failure("repeats", "repeats itself"),)),
)
ACCEPTED = Attempt(GOOD, Verdict(0.0, 3.1, "tides", 0.6))


def prediction(target: bool = True, **changes: object) -> Prediction:
    chunk = Chunk(1, 0, 1, "Moon <b>", 4, "The Moon & the tides.")
    vector = TARGET if target else None
    values: dict[str, object] = {
        "model": "amn",
        "kind": "net",
        "context": Context(("The moon.",), VECTOR[None], np.zeros(0, np.int64), target_vector=vector),
        "raw": VECTOR,
        "vector": VECTOR,
        "snap_on": True,
        "drift_clamped": True,
        "neighbours": (Neighbour(chunk, 0.7, 0.25, VECTOR),),
        "decoding": Decoding(
            GOOD,
            (REJECTED, ACCEPTED),
            (Decoded("tides", "inverter", 0, 0.55), Decoded("the tides", "inverter", 1, 0.6)),
            done=True,
        ),
        "timings": Timings(10.0, 1.0, 5.0, 84.0),
    }
    return Prediction(**{**values, **changes})  # type: ignore[arg-type]


def test_the_text_grows_step_by_step_with_its_round_trip() -> None:
    html = cards._steps(prediction())
    assert html.index("0.550") < html.index("0.600")
    assert "Text by step (2)" in html


def test_rejected_attempts_stay_with_their_reason() -> None:
    html = cards._steps(prediction())
    assert "Other attempts (1)" in html
    assert "repeats itself" in html


def test_the_marks_are_those_of_the_text_that_was_taken() -> None:
    html = cards.marks(prediction())
    assert "repeats 0%" in html
    assert "keyword: tides" in html
    assert "lvm-tag-bad" not in html


def test_every_mark_explains_itself_when_pressed() -> None:
    html = cards.marks(prediction())
    for word in ("repeats", "entropy", "topic", "keyword"):
        assert f'popovertarget="{glossary.identity(word)}"' in html
        assert word in glossary.TERMS
    assert html.count("<button") == html.count("lvm-tag ")
    assert "title=" not in html


def test_passthrough_says_how_its_vector_was_decoded() -> None:
    copied = prediction(model="passthrough", kind="passthrough")
    assert copied.method == "passthrough"
    assert "Written by the inverter" in cards.behind(copied)


def test_neighbours_are_text_with_article_position_and_weight() -> None:
    html = cards._neighbours(prediction().neighbours)
    assert "Moon &lt;b&gt;" in html
    assert "The Moon &amp; the tides." in html
    assert "0.250" in html


def test_every_stage_has_its_part_of_the_bar() -> None:
    html = cards.timing_html(prediction().timings)
    assert html.count('<i style="flex:') == 4
    assert "flex:0.8400" in html
    assert cards.timing_html(Timings(0.0, 0.0, 0.0)) == ""


def test_figures_say_their_unit_and_meaning() -> None:
    html = cards.figures(prediction())
    assert "0.512" in html
    for word in ("to true next", "round trip", "ready after"):
        assert f'popovertarget="{glossary.identity(word)}"' in html
        assert word in glossary.TERMS
    assert "to true next" not in cards.figures(prediction(target=False)), "what is not known has no place"


def test_a_clamped_snap_is_marked() -> None:
    assert "drift clamp" in cards.figures(prediction())


def test_a_time_is_what_was_waited_for_and_says_what_it_holds() -> None:
    shared = prediction(timings=Timings(10.0, 1.0, 5.0, 508.0, load=9_000.0, batch=3, waited=102_079.0))
    assert "102 s" in cards.figures(shared)
    assert "3 were written together" in cards.behind(shared)
    assert "loaded in 9.0 s" in cards.behind(shared)
    cached = prediction(timings=Timings(10.0, 1.0, 5.0, 0.4, cached=True, waited=68.0))
    assert "68 ms (cache)" in cards.figures(cached)


def test_the_nearest_chunk_stands_once_with_the_raw_vector() -> None:
    assert "nearest chunk" in cards.behind(prediction(snap_on=False))
    assert "nearest chunk" not in cards.behind(prediction(snap_on=True))


def test_words_that_the_snap_changed_are_marked() -> None:
    html = cards.word_differences("The tides <b> follow the moon.", "The tides rise with the moon.")
    assert html == "The tides <del>&lt;b&gt; follow</del> <ins>rise with</ins> the moon."


def test_until_there_is_a_text_the_nearest_real_chunk_stands_there() -> None:
    html = cards.unfinished(prediction(decoding=Decoding()), "amn", False)
    assert "The Moon &amp; the tides." in html
    assert "tides" not in cards.unfinished(prediction(decoding=Decoding()), "amn", True), "once for both"
    assert "nearest real chunk" in html
    growing = cards.unfinished(prediction(decoding=Decoding(GOOD)), "amn", True)
    assert GOOD.text in growing
    assert cards.WAIT in growing


def test_a_memory_shows_where_a_text_went_like_this_before() -> None:
    last, following = Chunk(1, 0, 1, "Tides", 4, "The <i>sea</i> rose."), Chunk(2, 1, 1, "Tides", 5, "Then it fell.")
    html = cards.behind(prediction(remembered=(Remembered(last, following, 0.91, 0.4),)))
    assert "When a text went like this before (1)" in html
    assert html.index("&lt;i&gt;sea&lt;/i&gt; rose") < html.index("<b>then</b> Then it fell.")
    assert "When a text" not in cards.behind(prediction())


def test_words_that_all_texts_share_are_firm_and_the_others_say_what_else_was_weighed() -> None:
    others = ("The Moon <b>goes around the Earth", "The Moon turns around the Earth")
    html = cards.certainty(Decoded("The Moon goes round the Earth", "inverter", 1, 0.8, -2.0, others))
    assert "4 of 6 words are certain" in html
    assert html.count('class="lvm-unsure" tabindex="0"') == 2
    assert "0% of the other texts agree; else: &lt;b&gt;goes, turns" in html
    assert "0% of the other texts agree; else: around" in html
    assert cards.certainty(Decoded("The Moon", "extractive", 0, 0.8)) == ""
