"""Reading the parts of a dump on other machines: a part a task, read, cleaned and cut there, stored here in order."""

import pickle
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from lvm_core.corpus.parallel import Chunked, chunk_articles
from lvm_core.corpus.settings import IngestSettings
from lvm_core.corpus.sources import open_source
from lvm_core.corpus.sources.base import Skipped, mended
from lvm_core.executors import Executor, Outcome, Task
from lvm_core.executors.work import Desk
from lvm_core.types import Progress
from lvm_core.workspace import Workspace, disk_errors, replacing


def parts_elsewhere(
    workspace: Workspace, sources: Sequence[str], settings: IngestSettings, skipped: Skipped, executor: Executor,
    progress: Progress,
) -> Iterator[Chunked]:  # fmt: skip
    """Yield the articles of all parts, cut, in the order of the parts whichever ends first.

    Raises:
        SourceError: if a part cannot be read; workers find it at the path given.
        ExecutorLost: if nobody is left who reads.
    """
    folder = workspace.make(workspace.cluster / f"parts-{secrets.token_hex(6)}")
    plain = replace(settings, workers=1)
    names = [f"part {i + 1}, {source}" for i, source in enumerate(sources)]
    tasks = [
        Task(
            name, f"{__name__}:read_part", {"source": source, "settings": plain, "file": str(folder / f"{i}.articles")}
        )
        for i, (name, source) in enumerate(zip(names, sources, strict=True))
    ]
    ended: dict[str, Outcome] = {}

    def tell(_name: str, share: float, message: str) -> None:
        progress(min((len(ended) + share) / len(names), 0.999), f"{len(ended)} of {len(names)} parts read; {message}")

    try:
        with closing(executor.run(tasks, tell)) as outcomes:
            for name, task in zip(names, tasks, strict=True):
                while name not in ended:
                    outcome = next(outcomes)
                    ended[outcome.task.name] = outcome
                read: Skipped = ended[name].worth()
                skipped.counts.update(read.counts)
                skipped.examples += read.examples
                yield from _stored(Path(task.given["file"]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stored(path: Path) -> Iterator[Chunked]:
    with path.open("rb") as file:
        while file.peek(1):
            article: Chunked = pickle.load(file)  # our own, from a folder of this very run
            yield article
    path.unlink()


# ---------------------------------------------------------------- on a worker


def read_part(desk: Desk, source: str, settings: IngestSettings, file: str) -> Skipped:
    """Read `source`, clean and cut it into `file`, whole or not at all; return what was passed over."""
    skipped, path = Skipped(), desk.here(file)
    opened = open_source(source, settings)
    raw, n = opened.articles(skipped), 0
    with closing(raw), disk_errors(path), replacing(path) as temporary, temporary.open("wb") as out:
        for title, chunks in chunk_articles(mended(raw, skipped), settings):
            if len(chunks) < settings.min_chunks:
                skipped.add(f"articles of fewer than {settings.min_chunks} chunks", title)
                continue
            pickle.dump((title, chunks), out, protocol=pickle.HIGHEST_PROTOCOL)
            n += 1
            desk.progress(min(opened.share, 0.999), f"{n:,} articles of {opened.description}")
            if settings.limit and n >= settings.limit:
                break
    return skipped
