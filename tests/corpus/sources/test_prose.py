"""Plain text keeps its words and paragraphs."""

from lvm_core.corpus.sources.prose import clean, plain_sections


def test_plain_text_joins_lines_and_keeps_paragraphs() -> None:
    (section,) = plain_sections("One line\r\nand the next.\r\n\r\n\u200bTwo  paragraphs.\n \n\n")
    assert section.text == "One line and the next.\n\nTwo paragraphs."


def test_a_text_of_spaces_has_no_section() -> None:
    assert plain_sections(" \n\n \t") == ()


def test_prose_that_never_was_markup_keeps_its_brackets() -> None:
    assert clean("f( )  is {{odd}} [[x]]\x00") == "f( ) is {{odd}} [[x]]"
