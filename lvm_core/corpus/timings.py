"""How long each stage of a corpus's making took: kept with the corpus, and beside it as pipeline_metrics.json."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import TypedDict, TypeVar, cast

from lvm_core.corpus.details import set_detail
from lvm_core.corpus.store import CorpusStore
from lvm_core.device import forget_peak_memory, peak_memory
from lvm_core.errors import WorkspaceError
from lvm_core.workspace import Workspace, write_json

T = TypeVar("T")
STAGES = ("reading", "chunking", "storing", "tmd", "embedding", "index")
PREFIX = "pipeline."


class StageFacts(TypedDict, total=False):
    """What a stage took beside time on the wall, of this process: CPU seconds, the most bytes of memory that it held,
    bytes on disk that it made, and the dimension of the vectors that it was about.
    """

    cpu_s: float
    peak_bytes: int
    n_bytes: int
    dim: int


class StageNote(StageFacts):
    """What is kept of a stage: its seconds, what did it, and when (seconds since 1970)."""

    seconds: float
    by: str
    at: float


class Rates(TypedDict):
    """Seconds in all, and milliseconds a chunk and an article."""

    seconds: float
    ms_per_chunk: float
    ms_per_article: float


class Stage(Rates, StageFacts):
    """A stage with its rates, what did it, and when."""

    by: str
    at: float


class Metrics(TypedDict):
    """pipeline_metrics.json: how long the making of a corpus took, by stage and in all."""

    corpus: str
    digest: str
    n_articles: int
    n_chunks: int
    stages: dict[str, Stage]
    total: Rates


class Cost:
    """What this process spends from now on."""

    def __init__(self) -> None:
        self._start, self._cpu = time.monotonic(), time.process_time()
        forget_peak_memory()

    @property
    def seconds(self) -> float:
        """Seconds on the wall."""
        return time.monotonic() - self._start

    def facts(self, dim: int = 0, n_bytes: int = 0) -> StageFacts:
        """Return what was spent so far, for the notes of a stage; `dim` and `n_bytes` where they are not 0."""
        facts: StageFacts = {"cpu_s": round(time.process_time() - self._cpu, 3), "peak_bytes": peak_memory()}
        if dim:
            facts["dim"] = dim
        if n_bytes:
            facts["n_bytes"] = n_bytes
        return facts


class Stopwatch:
    """Seconds by stage. Of stages within one another only the innermost runs."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._running: list[str] = []
        self._since = 0.0

    @contextlib.contextmanager
    def spent(self, stage: str) -> Iterator[None]:
        """Count the time inside to `stage`."""
        self._count()
        self._running.append(stage)
        try:
            yield
        finally:
            self._count()
            self._running.pop()

    def _count(self) -> None:
        now = time.perf_counter()
        if self._running:
            stage = self._running[-1]
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now

    def each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Yield `items`, counting the time that each takes to come to `stage`."""
        iterator = iter(items)
        while True:
            with self.spent(stage):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def details(self, by: str = "", facts: StageFacts | None = None) -> dict[str, StageNote]:
        """Return the stages as they are kept with a corpus, with the `facts` of all of them together."""
        return {PREFIX + stage: _stage(seconds, by, facts) for stage, seconds in self.seconds.items()}


def _stage(seconds: float, by: str, facts: StageFacts | None) -> StageNote:
    return {"seconds": round(seconds, 4), "by": by, "at": round(time.time(), 1), **(facts or {})}


def record(
    workspace: Workspace, corpus: str, stage: str, seconds: float, by: str = "", facts: StageFacts | None = None
) -> None:
    """Keep that `stage` of `corpus` took so long; a workspace that cannot be written keeps nothing.

    Args:
        workspace: where the corpus is.
        corpus: its name.
        stage: one of `STAGES`.
        seconds: wall clock, over all attempts.
        by: what did it, such as an encoder id.
        facts: what else it took.
    """
    with contextlib.suppress(WorkspaceError):
        set_detail(workspace, corpus, PREFIX + stage, _stage(seconds, by, facts))
        export(workspace, corpus)


def export(workspace: Workspace, corpus: str) -> None:
    """Write pipeline_metrics.json beside the corpus.

    Raises:
        WorkspaceError: if the disk refuses.
    """
    write_json(workspace.pipeline_metrics(corpus), metrics(workspace, corpus))


def metrics(workspace: Workspace, corpus: str) -> Metrics:
    """Return what each timed stage took, in all and in ms a chunk and an article.

    Raises:
        CorpusError: if there is no such corpus.
    """
    store = CorpusStore(workspace)
    info, details = store.corpus(corpus), store.details(corpus)
    timed = {stage: details[PREFIX + stage] for stage in STAGES if PREFIX + stage in details}

    def rates(seconds: float) -> Rates:
        return {
            "seconds": round(seconds, 3),
            "ms_per_chunk": round(1e3 * seconds / max(info.n_chunks, 1), 4),
            "ms_per_article": round(1e3 * seconds / max(info.n_documents, 1), 3),
        }

    return {
        "corpus": corpus,
        "digest": info.digest,
        "n_articles": info.n_documents,
        "n_chunks": info.n_chunks,
        "stages": {stage: cast(Stage, {**s, **rates(s["seconds"])}) for stage, s in timed.items()},
        "total": rates(sum(s["seconds"] for s in timed.values())),
    }


def sentence(timings: Metrics) -> str:
    """Return metrics as one line for people, "" where no stage was timed."""
    if not timings["stages"]:
        return ""
    each = ", ".join(f"{stage} {s['ms_per_chunk']:.2f}" for stage, s in timings["stages"].items())
    total = timings["total"]
    return f"{each} ms a chunk; {total['ms_per_article']:,.0f} ms an article, {total['seconds']:,.1f} s in all"
