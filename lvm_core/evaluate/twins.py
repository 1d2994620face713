"""Near-duplicates of the test articles among the articles that the models were trained on."""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents, title_key
from lvm_core.evaluate.candidates import Candidate, EncodedCorpus
from lvm_core.evaluate.rows import Twin
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.evaluate.testset import TestSet
from lvm_core.types import DocumentInfo

SHINGLE = 8
"""Words in a row that count as one shingle."""

SAMPLE = 4
"""One shingle in this many is kept, by its hash: the same ones in every text."""

TWIN_SHARE = 0.2
"""Share of an article's shingles found in one training article from which on the two are called twins."""


def plain_title(title: str) -> str:
    """Return `title` as letters and digits of one case, accents folded, so that spellings of one title meet."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", title).casefold())
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", letters.replace("_", " "))) or title


def shingles(text: str) -> NDArray[np.uint64]:
    """Return the sampled hashes of the eight-word runs of `text`, sorted, each once.

    Broder 1997, "On the resemblance and containment of documents", section 4: keeping hashes that are 0 modulo a
    number samples every text alike, so that shares can be compared from the samples.
    """
    words = [zlib.crc32(word.encode()) for word in re.findall(r"\w+", text.lower())]
    if len(words) < SHINGLE:
        return np.empty(0, dtype=np.uint64)
    codes = np.array(words, dtype=np.uint64)
    runs = np.zeros(len(codes) - SHINGLE + 1, dtype=np.uint64)
    for place in range(SHINGLE):  # unsigned arithmetic wraps: a polynomial hash modulo 2^64
        runs = runs * np.uint64(0x9E3779B97F4A7C15) + codes[place : place + len(runs)]
    mixed = (runs ^ (runs >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(33)
    return np.unique(mixed[mixed % np.uint64(SAMPLE) == 0])


class TwinFinder:
    """Finds training articles that nearly are test articles; holds the test's shingles only."""

    def __init__(self, test: Iterable[tuple[str, str]]) -> None:
        """Take the test articles as (title, text)."""
        self._titles: list[str] = []
        parts: list[NDArray[np.uint64]] = []
        for title, text in test:
            self._titles.append(title)
            parts.append(shingles(text))
        self._sizes = np.array([len(part) for part in parts], dtype=np.int64)
        owners = np.repeat(np.arange(len(parts)), self._sizes)
        every = np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)
        order = np.argsort(every, kind="stable")
        self._hashes, self._owners = every[order], owners[order]
        self._plain = {plain_title(title): title for title in self._titles}

    def twins_of(self, title: str, text: str, corpus: str = "") -> list[Twin]:
        """Return the test articles whose text is largely in this training article, or whose title is the same."""
        twins = {}
        hashes = shingles(text)
        left = np.searchsorted(self._hashes, hashes, "left")
        right = np.searchsorted(self._hashes, hashes, "right")
        hits = [self._owners[a:b] for a, b in zip(left, right, strict=True) if b > a]
        if hits:
            counts = np.bincount(np.concatenate(hits), minlength=len(self._titles))
            shares = counts / np.maximum(self._sizes, 1)
            for place in np.flatnonzero(shares >= TWIN_SHARE):
                share = round(float(shares[place]), 3)
                twins[self._titles[place]] = Twin(self._titles[place], title, share, "text", corpus)
        same = self._plain.get(plain_title(title))
        if same is not None and same not in twins:
            twins[same] = Twin(same, title, 0.0, "title", corpus)
        return list(twins.values())


def find_twins(
    encoded: EncodedCorpus, test: TestSet, candidates: Sequence[Candidate], settings: EvaluateSettings
) -> list[Twin]:
    """Return the near-duplicates, each with the corpus of the training article.

    Looked through are the training articles of the corpus under test and of every corpus that a model names and
    that is in the workspace unchanged, but those that no model was trained on: they were held out in another of its
    corpora. One article's text is in memory at a time.
    """
    store = CorpusStore(encoded.workspace)

    def text(corpus: str, document: DocumentInfo) -> str:
        return " ".join(store.texts(corpus, document.first_row, document.first_row + document.n_chunks))

    finder = TwinFinder((d.title, text(encoded.corpus.name, d)) for d in test.documents)
    under_test = {d.document_id for d in test.documents}
    twins = []
    for corpus, seed in _training_corpora(encoded, store, candidates, settings).items():
        learnt = _learnt(corpus, candidates)
        for document in split_documents(store.documents(corpus), seed)["train"]:
            if document.document_id not in under_test and (learnt is None or title_key(document.title) in learnt):
                twins += finder.twins_of(document.title, text(corpus, document), corpus)
    return twins


def _learnt(corpus: str, candidates: Sequence[Candidate]) -> set[str] | None:
    """Return the keys of the titles that the models of a corpus were trained on, None where nobody can say."""
    of_corpus = [c for c in candidates if corpus in {one["name"] for one in c.info.config.get("corpora", [])}]
    if not of_corpus or any(c.titles is None for c in of_corpus) or any(c.fitted_here for c in candidates):
        return None
    return {title_key(title) for candidate in of_corpus for title in candidate.titles or ()}


def _training_corpora(
    encoded: EncodedCorpus, store: CorpusStore, candidates: Sequence[Candidate], settings: EvaluateSettings
) -> dict[str, int]:
    """Return the corpora whose training articles are looked through, with the seed of their split."""
    digests = {info.name: info.digest for info in store.corpora()}
    seeds = {encoded.corpus.name: settings.split_seed} if settings.split != "all" else {}
    for candidate in candidates:
        for corpus in candidate.info.config.get("corpora", []):
            if digests.get(corpus["name"]) == corpus["digest"]:
                seeds[corpus["name"]] = candidate.info.config.get("split_seed", 0)
    return seeds
