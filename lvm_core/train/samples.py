"""What a net says while it trains: after every epoch, the real chunks nearest to three of its predictions.

No language model writes here: the words are those of the chunk of the corpus that lies nearest to the prediction.
"""

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lvm_core import forecast
from lvm_core.boundary.files import is_regular, read_bytes
from lvm_core.boundary.json_values import from_json, parse_json
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import Corpora, Windows
from lvm_core.errors import CorpusError, LvmError
from lvm_core.nets.base import SequenceModel
from lvm_core.types import Chunk, Index, Rows, Vectors
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.index import kept_index
from lvm_core.workspace import Workspace, disk_errors, write_text

N_SAMPLES = 3
AfterEpoch = Callable[[SequenceModel, int], None]
"""Told the net and how many epochs it has been trained, at the end of each."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One window after one epoch: the last chunk of its context, the true next one, and the chunk that stands for the
    prediction, whose `cosine` to the true next chunk is given.
    """

    epoch: int
    context: str
    truth: str
    text: str
    cosine: float


class Sampler:
    """Three windows of one corpus, the same after every epoch, and what puts their predictions into words."""

    def __init__(
        self, corpora: Corpora, windows: Windows, number: int, store: CorpusStore, index: Index, path: Path
    ) -> None:
        """Take N windows of the corpus that is `number` among `corpora`; lines go to `path`."""
        self.corpora, self.windows, self.store, self.index, self.path = corpora, windows, store, index, path
        self.corpus, self.offset = corpora.infos[number].name, int(corpora.vectors.offsets[number])
        last = windows.contexts[np.arange(len(windows)), windows.lengths - 1]
        self.contexts, self.truths = self._chunks(last), self._chunks(windows.targets)
        self.targets: Vectors = unit_rows(corpora.vectors.rows(windows.targets))

    def _chunks(self, rows: Rows) -> list[Chunk]:
        return self.store.chunks(self.corpus, rows - self.offset)

    def after_epoch(self, model: SequenceModel, epoch: int) -> None:
        """Write what the net says now; what stood there of this epoch and later ones is replaced."""
        predictions = forecast.over_windows(model, self.corpora.vectors, self.windows).vectors
        with contextlib.suppress(LvmError):  # a search that fails, as where a database went away, ends no training
            written = read_samples(self.path)
            before = [sample for sample in written if sample.epoch < epoch]
            if len(before) < len(written):
                write_text(self.path, _lines(before))
            with disk_errors(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(_lines(self._samples(predictions, epoch)))

    def _samples(self, predictions: Vectors, epoch: int) -> list[Sample]:
        contexts = [np.unique(rows) - self.offset for rows in self.windows.contexts]
        hits = [self.index.search(one[None, :], 1, rows)[0] for one, rows in zip(predictions, contexts, strict=True)]
        places = [i for i, nearest in enumerate(hits) if nearest]
        chunks = self.store.chunks(self.corpus, [hits[i][0].row for i in places])
        cosines = (predictions * self.targets).sum(1)
        return [
            Sample(epoch, self.contexts[i].text, self.truths[i].text, chunk.text, round(float(cosines[i]), 6))
            for i, chunk in zip(places, chunks, strict=True)
        ]


def _lines(samples: list[Sample]) -> str:
    return "".join(json.dumps(asdict(sample), ensure_ascii=False) + "\n" for sample in samples)


def sampling(
    workspace: Workspace, corpora: Corpora, windows: Windows, path: Path, note: Callable[[str], None]
) -> AfterEpoch:
    """Return what samples three of `windows` after every epoch; where nothing can, `note` is told why."""
    try:
        return _opened(workspace, corpora, windows, path).after_epoch
    except LvmError as error:
        note(f"no samples in words while it trains: {error}")
        return lambda _model, _epoch: None


def _opened(workspace: Workspace, corpora: Corpora, windows: Windows, path: Path) -> Sampler:
    """Return the sampler of the first corpus that has windows: three of them, evenly spread."""
    numbers = np.searchsorted(corpora.vectors.offsets, windows.targets, side="right") - 1
    places = np.flatnonzero(numbers == numbers[0])
    spread = np.linspace(0, len(places) - 1, N_SAMPLES + 2)[1:-1].astype(np.int64)
    corpus = corpora.infos[numbers[0]].name
    index = kept_index(workspace, corpus, corpora.encoder_id)
    if index is None:
        raise CorpusError(
            f"Corpus '{corpus}' has no index", "one", f"Make it with: python -m lvm_core encode --corpus {corpus}"
        )
    chosen = windows.take(places[np.unique(spread)])
    sampler = Sampler(corpora, chosen, int(numbers[0]), CorpusStore(workspace), index, path)
    if all(_is_number(chunk) for chunk in sampler.truths):
        raise CorpusError(f"Corpus '{corpus}' has vectors without texts", "a text for each", "Read it in again.")
    return sampler


def _is_number(chunk: Chunk) -> bool:
    """Return whether a chunk was imported without its text, and is called by its number instead."""
    return re.fullmatch(rf"(concept|{re.escape(chunk.article)}, chunk) \d+", chunk.text) is not None


def read_samples(path: Path) -> list[Sample]:
    """Return what was said so far, by epoch, damaged lines left out; nothing where the run wrote none."""
    samples: list[Sample] = []
    lines = read_bytes(path).decode("utf-8", "replace").splitlines() if is_regular(path) else []
    for line in lines:
        with contextlib.suppress(LvmError):
            samples.append(from_json(Sample, parse_json(line, "A line of samples"), "A line of samples"))
    return samples
