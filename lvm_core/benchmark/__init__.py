"""Speed and memory in pairs: our way and the obvious way, alternating in one run, medians compared with a bar.

A benchmark is one function and one line in `BENCHMARKS`.
"""

import importlib
from collections.abc import Callable, Sequence

from lvm_core.benchmark.measure import Bench, Row
from lvm_core.errors import LvmError, SettingsError
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace

BENCHMARKS: dict[str, str] = {
    "encode": "lvm_core.benchmark.encoding:encode",
    "cluster": "lvm_core.benchmark.cluster:cluster",
    "train": "lvm_core.benchmark.training:train",
    "memory": "lvm_core.benchmark.memory:memory",
    "help": "lvm_core.benchmark.latency:help_text",
    "predict": "lvm_core.benchmark.latency:predict",
    "decode": "lvm_core.benchmark.decoding:decode",
    "nets": "lvm_core.benchmark.nets:nets",
    "index": "lvm_core.benchmark.index:index",
    "service": "lvm_core.benchmark.serving:service",
    "architectures": "lvm_core.benchmark.architectures:architectures",
}
"""Name of each benchmark, and "module:function" of what measures it: Bench -> rows."""


def run(
    workspace: Workspace,
    only: Sequence[str] = (),
    small: bool = False,
    progress: Progress = no_progress,
) -> list[Row]:
    """Return the rows of all benchmarks, or of those named.

    Args:
        workspace: its corpora give the texts and the index, where it has some; nothing is written to it.
        only: keys of `BENCHMARKS`.
        small: a few seconds in all, on tiny data: to see that everything runs, not how fast.
        progress: told which benchmark runs.

    Raises:
        SettingsError: for a name that is none.
    """
    unknown = [name for name in only if name not in BENCHMARKS]
    if unknown:
        raise SettingsError([f"There is no benchmark {unknown[0]!r}; expected one of {', '.join(BENCHMARKS)}."])
    names = [name for name in BENCHMARKS if not only or name in only]
    rows: list[Row] = []
    for i, name in enumerate(names):
        progress(i / len(names), f"measuring {name}")
        rows += _measure(name, Bench(workspace, small))
    progress(1.0, f"{len(rows)} pairs measured")
    return rows


def _measure(name: str, bench: Bench) -> list[Row]:
    """A benchmark that lacks something (a corpus, a decoder) says so in its row and stops no other."""
    module, function = BENCHMARKS[name].split(":")
    measure: Callable[[Bench], list[Row]] = getattr(importlib.import_module(module), function)
    try:
        return measure(bench)
    except LvmError as error:
        return [Row(name, "not measured", None, None, "", "", None, str(error))]
