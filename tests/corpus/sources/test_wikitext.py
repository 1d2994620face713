"""What remains of wikitext reads like the article; the snippets are from real articles."""

import time

import pytest

from lvm_core.corpus.sources.wikitext import prose, sections
from lvm_core.corpus.sources.wikitext.formulas import formula


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        (
            "'''Anarchism''' is a [[political philosophy]] that advocates [[self-governance|self-governed]] societies"
            " based on voluntary institutions.<ref name=\"iaf\">{{cite web|url=http://x.org}}</ref><ref name=b/>",
            "Anarchism is a political philosophy that advocates self-governed societies based on voluntary"
            " institutions.",
        ),
        (
            "'''Albania''' ({{IPAc-en|audio=x.ogg|æ|l}}; {{lang-sq|Shqipëri}}) is a [[sovereign state]] in Europe.",
            "Albania (Shqipëri) is a sovereign state in Europe.",
        ),
        (
            "Hooiberg at {{convert|165|m|ft|0}} and Jamanota, {{convert|5|to|10|km|mi|abbr=on}} away, are hills.",
            "Hooiberg at 165 m and Jamanota, 5 to 10 km away, are hills.",
        ),
        (
            "Oranjestad, the capital, is located at {{coord|12|19|N|70|1|W|display=inline,title}}.",
            "Oranjestad, the capital, is located at 12°19′N 70°1′W.",
        ),
        (
            "The budget was US$40,000 (equivalent to ${{formatnum:{{Inflation|US|40000|1915|r=-4}}}} today) at first.",
            "The budget was US$40,000 at first.",
        ),
        ("The phoneme {{IPA|/a/}} was written {{angbr|a}} long ago.", "The phoneme /a/ was written a long ago."),
        ("It is 10<sup>5</sup> times H<sub>2</sub>O, the 19<sup>th</sup>.", "It is 10⁵ times H2O, the 19th."),
        ("Let <math>x^2 + \\frac{a}{b} \\leq \\pi</math> hold for it.", "Let x² + a/b ≤ π hold for it."),
        ("One.&nbsp;Two&ndash;three and Michael&amp;nbsp;VII.", "One. Two–three and Michael VII."),
        ("See [http://example.org the site] and [http://example.org].", "See the site and."),
        ("[[File:A.jpg|thumb|A [[bird]] in flight]][[Category:Birds]]Birds fly over it.", "Birds fly over it."),
        ("An unclosed [[Damping#Under (0)|underdamped circuit rings.", "An unclosed underdamped circuit rings."),
        ("Text <!-- a note --> here, and <onlyinclude>more of it.", "Text here, and more of it."),
    ],
)  # fmt: skip
def test_the_words_of_a_paragraph_remain(wikitext: str, expected: str) -> None:
    assert [section.text for section in sections(wikitext)] == [expected]


def test_lists_tables_galleries_and_captions_go() -> None:
    wikitext = (
        "Alkanes are saturated.\n\n* linear\n* branched\n# first\n; term\n: <math>C_nH_{2n+2}</math>\n"
        '{| class="wikitable"\n! Name\n|-\n| methane || {{nowrap|CH4}}\n{| nested\n| x\n|}\n|}\n'
        "<gallery>\nFile:A.jpg|A caption.\n</gallery>\n'''A bold line'''\n\nThey burn.\n"
        ": An indented quotation that is long enough to be a paragraph of its own, says the author."
    )
    assert prose(sections(wikitext)[0].text).split("\n\n") == [
        "Alkanes are saturated.",
        "They burn. An indented quotation that is long enough to be a paragraph of its own, says the author.",
    ]


def test_sections_keep_their_path_and_reference_sections_go_with_their_children() -> None:
    wikitext = (
        "The lead is here.\n== History ==\nIt began early.\n=== Early '''years''' ===\nThey were long.\n"
        "== References ==\nNot this one.\n=== Books ===\nNor this one.\n== [[Legacy]] ==\nIt lasts."
    )
    assert [(section.title, section.text) for section in sections(wikitext)] == [
        ("", "The lead is here."),
        ("History", "It began early."),
        ("History / Early years", "They were long."),
        ("Legacy", "It lasts."),
    ]


def test_block_quotations_stay_as_paragraphs() -> None:
    text = sections("He wrote:\n{{quote|I have seen further than others.|Newton}}\nSo it was then.")[0].text
    assert text.split("\n\n") == ["He wrote:", "I have seen further than others.", "So it was then."]


def test_a_table_or_a_gallery_ends_its_paragraph() -> None:
    table = "{| class=x\n| cell\n|}"
    gallery = "<gallery>\nA.jpg\n</gallery>"
    wikitext = f"It flies three rockets of two kinds:\n{table}\nIt offers a fourth one too.{gallery}So it is."
    assert prose(sections(wikitext)[0].text).split("\n\n") == [
        "It flies three rockets of two kinds:",
        "It offers a fourth one too.",
        "So it is.",
    ]


def test_an_unclosed_table_does_not_swallow_the_article() -> None:
    text = sections("Before it all.\n{| class=x\n| cell\n\nAfter it all, the text goes on.\n== More ==\nAnd on.")
    assert "And on." in text[-1].text


@pytest.mark.parametrize("filler", [",", "(", "[[", "{{", "( , ", "'''", "\n", " ", "=", "<ref>"])
def test_hostile_repetition_takes_no_time(filler: str) -> None:
    begun = time.process_time()
    sections("Start. " + filler * 5_000 + " end.")
    assert time.process_time() - begun < 5


def test_a_break_is_a_space_and_two_end_a_paragraph() -> None:
    text = sections("Our Father in heaven,<br />\nhallowed be<br>thy name.<br /><br/>\nThy kingdom come now.")[0].text
    assert text.split("\n\n") == ["Our Father in heaven, hallowed be thy name.", "Thy kingdom come now."]


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("The film [[Imagine: John Lennon]] was new.", "The film Imagine: John Lennon was new."),
        ("[[File:A.jpg|thumb|x]]A bird and [[:Category:Birds]] flew.", "A bird and Category:Birds flew."),
        ("See [[wikt:pond|a pond]], [[#History]] and [[de:Teich]] there.", "See a pond, History and there."),
        ("(x − ''a''<sub>''n''</sub>) and ''a''<sub>''n'' − 1</sub> are.", "(x − an) and a_(n − 1) are."),
        (
            "She bought it (and, thus, all of it) in {{MY|Alysia}}.",
            "She bought it (and, thus, all of it) in MY Alysia.",
        ),
        ("The Azores ({{IPAc-en|x}} or {{IPAc-en|y}}; {{lang-pt|Açores}}) lie.", "The Azores (Açores) lie."),
        ("It is of [[Genesis|Gn]] {{bibleverse||Genesis|1:2|NIV}} and so.", "It is of Gn Genesis 1:2 and so."),
        ("It has more to give.<ref>x</ref>An end of it.", "It has more to give. An end of it."),
        ("The ''War'''s end and '''Mr. X''' were.", "The War's end and Mr. X were."),
    ],
)
def test_links_and_signs_give_what_is_read(wikitext: str, expected: str) -> None:
    assert [section.text for section in sections(wikitext)] == [expected]


@pytest.mark.parametrize(
    ("latex", "characters"),
    [
        (r"x^2 + \frac{a}{b} \leq \pi", "x² + a/b ≤ π"),
        (r"\ell_0 \le m_\ell", "ℓ0 ≤ m_ℓ"),
        (r"\textstyle (x_n - \bar x_n)", "(xn - x̅n)"),
        (r"a_{i,j} = b_{15}", "a_(i,j) = b15"),
        (r"aRb :\Leftrightarrow b \in S \cap a", "aRb :⇔ b ∈ S ∩ a"),
        (r"\mathbb{R}^2", "ℝ²"),
        (r"\nobodyknows x", "…"),
        (r"\begin{matrix}a&b\\c\end{matrix}", "…"),
        ("{" * 400, "…"),
    ],
)
def test_a_short_formula_becomes_plain_characters_and_none_loses_a_command(latex: str, characters: str) -> None:
    assert formula(latex) == characters
