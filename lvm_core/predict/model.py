"""One model, ready to predict what comes after a context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lvm_core.errors import ModelError
from lvm_core.json_shapes import CorpusSource
from lvm_core.predict.prediction import PASSTHROUGH, Note, Remembered
from lvm_core.types import Encoder, Vectors
from lvm_core.workspace import Workspace

if TYPE_CHECKING:
    from lvm_core.forecast import Forecast
    from lvm_core.nets.base import SequenceModel
    from lvm_core.opened import Files

COPIES = "copy-last"
"""The rule behind the name passthrough."""

SAMPLED = frozenset({"lcm-one-tower", "lcm-two-tower", "energy"})
"""Nets that predict a distribution; by name, so that a page need not load them to know."""

TOLD = frozenset({"mamba", "mamba2", "hybrid"})
"""Nets that may have been trained to be told what kind of chunk comes next."""

SAMPLE = "#"
"""REF#2 is the second sample of a net that predicts a distribution, where REF is the mean of all."""


@dataclass(frozen=True, slots=True)
class PredictingModel:
    """A net, a baseline or passthrough. `longest` is the most chunks it reads, None where any length will do.

    `corpora` are those that its memory, if it has one, was filled from, in the order of its rows; `files` what it was
    read from, as they were.
    `sample` is the number of the sample that it says instead of the mean of all, from 1 on; 0 for the mean.
    """

    ref: str
    kind: str
    net: "SequenceModel"
    longest: int | None
    corpora: tuple[CorpusSource, ...] = ()
    files: "Files" = ()
    sample: int = 0

    def is_current(self) -> bool:
        """Return whether the model's files are still those that were read."""
        from lvm_core.opened import stamp

        return all(stamp(path) == before for path, before in self.files)

    def predict(
        self, contexts: Sequence[Vectors], tmds: Sequence[Vectors | None] = ()
    ) -> "list[tuple[Forecast, tuple[Note, ...]]]":
        """Return what comes after each of the contexts (T, D), prediction and query (D,), and notes.

        Contexts of one length go through the net together.

        Args:
            contexts: the chunks of each, oldest first.
            tmds: (16,) what kind of chunk is to come after each, None where nothing is told; a model that takes none
                is not told, and a note says so.

        Raises:
            ModelError: if a prediction is not finite.
        """
        from lvm_core import forecast
        from lvm_core.nets.inputs import takes_tmd

        read = [context[-(self.longest or len(context)) :] for context in contexts]
        asked = list(tmds) or [None] * len(read)
        told = asked if takes_tmd(self.net) else [None] * len(read)
        alike: dict[tuple[int, bytes], list[int]] = {}
        for i, (context, tmd) in enumerate(zip(read, told, strict=True)):
            alike.setdefault((len(context), b"" if tmd is None else tmd.tobytes()), []).append(i)
        found: dict[int, Forecast] = {}
        for members in alike.values():
            if self.sample:
                found |= {i: self._of_sample(read[i]) for i in members}
                continue
            together = forecast.after(self.net, np.stack([read[i] for i in members]), self.ref, told[members[0]])
            found |= {i: together.at(place) for place, i in enumerate(members)}
        return [
            (found[i], self._notes(len(context), asked[i] is not None and told[i] is None, found[i]))
            for i, context in enumerate(contexts)
        ]

    def _notes(self, n_chunks: int, untold: bool, said: "Forecast") -> tuple[Note, ...]:
        notes = []
        longest = self.longest or n_chunks
        if 1 < longest < n_chunks:
            notes.append(f"The context has {n_chunks} chunks; {self.ref} reads the last {longest}.")
        if untold:
            notes.append(f"{self.ref} takes no TMD code, so it was not told.")
        if said.spread is not None:
            notes.append(f"{self.ref} is the mean of samples; their spread is {float(said.spread):.3f}.")
        return tuple(Note("model", text) for text in notes)

    def _of_sample(self, context: Vectors) -> "Forecast":
        from lvm_core import forecast
        from lvm_core.nets.distribution import Distribution

        assert isinstance(self.net, Distribution)
        vector = forecast.samples(self.net, context, self.sample)[-1]
        return forecast.Forecast(vector, np.ones((), dtype=np.float32), vector)

    def remembered(self, workspace: Workspace, said: "Forecast") -> tuple[Remembered, ...]:
        """Return the places of a memory that one prediction of the model went by; none without a memory."""
        from lvm_core.predict.memory import remembered

        return () if said.recalled is None else remembered(workspace, self.corpora, said.recalled)


def load_predicting_model(workspace: Workspace, ref: str, encoder: Encoder) -> PredictingModel:
    """Return the model called `ref`: a run, a shipped model, a baseline, one sample of a net, or passthrough, the
    rule that copies.

    Raises:
        ModelError: if there is no such model, or it has no samples.
        SpaceMismatch: if it was trained with another encoder.
    """
    from lvm_core import opened
    from lvm_core.nets.distribution import Distribution
    from lvm_core.predict.memory import filled_from

    name, mark, number = ref.partition(SAMPLE)
    copies = name == PASSTHROUGH
    loaded = opened.model(workspace, COPIES if copies else name, encoder.id, encoder.dim)
    kind, corpora = PASSTHROUGH if copies else loaded.info.kind, filled_from(workspace, loaded.info)
    files = opened.files_of(workspace, loaded.info)
    sampled = isinstance(loaded.model, Distribution)
    if mark and not (sampled and number.isdigit() and int(number) > 0):
        expected = f"a sample numbered from 1, such as {name}#1" if sampled else "a net that predicts a distribution"
        raise ModelError(f"There is no model '{ref}'", expected, f"Leave '{mark}{number}' out.")
    longest, sample = loaded.info.context or None, int(number) if mark else 0
    return PredictingModel(ref, kind, loaded.model, longest, corpora, files, sample)


def with_samples(refs: Sequence[str], nets: Mapping[str, str], n: int) -> list[str]:
    """Return models with the first `n` samples of each net that predicts a distribution behind it.

    Args:
        refs: the models.
        nets: of each ref that is known the name of its net.
        n: samples; none for 0.
    """
    found = []
    for ref in refs:
        sampled = nets.get(ref) in SAMPLED
        found += [ref, *(f"{ref}{SAMPLE}{k + 1}" for k in range(n if sampled else 0))]
    return list(dict.fromkeys(found))
