"""What an English encoder does not know is said; English of any kind is left alone."""

import json
from pathlib import Path

import pytest

from lvm_core.predict.language import looks_like, unknown_note
from pages.views.predict.origin import examples

MINILM = "all-MiniLM-L6-v2@53aa51172d14"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Der Rhein ist ein Fluss in Europa. Er entspringt in den Alpen und mündet in die Nordsee.", "German"),
        ("La Seine est un fleuve qui traverse Paris et se jette dans la Manche, au nord de la France.", "French"),
        ("El río es uno de los más largos de la península y pasa por las ciudades del sur.", "Spanish"),
        ("Волга — река в европейской части России.", "text in Cyrillic script"),
        ("長江は中国を流れる川です。", "text in Han script"),
        ("النيل أطول أنهار العالم.", "text in Arabic script"),
        ("def f(x):\n    return [y for y in x if y > 0]  # {1: 2}\nprint(f(x)[0]);", "code"),
        ("😀😃😄 🚀🌍", "signs"),
        ("The moon is the only natural satellite of the Earth.", "English"),
        ("Moon.", "English"),
        ("Volcanoes erupt", "English"),
        ("", ""),
    ],
)
def test_a_text_is_taken_for_what_it_is(text: str, kind: str) -> None:
    assert looks_like([text]) == kind


def test_one_line_names_the_encoder_and_what_it_knows() -> None:
    note = unknown_note(["Der Rhein ist ein Fluss in Europa, und er mündet in die Nordsee."], MINILM)
    assert note.startswith("This looks like German. all-MiniLM-L6-v2 knows English:")
    assert "\n" not in note
    assert unknown_note(["Der Rhein ist ein Fluss."], "words@000000000000") == "", "nobody knows what that one knows"


def test_no_english_example_and_no_article_is_taken_for_another_language() -> None:
    assert [name for name, origin in examples().items() if unknown_note(origin.texts, MINILM)] == []
    source = Path(__file__).parents[1] / "data" / "wikipedia.jsonl"
    for line in source.read_text("utf-8").splitlines():
        article = json.loads(line)
        text = article.get("text") or " ".join(section["text"] for section in article["sections"])
        sentences = text.split(". ")
        for start in range(0, len(sentences), 5):
            assert not unknown_note(sentences[start : start + 5], MINILM), sentences[start : start + 5]
