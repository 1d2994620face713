"""A card shows how the text grew, what was rejected and why, and never lets text act as markup."""

import numpy as np

from lvm_core.types import Attempt, Chunk, Decoded, Neighbour, Prediction
from pages.shared import ui
from pages.views.predict import cards


def prediction(**changes: object) -> Prediction:
    chunk = Chunk(1, 0, 1, "Moon <b>", 4, "The Moon & the tides.")
    values: dict[str, object] = {
        "model": "amn",
        "raw": np.ones(2, np.float32),
        "snapped": np.ones(2, np.float32),
        "text": "The tides follow the moon.",
        "method": "inverter",
        "steps": 3,
        "round_trip_cosine": 0.81,
        "cosine_to_target": 0.512,
        "snap_on": True,
        "drift_clamped": True,
        "neighbours": [Neighbour(chunk, 0.7, 0.25)],
        "attempts": [
            Attempt(1, "tides tides tides", "inverter", 0.5, 0.0, None, False, "repeats itself", 0.6),
            Attempt(3, "The tides follow the moon.", "inverter", 0.0, 3.1, "tides", True, "", 0.81),
        ],
        "timings_ms": {"encode": 10.0, "predict": 1.0, "snap": 5.0, "decode": 84.0, "total": 100.0},
        "details": {"hypotheses": [Decoded("tides", "inverter", 0, 0.55), Decoded("the tides", "inverter", 1, 0.6)]},
    }
    return Prediction(**{**values, **changes})  # type: ignore[arg-type]


def test_the_text_grows_step_by_step_with_its_round_trip() -> None:
    html = cards._steps(prediction())
    assert html.index("0.550") < html.index("0.600")
    assert "Text by step (2)" in html


def test_rejected_attempts_stay_with_their_reason() -> None:
    html = cards._steps(prediction())
    assert "Rejected attempts (1)" in html
    assert "repeats itself" in html


def test_the_marks_are_those_of_the_text_that_was_taken() -> None:
    html = cards._marks(prediction())
    assert "repeats 0%" in html
    assert "keyword: tides" in html
    assert "lvm-tag-bad" not in html


def test_passthrough_says_how_its_vector_was_decoded() -> None:
    assert cards.method_of(prediction(model="passthrough", method="passthrough")) == "inverter"


def test_neighbours_are_text_with_article_position_and_weight() -> None:
    html = cards._neighbours(prediction().neighbours)
    assert "Moon &lt;b&gt;" in html
    assert "The Moon &amp; the tides." in html
    assert "0.250" in html


def test_every_stage_has_its_part_of_the_bar() -> None:
    html = cards.timing_html(prediction().timings_ms)
    assert html.count('<i style="flex:') == 4
    assert "flex:0.8400" in html
    assert cards.timing_html({}) == ""


def test_figures_say_their_unit_and_meaning() -> None:
    html = ui.metric_html(cards.numbers(prediction(), known=True))
    assert "0.512<small>cos</small>" in html
    assert "the true next chunk" in html
    assert "–" in ui.metric_html(cards.numbers(prediction(cosine_to_target=None), known=False))


def test_a_clamped_snap_is_marked() -> None:
    assert "drift clamp" in cards._head(prediction())
