"""What a user's file says is shown as it stands there: no icon, no link, no character by its name."""

import re

import pytest
from markdown_it import MarkdownIt

from pages.shared import ui

DRAWN = re.compile(r":material[/_]\w+:|:streamlit:|https?://|www\.|[-.\w+]+@[-\w]+\.[-\w]+", re.IGNORECASE)
"""What Streamlit's browser side makes icons and links of, in text whose escapes are read already."""


@pytest.mark.parametrize(
    "text",
    [
        "a :material/home: b",
        ":streamlit:",
        "see https://evil.example/x and HTTP://evil.example",
        "www.evil.example",
        "write to a.b@evil.example",
        "&lt;b&gt; &amp; &#58;",
        ":red[**danger**] $x$ `code` [a](b) <b>",
        "all-MiniLM-L6-v2@53aa51172d14",
    ],
)
def test_text_of_a_file_is_shown_as_it_is(text: str) -> None:
    (paragraph,) = [t for t in MarkdownIt("commonmark").parse(ui.plain(text)) if t.type == "inline"]
    assert {token.type for token in paragraph.children or []} <= {"text", "text_special"}
    shown = "".join(token.content for token in paragraph.children or [])
    assert shown.replace("\u2060", "") == text
    assert not DRAWN.search(shown)
