"""A studio under hours of use in minutes: does its memory stay where it is after the first prediction of each kind?

    python -m tests.app.soak WORKSPACE [--visits 200] [--predictions 50] [--sessions 3]

WORKSPACE holds an encoded corpus. Each session goes round all pages and, in between, asks Predict for contexts that it
has not asked for before. Resident memory is read after every step, and written as one line a step to standard output.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from lvm_core.corpus.store import CorpusStore
from lvm_core.workspace import Workspace
from tests.app.session import Session
from tests.app.studio import end, free_port, serve

PAGES = ("corpus", "train", "leaderboard", "vectors", "drift", "system", "")
CONTEXT = 5
WARM = 0.2
"""Share of the steps that are the warm-up: every page in every session, and some predictions."""


@dataclass
class Curve:
    """What was read after each step: megabytes of resident memory, and the seconds of each prediction.

    `peak_mb` is the most that was ever resident, in the middle of a step.
    """

    warm: float = WARM
    megabytes: list[float] = field(default_factory=list)
    prediction_s: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    @property
    def warm_mb(self) -> float:
        """The median of the tenth of the steps that follows the warm-up: one step may hold what it is about to free."""
        first = int(self.warm * len(self.megabytes))
        return statistics.median(self.megabytes[first : first + self._tenth])

    @property
    def end_mb(self) -> float:
        """The median of the last tenth of the steps."""
        return statistics.median(self.megabytes[-self._tenth :])

    @property
    def growth(self) -> float:
        """From after the warm-up to the end, as a share."""
        return self.end_mb / self.warm_mb - 1

    @property
    def _tenth(self) -> int:
        return max(1, len(self.megabytes) // 10)


def soak(
    workspace: Path, n_visits: int, n_predictions: int, n_sessions: int, warm: float = WARM, tell: bool = False
) -> Curve:
    """Return the curve of a studio that is visited and asked to predict, the steps spread evenly over the sessions."""
    port = free_port()
    process = serve(workspace, port)
    memory, curve = psutil.Process(process.pid), Curve(warm)
    predicts = set(np.linspace(len(PAGES), n_visits - 1, n_predictions).astype(int).tolist())
    contexts = new_contexts(workspace)
    try:
        with ExitStack() as stack:
            sessions = [stack.enter_context(Session(f"http://localhost:{port}")) for _ in range(n_sessions)]
            for step in range(n_visits):
                session = sessions[step % n_sessions]
                page = PAGES[(step // n_sessions) % len(PAGES)]
                began = time.monotonic()
                session.visit("" if step in predicts else page)
                if step in predicts:
                    page = "predict"
                    session.fill({f"Chunk {i}": text for i, text in enumerate(next(contexts), 1)}, press="Predict")
                    curve.prediction_s.append(time.monotonic() - began)
                assert not session.errors, session.errors
                curve.megabytes.append(memory.memory_info().rss / 1e6)
                curve.peak_mb = _peak_mb(process.pid)
                if tell:
                    spent = time.monotonic() - began
                    name = page or "predict"
                    print(f"{step + 1:4} {name:12} {spent:6.1f} s {curve.megabytes[-1]:7.0f} MB", flush=True)
    finally:
        end(process)
    return curve


def _peak_mb(pid: int) -> float:
    """Return the kernel's own mark of a process's most resident memory, 0 where there is none."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), 0.0)


def new_contexts(workspace: Path) -> Iterator[list[str]]:
    """Yield contexts of five chunks, drawn from all over the first corpus: new ones, so that no text is remembered."""
    store = CorpusStore(Workspace(workspace))
    info = store.corpora()[0]
    rng = np.random.default_rng()
    while True:
        start = int(rng.integers(0, info.n_chunks - CONTEXT))
        yield [" ".join(chunk.text.split()) for chunk in store.chunks(info.name, range(start, start + CONTEXT))]


def main() -> None:
    """Soak a studio and say how its memory went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--visits", type=int, default=200)
    parser.add_argument("--predictions", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=3)
    given = parser.parse_args()
    curve = soak(given.workspace, given.visits, given.predictions, given.sessions, tell=True)
    tenth = curve.prediction_s[min(9, len(curve.prediction_s) - 1)]
    print(
        f"after the warm-up {curve.warm_mb:,.0f} MB, at the end {curve.end_mb:,.0f} MB ({curve.growth:+.1%}),"
        f" at most {max(curve.megabytes):,.0f} MB between two steps and {curve.peak_mb:,.0f} MB within one;"
        f" tenth prediction {tenth:.1f} s, last {curve.prediction_s[-1]:.1f} s"
    )


if __name__ == "__main__":
    main()
