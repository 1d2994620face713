"""Markdown keeps its words, paragraphs and headings."""

from lvm_core.corpus.sources.markdown import markdown_sections, markdown_title

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


def test_markdown_becomes_prose_under_its_headings() -> None:
    assert markdown_title(MARKDOWN) == "The Title of it"
    assert [(section.title, section.text) for section in markdown_sections(MARKDOWN)] == [
        ("", "A link and bold code in one paragraph. snake_case_name stays, so does 2 * 3 * 4."),
        ("Part two", "first item\n\nsecond item\n\nquoted words"),
    ]
