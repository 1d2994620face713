"""Chains climb from the specific to the general, and a bad file is told line by line."""

import bz2
import gzip
import shutil
from pathlib import Path

import pytest

from lvm_core.errors import SourceError
from lvm_core.exchange.chains import chains_jsonl, read_chains, wordnet_chains

DATA = Path(__file__).parent.parent / "data"  # a few real lines of WordNet 3.0's data.noun, with its licence


def test_the_ormer_climbs_to_the_invertebrates() -> None:
    chains = {chain[0]: chain for chain in wordnet_chains(DATA)}
    assert chains["ormer"][:5] == ["ormer", "abalone", "gastropod", "mollusk", "invertebrate"]
    assert all(4 <= len(chain) <= 12 for chain in chains.values())


def test_the_seed_repeats_the_draw() -> None:
    assert wordnet_chains(DATA, 2, seed=1) == wordnet_chains(DATA, 2, seed=1)
    assert len(wordnet_chains(DATA, 2)) == 2


def test_chains_survive_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "chains.jsonl"
    chains = wordnet_chains(DATA)
    path.write_text(chains_jsonl(chains), encoding="utf-8")
    assert read_chains(path).chains == chains


def test_a_byte_order_mark_and_a_compression_make_no_difference(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"chain_id": "w1", "concepts": ["barnacle", "crustacean", "arthropod"]}\n'
    for name, data in (("bom.jsonl", content), ("bom.jsonl.gz", gzip.compress(content)), ("b", bz2.compress(content))):
        (tmp_path / name).write_bytes(data)
        assert read_chains(tmp_path / name).chains == [["barnacle", "crustacean", "arthropod"]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("x" * 1_000_001, "longer than 1,000,000 bytes"),
        ("[1]", "expected an object"),
    ],
)
def test_hostile_lines_are_told(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "chains.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        read_chains(path)
    with pytest.raises(SourceError, match="no regular file"):
        read_chains(Path("/dev/zero"))


def test_half_characters_and_line_breaks_in_concepts_are_mended(tmp_path: Path) -> None:
    path = tmp_path / "chains.jsonl"
    path.write_text('{"concepts": ["a\\ud800b", "c\\nd"]}\n', encoding="utf-8")
    assert read_chains(path).chains == [["a\ufffdb", "c d"]]


def test_unknown_concepts_are_counted_and_named(tmp_path: Path) -> None:
    path = tmp_path / "chains.jsonl"
    path.write_text(chains_jsonl([["a", "b", "x"], ["a", "x"], ["b", "a"]]), encoding="utf-8")
    found = read_chains(path, vocabulary=["a", "b"])
    assert found.chains == [["a", "b"], ["b", "a"]]
    assert found.skipped == {"unknown concept 'x'": 2, "chain of fewer than 2 concepts, first at line 2": 1}


def test_mistakes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "chains.jsonl"
    path.write_text('{"concepts": ["a", "b"]}\n{"words": []}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"line 2: .*; expected an object with a list 'concepts'"):
        read_chains(path)
    path.write_text('{"concepts": ["a", 7]}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"line 1: .*; expected a list of texts"):
        read_chains(path)
    path.write_bytes(b'{"concepts": ["\xff\xfe", "b"]}\n')
    with pytest.raises(SourceError, match="not UTF-8"):
        read_chains(path)
    with pytest.raises(SourceError, match="cannot be read"):
        read_chains(tmp_path / "nowhere.jsonl")
    with pytest.raises(SourceError, match="Install Debian's package wordnet-base"):
        wordnet_chains(tmp_path)
    shutil.copy(DATA / "data.noun", tmp_path / "data.noun")
    (tmp_path / "data.noun").write_text("00001740 03 n zz broken\n", encoding="latin-1")
    with pytest.raises(SourceError, match="not a WordNet data file"):
        wordnet_chains(tmp_path)
