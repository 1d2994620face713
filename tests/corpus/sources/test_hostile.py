"""Whatever a text is made of: no traceback, a time that grows with its length, and memory that is bounded."""

import contextlib
import gzip
import json
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvm_core.corpus.chunking import split_text
from lvm_core.corpus.ingest import IngestSettings
from lvm_core.corpus.preview import preview
from lvm_core.corpus.sources import open_source
from lvm_core.corpus.sources.base import Skipped
from lvm_core.corpus.sources.markdown import markdown_sections
from lvm_core.corpus.sources.prose import plain_sections
from lvm_core.corpus.sources.wikitext import sections
from lvm_core.corpus.store import CorpusStore
from lvm_core.errors import LvmError, SourceError
from lvm_core.workspace import Workspace
from tests.corpus.makers import HEAD, page, prose, read_in

WIKITEXT = """
== \t¦==¦\n==a==\n¦{{¦}}¦{{{¦}}}¦{{a|¦[[¦]]¦[[a|¦[http://x ¦]¦<ref name=¦<ref>¦</ref>¦<div>¦</div>¦<!--¦-->¦<math>
¦<nowiki>¦</nowiki>¦<table>¦</table>¦{|\n¦\n|}¦''¦'''¦'''''¦'¦(US$ equivalent to ¦( , ¦&amp;¦&#38;¦-{¦}-¦__TOC__¦http://a.b
¦{{convert|6|ft|2|in}}¦{{lang-ru|x}}¦<sup>¦1¦</sup>¦\n* ¦\n: ¦\n# ¦\n\n¦\u200c¦。¦\x0c¦é¦a b ¦Word. ¦=¦;
"""
MARKDOWN = """
# a\t¦\n# A\n¦`¦```\n¦~~~\n¦> ¦- ¦1. ¦[a](¦[a]¦![¦](¦**¦*¦_¦~~¦<b ¦<!-- ¦-->¦\n¦\n\n¦    ¦\\¦http://a.b¦<x>¦---\n¦***¦[^1]
¦[^1]: a\n¦|a|b|\n|-|-|\n¦a b ¦Word. ¦\t
"""
PARTS = [part for parts in (WIKITEXT, MARKDOWN) for part in parts[1:-1].replace("\n¦", "¦", 3).split("¦")]
KEYS = st.sampled_from(["text", "title", "contents", "url", "x"])
RECORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "title", "contents", "url", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("clean", [sections, markdown_sections, plain_sections, split_text])
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(parts=st.lists(st.sampled_from(PARTS), max_size=60), times=st.integers(1, 4))
def test_any_pile_of_markup_is_read(clean: Callable[[str], object], parts: list[str], times: int) -> None:
    clean("".join(parts * times))


@pytest.mark.parametrize("clean", [sections, markdown_sections, plain_sections, split_text])
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(), max_size=300))
def test_any_characters_are_read(clean: Callable[[str], object], text: str) -> None:
    clean(text)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(records=st.lists(RECORDS, max_size=5), noise=st.binary(max_size=30))
def test_any_json_lines_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, records: list[object], noise: bytes
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_bytes(b"\n".join([*(json.dumps(record).encode() for record in records), noise]))
    with contextlib.suppress(LvmError):
        preview(str(path), 9, IngestSettings(min_chunks=1))


@pytest.mark.parametrize("clean", [sections, markdown_sections, plain_sections, split_text])
@pytest.mark.parametrize("part", sorted(set(PARTS)))
def test_repetition_takes_time_that_grows_with_the_length_alone(clean: Callable[[str], object], part: str) -> None:
    start = time.process_time()
    clean(f"Start. {part * 4_000} end.")
    assert time.process_time() - start < 10


@pytest.mark.parametrize("part", ["[[a|", "![[a", "["])
def test_brackets_that_nothing_closes_are_read_once(part: str, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(part * (240_000 // len(part)))
    start = time.process_time()
    with contextlib.suppress(LvmError):
        preview(str(path), 9, IngestSettings(min_chunks=1))
    assert time.process_time() - start < 10


@pytest.mark.parametrize("part", ["'''''a", '"a" ', "(a", "«a» ", "“a”. "])
def test_a_page_of_quotes_is_cut_into_sentences_in_time(part: str) -> None:
    start = time.process_time()
    assert split_text(part * (240_000 // len(part)))
    assert time.process_time() - start < 10


def memory_of(read: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_of_100_mb_is_passed_over_in_a_few_mb_of_memory(tmp_path: Path) -> None:
    good = json.dumps({"title": "Good", "text": prose("it")})
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.write('{"title": "Long", "text": "')
        for _ in range(100):
            file.write("word " * 200_000)
        file.write(f'"}}\n{good}\n')
    skipped = Skipped()
    found: list[str] = []
    peak = memory_of(lambda: found.extend(a.title for a in open_source(str(tmp_path / "a.jsonl.gz")).articles(skipped)))
    assert found == ["Good"]
    assert skipped.counts == {"lines of more than 16 MB": 1}
    assert peak < 80e6


def test_a_long_text_comes_in_parts(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("A sentence of some words stands here.\n\n" * 600_000)
    titles: list[str] = []
    peak = memory_of(
        lambda: titles.extend(a.title for a in open_source(str(tmp_path / "long.txt")).articles(Skipped()))
    )
    assert titles == ["long", "long, part 2"]
    assert peak < 200e6


def test_a_page_of_100_mb_is_passed_over_in_a_few_mb_of_memory(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.xml.gz", "wt", compresslevel=1) as file:
        file.write(f"{HEAD}<page><title>Long</title><ns>0</ns><revision><text>")
        for _ in range(100):
            file.write("word " * 200_000)
        file.write(f"</text></revision></page>{page('Good', prose('it'))}</mediawiki>")
    skipped, titles = Skipped(), list[str]()
    peak = memory_of(lambda: titles.extend(a.title for a in open_source(str(tmp_path / "a.xml.gz")).articles(skipped)))
    assert titles == ["Good"]
    assert skipped.counts == {"pages of more than 16 MB": 1}
    assert peak < 80e6


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvm_core.corpus.sources.compressed.UNSUSPICIOUS_BYTES", 10_000_000)
    with gzip.open(tmp_path / "a.txt.gz", "wb") as file:
        for _ in range(40):
            file.write(b"\n" * 1_000_000)
    with pytest.raises(SourceError, match=r"unpacks to more than 200 times its size.*look at what it holds"):
        list(open_source(str(tmp_path / "a.txt.gz")).articles(Skipped()))


def test_json_that_is_nested_too_deep_costs_its_line(tmp_path: Path) -> None:
    good = json.dumps({"title": "Good", "text": prose("it")})
    (tmp_path / "a.jsonl").write_text(f'{{"text": {"[" * 100_000}\n{good}\n')
    found = preview(str(tmp_path / "a.jsonl"))
    assert [title for title, _ in found.articles] == ["Good"]
    assert sum(found.skipped.counts.values()) == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes are of POSIX")
def test_pipes_and_devices_are_refused_and_passed_over_in_folders(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "good.txt").write_text(prose("it"))
    with pytest.raises(SourceError, match=r"no regular file but a pipe"):
        open_source(str(tmp_path / "pipe.txt"))
    with pytest.raises(SourceError, match=r"no regular file"):
        open_source("/dev/zero")
    found = preview(str(tmp_path))
    assert [title for title, _ in found.articles] == ["good"]
    assert found.skipped.counts == {"files that cannot be read": 1}


@pytest.mark.parametrize("given", ["", "  ", "~nosuchuser/x.xml", "x" * 300 + ".txt", "a\0b.txt"])
def test_what_cannot_be_a_path_is_explained(given: str) -> None:
    with pytest.raises(SourceError, match=r"(no file or folder|cannot be a path).*expected MediaWiki dumps"):
        open_source(given)


@pytest.mark.parametrize("name", ["pandas", "text", "json", "csv", "imagefolder", "../x/y/z", "a b/c"])
def test_a_builder_of_data_sets_is_never_named(name: str) -> None:
    with pytest.raises(SourceError, match=r"neither a data set of the hub nor a folder"):
        open_source(f"hf:{name}")


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-8-sig", "utf-16-le", "shift_jis", "euc-jp", "windows-1252", "gb2312"]
)
def test_a_dump_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    declared = encoding.removesuffix("-le").removesuffix("-sig")
    text = f"<?xml version='1.0' encoding='{declared}'?>\n{HEAD}{page('Good', prose('it'))}</mediawiki>"
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    assert [title for title, _ in preview(str(tmp_path / "a.xml")).articles] == ["Good"]


@pytest.mark.parametrize("encoding", ["foo", "utf-7x", "hex", "idna"])
def test_an_encoding_that_nobody_knows_is_named(tmp_path: Path, encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?>\n{HEAD}{page('Bad', prose('it') + 'é')}</mediawiki>"
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(SourceError, match=rf"encoding '{encoding}'.*iconv"):
        preview(str(tmp_path / "a.xml"))


def test_a_broken_page_costs_itself_alone_and_entities_do_not_grow(tmp_path: Path) -> None:
    bomb = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>"
    bad = page("Bad", "x").replace("<text>x", "<text>&b; <b>")
    (tmp_path / "a.xml").write_text(f"{bomb}{HEAD}{page('One', prose('1'))}{bad}{page('Two', prose('2'))}</mediawiki>")
    found = preview(str(tmp_path / "a.xml"))
    assert [title for title, _ in found.articles] == ["One", "Two"]
    assert found.skipped.counts == {"pages that are not whole XML": 1}


def test_a_dump_without_its_last_line_is_read_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(HEAD + page("One", prose("1")))
    found = preview(str(tmp_path / "a.xml"), 5)
    assert len(found.articles) == 1
    assert list(found.skipped.counts) == ["end of the dump: it stops without </mediawiki>, behind a whole page"]


def test_dumps_joined_end_to_end_are_read_each_in_its_own_language(tmp_path: Path) -> None:
    russian = HEAD.replace('xml:lang="en"', 'xml:lang="ru"').replace("en.wikipedia", "ru.wikipedia")
    text = "Город основан в 1703 г. по указу царя Петра. [[Файл:A.jpg|мини|Озеро]] Он стоит на реке и на её островах."
    (tmp_path / "a.xml").write_text(
        f"{HEAD}{page('One', prose('1'))}</mediawiki>\n{russian}{page('Два', text)}</mediawiki>"
    )
    articles = dict(preview(str(tmp_path / "a.xml")).articles)
    assert list(articles) == ["One", "Два"]
    assert articles["Два"][0].text == "Город основан в 1703 г. по указу царя Петра."


def test_pages_of_an_export_without_numbers_are_told_by_their_titles(tmp_path: Path) -> None:
    names = '<namespaces><namespace key="0"/><namespace key="1">Diskussion</namespace></namespaces></siteinfo>'
    pages = page("Artikel", prose("1")) + page("Diskussion:Artikel", prose("2"))
    text = HEAD.replace("</siteinfo>", names) + pages.replace("<ns>0</ns>", "")
    (tmp_path / "a.xml").write_text(f"{text}</mediawiki>")
    found = preview(str(tmp_path / "a.xml"))
    assert [title for title, _ in found.articles] == ["Artikel"]
    assert found.skipped.counts == {"pages of another namespace": 1}


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes on POSIX")
def test_a_file_whose_name_is_not_utf8_is_read(workspace: Workspace, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    path.write_text(prose("it"))
    report = read_in(workspace, path, licence="CC0 \udce9")
    assert report.n_documents == 1
    (document,) = CorpusStore(workspace).documents("tiny")
    assert document.title == "caf\ufffd"
    assert report.skipped == {"articles with half characters, which became U+FFFD": 1}
