"""The three checks on a decoded text, in the scripts that users paste."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.decode.quality import entropy, keyword, measure, repeated_bigrams, words

CHINESE = "阿波罗十一号是人类第一次登上月球的太空任务，飞船于七月十六日发射升空。"
JAPANESE = "アポロ十一号は人類史上初めて月面着陸に成功した宇宙飛行である。"
THAI = "อะพอลโล 11 เป็นยานอวกาศลำแรกที่นำมนุษย์ไปลงจอดบนดวงจันทร์"


def test_repetition_is_the_share_of_pairs_seen_before():
    assert repeated_bigrams("the cat the cat the cat") == pytest.approx(3 / 5)
    assert repeated_bigrams("Every word here differs from all others") == 0
    assert repeated_bigrams("The CAT, the cat; The cat!") == pytest.approx(3 / 5), "case and punctuation do not hide it"
    assert repeated_bigrams("") == repeated_bigrams("one") == 0


def test_entropy_is_in_bits_of_words():
    assert entropy("one two three four five six seven eight") == pytest.approx(3)
    assert entropy("spam spam spam spam") == 0
    assert entropy("a a b") == pytest.approx(math.log2(3) - 2 / 3)
    assert entropy("") == entropy("... !!! ---") == 0


@pytest.mark.parametrize("text", [CHINESE, JAPANESE, THAI])
def test_a_sentence_without_spaces_passes_like_any_other(text):
    assert entropy(text) >= 2.8
    assert repeated_bigrams(text) <= 0.25
    assert entropy("哈哈哈哈哈哈哈哈") == 0
    assert repeated_bigrams("登月登月登月登月登月") > 0.5


def test_keyword_is_a_shared_word_of_content():
    context = ["Photosynthesis turns light into energy.", "Plants use chlorophyll."]
    assert keyword("The energy of light", context) == "energy"
    assert keyword("What chlorophylls' colour says", context) == "chlorophylls"
    assert keyword("They would have been there with these", ["These would have been there with them"]) is None
    assert keyword("Stamp collectors gather", context) is None
    assert keyword("anything at all", []) is None


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        ("登上月球以后", CHINESE, "登上"),
        ("月面着陸の計画", JAPANESE, "月面"),
        ("この本はとても面白いでした", JAPANESE, None),
        ("ไปดวงจันทร์", THAI, "ไปดวง"),
        ("우주 비행사", "우주 개발의 역사", "우주"),
        ("Первый полёт в космос", "Космос и полёт человека", "космос"),
        ("ΦΩΣ και ενέργεια", "Η ενέργεια του ήλιου", "ενέργεια"),
        ("विज्ञान की कथा", "भौतिक विज्ञान", "विज्ञान"),
        ("تاريخ العلوم", "كتاب تاريخ", "تاريخ"),
        ("in 1969 landed", "July 1969", "1969"),
        ("the ﬁeld", "a field", "field"),
    ],
)
def test_keyword_in_other_scripts(text, context, expected):
    found = keyword(text, [context])
    assert found == expected or (expected and found and found in context)


def test_marks_stay_with_their_letters():
    assert words("विज्ञान naïve café's state-of-the-art -x- 月球") == [
        "विज्ञान",
        "naïve",
        "café's",
        "state-of-the-art",
        "x",
        "月",
        "球",
    ]


@given(st.text(max_size=200))
def test_any_text_has_measures_within_bounds(text):
    quality = measure(text, [text])
    assert 0 <= quality.repeated_bigrams < 1
    assert 0 <= quality.entropy <= math.log2(max(1, len(words(text)))) + 1e-9
    assert all(words(text))


def test_a_hundred_thousand_characters_take_no_noticeable_time():
    import time

    chunk = "Wikipedia articles are split into chunks. " * 2400
    begun = time.perf_counter()
    assert measure("chunks of articles", [chunk]).keyword == "articles"
    assert time.perf_counter() - begun < 1.5
