"""What every benchmark is made of: alternating rounds, medians, a bar and whether it was reached."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Bench:
    """What a benchmark is given: a workspace to read from, and whether tiny data will do."""

    workspace: Workspace
    small: bool = False

    @property
    def n_rounds(self) -> int:
        return 1 if self.small else 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: benchmark.
        what: what was measured.
        ours: our figure, in `unit`; None where it could not be measured.
        theirs: the obvious way's figure; None where there is only a limit.
        unit: of both.
        bar: what must hold, in words such as "at least 2 times" or "at most 50 ms".
        reached: whether it does; None where there is no bar or nothing was measured.
        note: what else matters.
    """

    name: str
    what: str
    ours: float | None
    theirs: float | None
    unit: str
    bar: str = ""
    reached: bool | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over theirs."""
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    def to_json(self) -> Json:
        """Return the row as the command prints it."""
        return {**dataclasses.asdict(self), "ratio": self.ratio}


def rate(name: str, what: str, ours: float, theirs: float, unit: str, least: float, note: str = "") -> Row:
    """Return a row of two speeds; ours must be at least `least` times theirs."""
    return Row(name, what, ours, theirs, unit, f"at least {least:g} times", ours >= least * theirs, note)


def limit(name: str, what: str, ours: float, unit: str, most: float, note: str = "") -> Row:
    """Return a row of one figure that must be at most `most`."""
    return Row(name, what, ours, None, unit, f"at most {most:g} {unit}", ours <= most, note)


def alternate(ways: Mapping[str, Callable[[], float]], n_rounds: int) -> dict[str, float]:
    """Return the median figure of each way; each round runs all of them, every second one in reverse order."""
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(n_rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            figures[name].append(ways[name]())
    return {name: statistics.median(found) for name, found in figures.items()}


def median_ms(work: Callable[[], object], n: int, warm: int = 2) -> float:
    """Return the median milliseconds of `n` calls after `warm` unmeasured ones."""
    for _ in range(warm):
        work()
    took = []
    for _ in range(n):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


COMMON = (
    "the a of in to and river city war music science early later king water stone built found century people known"
    " history army island language church national game first second new great south north theory energy family law"
    " album team station species book school party president empire mountain railway population university moved"
)


def sample_texts(workspace: Workspace, n: int) -> tuple[list[str], str]:
    """Return `n` texts of the workspace's largest corpus, else made of common words, and where they are from."""
    from lvm_core.corpus.store import CorpusStore

    store = CorpusStore(workspace)
    corpora = sorted(store.corpora(), key=lambda info: -info.n_chunks)
    if corpora and corpora[0].n_chunks >= n:
        rows = np.linspace(0, corpora[0].n_chunks - 1, n).astype(np.int64)
        return [chunk.text for chunk in store.chunks(corpora[0].name, rows)], f"chunks of {corpora[0].name}"
    rng = np.random.default_rng(0)
    lengths = rng.integers(6, 40, n)
    return [" ".join(rng.choice(COMMON.split(), size=size)).capitalize() + "." for size in lengths], "made-up sentences"
