"""The nearest real chunk, never one of the context."""

import numpy as np
import pytest

from lvm_core.decode.decoders import decode
from lvm_core.decode.extractive import ExtractiveDecoder, nearest_chunk, nearest_chunks
from lvm_core.errors import DecoderError
from lvm_core.types import Decoder
from tests.decode.fakes import TinyIndex, chunks_of, unit_vectors

VECTORS = unit_vectors(30, 12)
TEXTS = [f"Chunk number {i}." for i in range(30)]


def test_nearest_is_the_chunk_itself_until_it_is_excluded():
    index = TinyIndex(VECTORS)
    found = nearest_chunk(VECTORS[7], index, chunks_of(TEXTS))
    assert found.chunk.row == 7
    assert found.cosine == pytest.approx(1, abs=1e-5)
    by_row = nearest_chunk(VECTORS[7], index, chunks_of(TEXTS), exclude=np.array([7]))
    by_text = nearest_chunk(VECTORS[7], index, chunks_of(TEXTS), context=["  CHUNK number\n7. "])
    assert by_row.chunk.row == by_text.chunk.row != 7


def test_copies_of_the_context_elsewhere_in_the_corpus_are_no_answer():
    texts = ["Same words everywhere."] * 25 + TEXTS[25:]
    found = nearest_chunk(VECTORS[0], TinyIndex(VECTORS), chunks_of(texts), context=["same words everywhere."])
    assert found.chunk.row >= 25


def test_nothing_left_is_none():
    index = TinyIndex(VECTORS)
    assert nearest_chunk(VECTORS[0], index, chunks_of(["x"] * 30), context=["x"]) is None
    assert nearest_chunk(VECTORS[0], index, chunks_of(TEXTS), exclude=np.arange(30)) is None


def test_batched_equals_single():
    index = TinyIndex(VECTORS)
    queries = unit_vectors(9, 12, seed=4)
    together = nearest_chunks(queries, index, chunks_of(TEXTS), np.array([1, 2]), TEXTS[3:6])
    singles = [nearest_chunk(q, index, chunks_of(TEXTS), np.array([1, 2]), TEXTS[3:6]) for q in queries]
    assert [found.chunk for found in together] == [found.chunk for found in singles]
    assert [found.cosine for found in together] == pytest.approx([found.cosine for found in singles], abs=1e-6)


def test_it_is_a_decoder():
    decoder = ExtractiveDecoder("tiny", TinyIndex(VECTORS), chunks_of(TEXTS))
    assert isinstance(decoder, Decoder)
    (answer,) = decode(decoder, VECTORS[3:4], 5)
    assert (answer.text, answer.method, answer.steps) == ("Chunk number 3.", "extractive", 0)
    with pytest.raises(DecoderError, match="no chunk outside the context"):
        decode(ExtractiveDecoder("tiny", TinyIndex(VECTORS), chunks_of(TEXTS), np.arange(30)), VECTORS[:1], 0)
    with pytest.raises(DecoderError, match="NaN"):
        decode(decoder, np.full((1, 12), np.nan), 0)
