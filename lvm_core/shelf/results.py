"""What a shelf has measured so far: a line a training in one file, so that it goes on after any end."""

import json
import math
from dataclasses import asdict, dataclass, field

from lvm_core.boundary.json_values import from_json
from lvm_core.errors import LvmError
from lvm_core.json_shapes import Json
from lvm_core.shelf.settings import Line
from lvm_core.workspace import Workspace, disk_errors

Ends = list[float] | None


@dataclass(frozen=True, slots=True)
class Result:
    """One training and what it scored on test articles; `left_out` says why there are no scores.

    `windows_per_s` and `query_ms` are of CPU seconds on one thread. `vs_filter` is the paired difference in cosine to
    the linear filter of the same context, fitted on the same articles.
    """

    net: str
    size: int
    context: int
    run: str = ""
    parameters: int = 0
    windows: int = 0
    epochs: int = 0
    best_epoch: int = 0
    windows_per_s: float | None = None
    query_ms: float | None = None
    cosine: float | None = None
    cosine_ci: Ends = None
    recall: float | None = None
    recall_ci: Ends = None
    vs_filter: float | None = None
    vs_filter_ci: Ends = None
    sample_recall: float | None = None
    test: Json = field(default_factory=dict)
    left_out: str = ""

    @property
    def line(self) -> Line:
        """What was asked for."""
        return Line(self.net, self.size, self.context)


def read_results(workspace: Workspace, name: str) -> list[Result]:
    """Return what was measured, in that order; of a line measured twice the last; lines cut short are left out."""
    path = workspace.shelf(name)
    found: dict[Line, Result] = {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            one = from_json(Result, json.loads(text), path.name, "Measure it again.", extra=True)
        except (ValueError, LvmError):
            continue
        found[one.line] = one
    return list(found.values())


def add_result(workspace: Workspace, name: str, result: Result) -> None:
    """Append one result."""
    path = workspace.shelf(name)
    workspace.make(path.parent)
    values = {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in asdict(result).items()}
    whole = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")  # a killed process may have left half a line
    with disk_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(("" if whole else "\n") + json.dumps(values) + "\n")
