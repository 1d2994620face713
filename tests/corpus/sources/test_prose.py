"""Plain text and Markdown keep their words, paragraphs and headings."""

from lvm_core.corpus.sources.prose import clean, markdown_sections, markdown_title, plain_sections

MARKDOWN = """---
author: someone
---
# The *Title* of it

A [link](http://x.org) and **bold** `code` in one
paragraph. snake_case_name stays, so does 2 * 3 * 4.

![image](a.png)

## Part two

- first item
- second item

```python
print("not prose")
```

| a | b |
|---|---|
> quoted words
"""


def test_plain_text_joins_lines_and_keeps_paragraphs() -> None:
    (section,) = plain_sections("One line\r\nand the next.\r\n\r\n\u200bTwo  paragraphs.\n \n\n")
    assert section.text == "One line and the next.\n\nTwo paragraphs."


def test_a_text_of_spaces_has_no_section() -> None:
    assert plain_sections(" \n\n \t") == ()


def test_markdown_becomes_prose_under_its_headings() -> None:
    assert markdown_title(MARKDOWN) == "The Title of it"
    assert [(section.title, section.text) for section in markdown_sections(MARKDOWN)] == [
        ("", "A link and bold code in one paragraph. snake_case_name stays, so does 2 * 3 * 4."),
        ("Part two", "first item\n\nsecond item\n\nquoted words"),
    ]


def test_prose_that_never_was_markup_keeps_its_brackets() -> None:
    assert clean("f( )  is {{odd}} [[x]]\x00") == "f( ) is {{odd}} [[x]]"
