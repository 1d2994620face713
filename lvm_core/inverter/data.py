"""Training texts of an inverter with their tokens and vectors, gathered and encoded once, resumable."""

import hashlib
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.arrays import map_array
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents, title_key
from lvm_core.errors import CorpusError, LvmError
from lvm_core.inverter.files import TextSource
from lvm_core.types import DocumentInfo, Encoder, Progress, no_progress
from lvm_core.vectors.encode import encode_corpus
from lvm_core.vectors.matrix import encoded_with, open_matrix
from lvm_core.workspace import Workspace, need_space, read_json, write_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

BLOCK = 2048
"""Texts encoded between two notes of how far it got."""

MIN_CHARS, MAX_CHARS = 20, 600
N_VALIDATION = 512
CLAUSE = re.compile(
    r"(?<=[,;:])\s+(?=(?:and|but|which|who|where|while|although|or|as|with|from|including|because|when)\b)|;\s+"
)


@dataclass(frozen=True)
class TrainingTexts:
    """Texts as tokens and vectors; the last `n_validation` are of validation articles.

    `tokens` (M,) uint16 flat, text i at `offsets[i]` .. `offsets[i + 1]`; `vectors` (N, D) float16; `articles` (N,)
    tells texts of one article.
    """

    vectors: NDArray[np.float16]
    tokens: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    articles: NDArray[np.int64]
    n_validation: int
    sources: list[TextSource]

    @property
    def n_train(self) -> int:
        return len(self.vectors) - self.n_validation

    def text(self, i: int) -> NDArray[np.uint16]:
        """Return the tokens of text `i`."""
        return self.tokens[self.offsets[i] : self.offsets[i + 1]]

    def unit_vectors(self, places: NDArray[np.int64]) -> "Tensor":
        """Return the unit vectors (B, D) float32 of the texts at `places`."""
        import torch

        return torch.nn.functional.normalize(torch.from_numpy(self.vectors[places].astype(np.float32)), dim=-1)

    def shared_out(self, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of the word head's training texts and of the language model's, apart by article.

        The word head remembers what it has seen, so its hints for such texts are better than those for new ones,
        and a language model trained on them would trust hints too much. With `share` 1 both learn from all texts; the
        head that ships learns from all in any case.

        Args:
            share: share of the articles that the word head learns from.
            seed: of the choice.
        """
        articles = self.articles[: self.n_train]
        every = np.arange(self.n_train)
        is_hinted = np.random.default_rng([seed, 2]).random(int(articles.max()) + 1)[articles] < share
        if share >= 1 or is_hinted.all() or not is_hinted.any():
            return every, every
        return every[is_hinted], every[~is_hinted]

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of tokens of each text (N,)."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True)
class Piece:
    """A text to train on: chunk `row` of corpus `corpus`, or made of chunks of it (row -1); `article` is its number."""

    text: str
    corpus: str
    article: int
    row: int = -1


def gather_texts(
    workspace: Workspace,
    corpora: Sequence[str],
    split_seed: int,
    extra: float,
    seed: int = 0,
    hold_out: Sequence[str] = (),
) -> tuple[list[Piece], list[Piece], list[TextSource]]:
    """Return training texts, validation texts and what they were taken from.

    Chunks of the training articles of each corpus, their clauses, and neighbours joined; no article whose title
    is in the test or validation split of *any* of the corpora gives training text.

    Args:
        workspace: where the corpora lie.
        corpora: their names.
        split_seed: of the split by article.
        extra: share of the clauses and of the neighbouring pairs to take.
        seed: of the choice of clauses and pairs.
        hold_out: further corpora whose validation and test articles give no training text.

    Raises:
        CorpusError: if a corpus is missing, or none has training text.
    """
    store, rng = CorpusStore(workspace), random.Random(seed)
    splits = {name: split_documents(store.documents(name), split_seed) for name in (*corpora, *hold_out)}
    held = {title_key(d.title) for s in splits.values() for part in ("validation", "test") for d in s[part]}
    chunks: list[Piece] = []
    derived: list[Piece] = []
    validation: list[Piece] = []
    sources: list[TextSource] = []
    numbers: dict[str, int] = {}

    def number(document: DocumentInfo) -> int:
        return numbers.setdefault(title_key(document.title), len(numbers))

    for name in corpora:
        split = splits[name]
        texts = store.texts(name)
        documents = [d for d in split["train"] if title_key(d.title) not in held]
        for document in documents:
            pieces = _chunks(name, texts, document, number(document))
            chunks += pieces
            more = _derived([piece.text for piece in pieces], extra, rng)
            derived += [Piece(text, name, number(document)) for text in more]
        validation += [piece for d in split["validation"] for piece in _chunks(name, texts, d, number(d))]
        info = store.corpus(name)
        sources.append({"name": name, "digest": info.digest, "licence": info.licence, "n_documents": len(documents)})
    if not chunks:
        raise CorpusError(
            f"The corpora {', '.join(corpora)} have no training text",
            f"articles with sentences of {MIN_CHARS} characters or more",
            "Ingest a larger corpus.",
        )
    rng.shuffle(validation)
    return chunks + derived, validation[:N_VALIDATION] or chunks[:32], sources


def _chunks(corpus: str, texts: list[str], document: DocumentInfo, article: int) -> list[Piece]:
    rows = document.rows.tolist()
    return [Piece(texts[row], corpus, article, row) for row in rows if MIN_CHARS <= len(texts[row]) <= MAX_CHARS]


def _derived(texts: list[str], share: float, rng: random.Random) -> list[str]:
    derived = []
    for text in texts:
        parts = CLAUSE.split(text)
        if len(parts) > 1:
            derived += [p.rstrip(",;:") for p in parts if 2 * MIN_CHARS <= len(p) <= 200 and rng.random() < share]
    for a, b in pairwise(texts):
        if len(a) + len(b) < 240 and rng.random() < share / 2:
            derived.append(f"{a} {b}")
    return derived


def prepare(
    workspace: Workspace,
    folder: Path,
    pieces: tuple[list[Piece], list[Piece], list[TextSource]],
    encoder: Encoder,
    tokenizer: "Tokenizer",
    progress: Progress = no_progress,
) -> TrainingTexts:
    """Return the gathered texts with tokens and vectors.

    Chunks take their vectors from the corpus's matrix, which is made where it is missing; the vectors of clauses
    and pairs are kept in `folder`. An interrupted encoding goes on where it was.
    """
    training, validation, sources = pieces
    every = [*training, *validation]
    derived = [i for i, piece in enumerate(every) if piece.row < 0]
    vectors = np.empty((len(every), encoder.dim), dtype=np.float16)
    if derived:
        vectors[derived] = _encode(folder, [every[i].text for i in derived], encoder, progress)
    for source in sources:
        places = [i for i, piece in enumerate(every) if piece.row >= 0 and piece.corpus == source["name"]]
        if encoder.id not in encoded_with(workspace, source["name"]):
            encode_corpus(workspace, source["name"], encoder, progress=progress)
        matrix = open_matrix(workspace, source["name"], encoder.id)
        vectors[places] = matrix.rows(np.array([every[i].row for i in places], dtype=np.int64))
    rows = _tokens(every, tokenizer)
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    tokens = np.concatenate(rows)
    articles = np.array([piece.article for piece in every], dtype=np.int64)
    return TrainingTexts(vectors, tokens, offsets, articles, len(validation), sources)


def _tokens(pieces: list[Piece], tokenizer: "Tokenizer") -> list[NDArray[np.uint16]]:
    """Return the tokens of each text; block by block, since a tokenizer's own result takes kilobytes a text."""
    rows = []
    for start in range(0, len(pieces), BLOCK):
        block = [" " + piece.text for piece in pieces[start : start + BLOCK]]
        rows += [np.asarray(e.ids, dtype=np.uint16) for e in tokenizer.encode_batch(block, add_special_tokens=False)]
    return rows


def _encode(folder: Path, texts: list[str], encoder: Encoder, progress: Progress) -> NDArray[np.float16]:
    path, note = folder / "derived.f16.npy", folder / "derived.json"
    shape = (len(texts), encoder.dim)
    wanted = {"encoder": encoder.id, "digest": hashlib.sha256("\n".join(texts).encode()).hexdigest()}
    kept = _kept(path, note, wanted, shape)
    if kept is not None:
        out, first = kept
    else:
        need_space(folder, len(texts) * encoder.dim * 2)
        note.unlink(missing_ok=True)  # first: it must never speak of a file that was begun anew
        path.unlink(missing_ok=True)
        out, first = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape), 0
    began = time.monotonic()
    for start in range(first, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        out[start : start + len(block)] = encoder.encode(block)
        cast("np.memmap[Any, Any]", out).flush()
        done = start + len(block)
        write_json(note, {**wanted, "done": done})
        rate = (done - first) / max(time.monotonic() - began, 1e-6)
        left = (len(texts) - done) / rate
        progress(done / len(texts), f"encoding clauses: {done:,} of {len(texts):,}, {rate:,.0f}/s, {left:,.0f} s left")
    return np.asarray(out)


def _kept(
    path: Path, note: Path, wanted: dict[str, str], shape: tuple[int, int]
) -> tuple[NDArray[np.float16], int] | None:
    """Return the vectors of an earlier attempt and how many are done; None where there are none, or they are damaged.

    They only spare time, so what cannot be trusted is made again.
    """
    try:
        state = read_json(note)
        done = state.get("done") if {k: state.get(k) for k in wanted} == wanted else None
        if type(done) is not int or not 0 <= done <= shape[0]:
            return None
        return map_array(path, np.float16, shape, "The vectors so far", "Delete it.", writable=True), done
    except LvmError:
        return None
