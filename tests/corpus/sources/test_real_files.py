"""Files as people bring them: each folder of tests/data/sources is one, with the words its chunks must hold."""

import json
from pathlib import Path

import pytest

from lvm_core.corpus.ingest import IngestSettings
from lvm_core.corpus.preview import Preview, preview

CASES = Path(__file__).parents[2] / "data" / "sources"
LANGUAGES = {
    "de-bild-and-sections": "de",
    "fr-numbers-and-dates": "fr",
    "persian-zwnj": "fa",
    "ru-file-and-category": "ru",
    "zh-short-paragraphs": "zh",
    "zh-variant-markup": "zh",
}
FILES = [path for path in sorted(CASES.glob("*/*")) if path.name != "expect.json"]


def seen(path: Path, language: str = "") -> Preview:
    return preview(str(path), 9, IngestSettings(min_chunks=1, language=language))


def texts(found: Preview) -> list[str]:
    return [chunk.text for _, chunks in found.articles for chunk in chunks]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("told", [True, False], ids=["language told", "language from the file"])
def test_a_file_keeps_its_words_and_none_of_its_markup(path: Path, told: bool) -> None:
    expected = path.parent / "expect.json"
    words = json.loads(expected.read_text()) if expected.exists() else {}
    chunks = texts(seen(path, LANGUAGES.get(path.parent.name, "") if told else ""))
    for part in words.get("must_contain_in_one_chunk", ()):
        assert any(part in text for text in chunks), (part, chunks)
    for part in words.get("must_not_contain", ()):
        assert not any(part in text for text in chunks), (part, chunks)


def test_pages_that_are_not_wikitext_are_counted() -> None:
    found = seen(CASES / "content-model-json" / "wikidata.xml")
    assert found.articles == []
    assert found.skipped.counts == {"pages that are not wikitext (wikibase-item)": 1}


def test_every_page_of_a_stream_without_a_root_is_read() -> None:
    found = seen(CASES / "stream-without-root" / "part.xml")
    assert [title for title, _ in found.articles] == ["P0", "P1", "P2"]


@pytest.mark.parametrize("name", ["dump.xml.bz2", "dump2.xml"])
def test_a_file_is_what_it_holds_whatever_its_name_says(name: str) -> None:
    (text,) = texts(seen(CASES / "suffix-against-content" / name))
    assert text.startswith("The valley was settled early")


def test_contents_begin_with_their_title() -> None:
    (article,) = seen(CASES / "jsonl-contents-key" / "factoid.jsonl").articles
    assert article[0] == "! (An album)"
    assert [chunk.text for chunk in article[1]] == ["! is the first album by a singer.", "It came out in March."]


def test_half_a_character_costs_itself_alone_and_is_counted() -> None:
    found = seen(CASES / "lone-surrogate-jsonl" / "bad.jsonl")
    assert [title for title, _ in found.articles] == ["Good", "Half"]
    assert texts(found)[2] == "Lone \ufffd surrogate in the text."
    assert found.skipped.counts == {"articles with half characters, which became U+FFFD": 1}
