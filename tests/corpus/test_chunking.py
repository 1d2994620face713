"""Chunks hold every word of the article, in order, at exact offsets, within the lengths asked for."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm_core.corpus.chunking import chunk_document, split_text
from lvm_core.corpus.chunks import ChunkSettings, NewChunk
from lvm_core.corpus.sentences import sentences
from lvm_core.errors import CorpusError
from lvm_core.types import Document, Section, Vectors

WORDS = st.text(st.sampled_from("abcé 中.!?,;:—\"'()\n0 "), max_size=400)
SECTIONS = st.lists(st.tuples(st.sampled_from(["", "History", "Uses / Now"]), WORDS), max_size=5)


def letters(texts: Sequence[str]) -> str:
    return "".join("".join(texts).split())


def fake_encode(texts: Sequence[str]) -> Vectors:
    rows = np.zeros((len(texts), 64), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in text.lower().split():
            row[sum(map(ord, word)) % 64] += 1
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


@pytest.mark.parametrize("chunker", ["sentence", "paragraph", "semantic"])
@settings(max_examples=120, deadline=None)
@given(parts=SECTIONS, max_chars=st.integers(40, 300), min_chars=st.integers(1, 30))
def test_no_word_is_lost_and_offsets_are_exact(
    chunker: str, parts: list[tuple[str, str]], max_chars: int, min_chars: int
) -> None:
    document = Document("T", tuple(Section(title, text) for title, text in parts))
    options = ChunkSettings(chunker=chunker, max_chars=max_chars, min_chars=min_chars)
    chunks = chunk_document(document, options, fake_encode)
    assert letters([chunk.text for chunk in chunks]) == letters([document.text])
    for chunk in chunks:
        assert chunk.text
        assert chunk.text == " ".join(document.text[chunk.start : chunk.end].split())
        assert len(chunk.text) <= max(max_chars, 240 if chunker == "semantic" else 0)
    for before, after in pairwise(chunks):
        assert before.end <= after.start


def test_sentences_end_where_sentences_end() -> None:
    text = (
        'He was born in St. Louis, U.S. in 1900. It cost $3.5 million! "Why?" he asked them all. It runs on .NET today,'
        " of course. Yes. J. R. R. Tolkien wrote it."
    )
    assert split_text(text) == [
        "He was born in St. Louis, U.S. in 1900.",
        "It cost $3.5 million!",
        '"Why?" he asked them all.',
        "It runs on .NET today, of course.",
        "Yes. J. R. R. Tolkien wrote it.",
    ]


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("de", ["Der Dr. Müller wohnte z. B. in St. Pölten.", "Er kam am 3. Oktober."]),
        ("fr", ["M. Dupont vécut av. Foch.", "Puis il partit."]),
        ("es", ["El Sr. Pérez vivió en el s. XX en la av. Colón.", "Después vino la paz."]),
        ("it", ["Nacque nel sec. XX a S. Marco.", "Poi venne la pace."]),
        ("pt", ["A Dra. Costa nasceu no séc. XX em S. Paulo.", "Depois veio a paz."]),
        ("pl", ["Ks. Jan mieszkał przy ul. Długiej.", "Potem wyjechał."]),
        ("nl", ["Dhr. Jansen sprak met Mr. Piet.", "Dat was zo."]),
        ("ru", ["В 1703 г. по указу царя им. Ленина был основан город.", "Он вырос."]),
        ("hi", ["डॉ. शर्मा आए।", "वे गए।"]),
        ("ar", ["جاء د. أحمد إلى هنا.", "ثم ذهب."]),
        ("fa", ["در سال ۱۸۸۹ ساخته شد.", "آیا درست است؟", "بله."]),
        ("ja", ["これは文です。", "「そうだ。」と言った。", "次の文。"]),
        ("zh", ["他来了。", "你去过吗？", "第二句！"]),
    ],
)
def test_sentences_end_where_those_of_their_language_end(language: str, parts: list[str]) -> None:
    text = ("" if language in ("ja", "zh") else " ").join(parts)
    assert [text[a:b] for a, b in sentences(text, 0, len(text), language)] == parts


def test_long_sentences_are_cut_at_clauses_into_parts_of_like_length() -> None:
    text = ("The ship sailed past the cape in heavy weather, " * 8).strip(", ") + "."
    parts = split_text(text, max_chars=120)
    assert all(part.endswith((",", ".")) and 60 <= len(part) <= 120 for part in parts)


def test_a_chunk_of_100_000_characters_without_a_space_is_split() -> None:
    parts = split_text("x" * 100_000)
    assert "".join(parts) == "x" * 100_000
    assert max(map(len, parts)) <= 240


def test_chunks_carry_their_section() -> None:
    document = Document("T", (Section("", "The lead stands here."), Section("History", "It began long ago.")))
    assert [chunk.section for chunk in chunk_document(document, ChunkSettings())] == ["", "History"]


def test_paragraphs_stay_whole() -> None:
    assert split_text("One here. Two here.\n\nThree is another paragraph.", "paragraph", min_chars=5) == [
        "One here. Two here.",
        "Three is another paragraph.",
    ]


def test_an_episode_ends_where_the_topic_changes() -> None:
    about_sea = "The sea is wide and blue. The sea is deep and blue. The sea is cold and blue."
    about_tax = "Income tax laws changed again. Income tax laws grew again. Income tax laws fell again."
    document = Document("T", (Section("", f"{about_sea} {about_tax}"),))
    chunks = chunk_document(document, ChunkSettings(chunker="semantic"), fake_encode)
    assert [chunk.text for chunk in chunks] == [about_sea, about_tax]
    assert chunks[0].coherence is None
    assert chunks[1].coherence is not None
    assert chunks[1].coherence < 0.3


def test_the_semantic_chunker_says_that_it_needs_an_encoder() -> None:
    with pytest.raises(CorpusError, match=r"needs an encoder.*--encoder"):
        split_text("One sentence. Another.", "semantic")


def test_a_new_chunk_may_carry_a_code_and_a_foreign_id() -> None:
    assert NewChunk("text", tmd=8852, external_id="cpe-1").tmd == 8852


def test_a_language_that_is_no_text_ends_sentences_as_an_unknown_one_does() -> None:
    cut = [list(sentences("It rains. We stay.", 0, 18, language)) for language in ("\ud800", "nonesuch")]
    assert cut[0] == cut[1]
