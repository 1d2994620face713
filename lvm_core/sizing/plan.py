"""The plan for a corpus that nobody has made yet: storage, memory, kind of index and hours."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from lvm_core.config import check, setting
from lvm_core.json_shapes import Json
from lvm_core.sizing.law import law_of, size
from lvm_core.sizing.runs import Measured, Run, Stage
from lvm_core.vectors.flat import FlatIndex
from lvm_core.vectors.index import kind_for

FLOAT16, FLOAT32 = 2, 4


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What is planned."""

    chunks: int = setting(1_000_000, "chunks of the corpus", "chunks", low=1, high=10**10, always=True)
    dim: int = setting(384, "dimension of the vectors", "numbers", low=1, high=65_536, always=True)
    machines: int = setting(1, "machines that encode side by side", "machines", low=1, high=100_000)
    encode_rate: float | None = setting(
        None, "chunks that one machine encodes in a second; measured ones where not given", "chunks/s", low=1e-3
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Hours, bytes, and in words what each figure rests on.

    `index_memory_bytes` is held by every process that searches; `peak_bytes` by the one that builds the index. Reading
    in and the index take one processor of one machine each, encoding all machines.
    """

    chunks: int
    dim: int
    machines: int
    index_kind: str
    read_hours: float
    encode_hours: float
    index_hours: float
    text_bytes: float
    vector_bytes: float
    index_bytes: float
    index_memory_bytes: float
    peak_bytes: float
    encode_rate: float
    notes: list[str]

    @property
    def storage_bytes(self) -> float:
        """Bytes on disk in all."""
        return self.text_bytes + self.vector_bytes + self.index_bytes

    @property
    def hours(self) -> float:
        """Hours one after another."""
        return self.read_hours + self.encode_hours + self.index_hours

    def to_json(self) -> Json:
        """Return the plan as plain values."""
        return {**asdict(self), "storage_bytes": self.storage_bytes, "hours": self.hours}


def plan(settings: PlanSettings, measured: Measured) -> Plan:
    """Return what a corpus of `settings` will take, by laws fitted to the measured runs.

    Raises:
        SettingsError: for settings out of bounds.
    """
    check(settings)
    rows, dim = settings.chunks, settings.dim
    text = _alike(measured.runs, "reading in")
    rate, about_rate = _rate(settings, measured.runs)
    kind = kind_for(rows)
    index = _Index(rows, dim, kind, [run for run in measured.runs if (run.stage, run.by) == ("indexing", kind)])
    return Plan(
        chunks=rows, dim=dim, machines=settings.machines, index_kind=kind,
        read_hours=_predicted(text, "seconds", rows, 0) / 3600,
        encode_hours=rows / rate / settings.machines / 3600,
        index_hours=index.predicted("seconds") / 3600,
        text_bytes=_predicted(text, "bytes on disk", rows, 0),
        vector_bytes=float(rows * dim * FLOAT16),
        index_bytes=index.predicted("bytes on disk"),
        index_memory_bytes=index.predicted("bytes on disk") or float(rows * dim * FLOAT32),
        peak_bytes=index.predicted("peak memory"),
        encode_rate=rate,
        notes=[about_rate, index.about(), f"Measured: {measured.where}."],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Index:
    """The index of a plan, and the runs that built such a one."""

    rows: int
    dim: int
    kind: str
    runs: list[Run]

    def predicted(self, quantity: str) -> float:
        return _predicted(self.runs, quantity, self.rows, self.dim)

    def about(self) -> str:
        if self.kind == FlatIndex.kind:
            return "So few chunks are searched one by one; their index is made in a moment, in memory."
        sizes = ", ".join(f"{run.rows:,}" for run in sorted(self.runs, key=lambda run: run.rows)) or "no"
        return f"The index is predicted from {self.kind} indexes of {sizes} chunks."


def _alike(runs: Sequence[Run], stage: Stage) -> list[Run]:
    """Return the runs of a stage that were made as the largest of them was."""
    found = [run for run in runs if run.stage == stage]
    largest = max(found, key=lambda run: run.rows, default=None)
    return [run for run in found if largest is not None and run.by == largest.by]


def _predicted(runs: Sequence[Run], quantity: str, rows: int, dim: int) -> float:
    """Return a quantity of a run of `rows` and `dim` that is like `runs`, 0 where none of them noted it."""
    law = law_of(runs, quantity)
    return law(size(quantity, Run(runs[0].stage, runs[0].by, rows, dim, 0.0))) if law is not None else 0.0


def _rate(settings: PlanSettings, runs: Sequence[Run]) -> tuple[float, str]:
    """Return the chunks a second that one machine encodes, and in words what that rests on.

    An encoder of another dimension is taken to cost by the square of it: wider, and as much deeper.
    """
    if settings.encode_rate is not None:
        return settings.encode_rate, f"Encoding at {settings.encode_rate:,.0f} chunks/s a machine, as given."
    encoded = [run for run in runs if run.stage == "encoding"]
    nearest = min(encoded, key=lambda run: (abs(run.dim - settings.dim), -run.rows))
    rate = nearest.rows / nearest.seconds
    about = f"{nearest.by} encoded {nearest.rows:,} chunks at {rate:,.0f}/s"
    if nearest.dim != settings.dim:
        rate *= (nearest.dim / settings.dim) ** 2
        about += (
            f" in {nearest.dim} dimensions; an encoder of {settings.dim} is taken to be slower by the square of that,"
            f" {rate:,.0f}/s. Give --encode-rate where you know it"
        )
    return rate, f"{about}."
