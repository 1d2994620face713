"""What makes a board honest: no model is measured on articles it was trained on, nor on their twins."""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvm_core.dataset import title_key
from lvm_core.errors import ModelError

SHINGLE = 8
"""Words in a row that count as one shingle."""

SAMPLE = 4
"""One shingle in this many is kept, by its hash: the same ones in every text."""

TWIN_SHARE = 0.2
"""Share of an article's shingles found in one training article from which on the two are called twins."""

_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Twin:
    """A test article and the training article it nearly is; `share` of its eight-word runs are there word for word."""

    test: str
    train: str
    share: float
    how: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return asdict(self)


def plain_title(title: str) -> str:
    """Return `title` as letters and digits of one case, accents folded, so that spellings of one title meet."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", title).casefold())
    kept = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", kept.replace("_", " "))) or title


def seen_titles(train: Iterable[str], test: Iterable[str]) -> list[str]:
    """Return the test titles that are among the training titles, in the order of the test."""
    known = {title_key(title) for title in train}
    return [title for title in test if title_key(title) in known]


def refuse_seen(model: str, train: Iterable[str], test: Sequence[str]) -> None:
    """Refuse a model that was trained on articles of the test.

    Raises:
        ModelError: with the titles and what can be done.
    """
    seen = seen_titles(train, test)
    if seen:
        named = ", ".join(f"'{title}'" for title in seen[:_MAX_NAMED])
        more = f" and {len(seen) - _MAX_NAMED} more" if len(seen) > _MAX_NAMED else ""
        raise ModelError(
            f"Model '{model}' was trained on {len(seen)} of the {len(test)} articles of this test: {named}{more}."
            " A score on articles it has seen says nothing. Evaluate on a split or corpus it was not trained on,"
            " train it again with this split's seed, or leave the articles out for all models with --leave-out-seen."
        )


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

    def twins_of(self, title: str, text: str) -> list[Twin]:
        """Return the test articles whose text is largely in this training article, or whose title is the same."""
        found = {}
        own = shingles(text)
        left = np.searchsorted(self._hashes, own, "left")
        right = np.searchsorted(self._hashes, own, "right")
        hits = [self._owners[a:b] for a, b in zip(left, right, strict=True) if b > a]
        if hits:
            counts = np.bincount(np.concatenate(hits), minlength=len(self._titles))
            shares = counts / np.maximum(self._sizes, 1)
            for place in np.flatnonzero(shares >= TWIN_SHARE):
                found[self._titles[place]] = Twin(self._titles[place], title, round(float(shares[place]), 3), "text")
        same = self._plain.get(plain_title(title))
        if same is not None and same not in found:
            found[same] = Twin(same, title, 0.0, "title")
        return list(found.values())
