"""Curves of many runs, read as they grow: of each metrics.jsonl only what was appended since the last look."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.files import open_regular
from lvm_core.errors import LvmError
from lvm_core.json_shapes import MetricsLine

Floats = NDArray[np.float64]

SHOWN_POINTS = 200


@dataclass(slots=True)
class Curve:
    """What one metrics.jsonl has said so far. Nested numbers have names such as loss/mse."""

    steps: list[float] = field(default_factory=list)
    columns: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)
    """Of each name the line numbers at which it was given, and its values."""
    flags: list[str] = field(default_factory=list)
    last: MetricsLine = field(default_factory=MetricsLine)
    version: tuple[int, int] = (0, 0)
    """Inode and bytes read: what figures made of this curve are cached by."""

    def series(self, name: str, over: str = "step") -> tuple[Floats, Floats]:
        """Return x and y of `name` over "step", or over another column such as "epoch" or "seconds"."""
        lines, values = self.columns.get(name, ([], []))
        x = np.asarray(self.steps, dtype=np.float64)
        if over != "step":
            at, given = self.columns.get(over, ([], []))
            x = np.interp(np.arange(len(self.steps)), at, given) if at else x
        return x[np.asarray(lines, dtype=np.int64)], np.asarray(values, dtype=np.float64)

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin with `prefix`, in the order they came."""
        return [name for name in self.columns if name.startswith(prefix)]

    def add(self, line: MetricsLine) -> None:
        """Add one line; a run that was resumed from an earlier step takes back what came after it."""
        step = float(line.get("step", len(self.steps)))
        while self.steps and self.steps[-1] >= step and not self._same_step(step, line):
            self._drop_last()
        number = len(self.steps)
        self.steps.append(step)
        for name, value in _numbers(line):
            lines, values = self.columns.setdefault(name, ([], []))
            lines.append(number)
            values.append(value)
        if line.get("flag"):
            self.flags.append(f"epoch {line.get('epoch', '?')}: {line['flag']}")
        self.last = line

    def _same_step(self, step: float, line: MetricsLine) -> bool:
        """A step that ends an epoch may be written twice: once with the losses, once with the validation."""
        return self.steps[-1] == step and line.get("val_cosine") is not None

    def _drop_last(self) -> None:
        self.steps.pop()
        for lines, values in self.columns.values():
            while lines and lines[-1] >= len(self.steps):
                lines.pop()
                values.pop()


def _numbers(line: Mapping[str, object], prefix: str = "") -> list[tuple[str, float]]:
    numbers: list[tuple[str, float]] = []
    for name, value in line.items():
        if name in ("step", "baselines"):
            continue  # the baselines are one number a run: the last line has them
        if isinstance(value, dict):
            numbers += _numbers(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers.append((prefix + name, float(value)))
    return numbers


class CurveCache:
    """The curves of a workspace's runs, kept between looks."""

    def __init__(self) -> None:
        self._curves: dict[Path, Curve] = {}
        self._lock = threading.Lock()

    def read(self, path: Path) -> Curve:
        """Return the curve in `path`, read from where the last look ended; an empty one where there is no file."""
        with self._lock:  # two sessions that look at once must not both add what is new
            return self._read(path)

    def _read(self, path: Path) -> Curve:
        curve = self._curves.get(path, Curve())
        try:
            status = path.stat()
        except OSError:
            self._curves.pop(path, None)
            return Curve()
        inode, done = curve.version
        if status.st_ino != inode or status.st_size < done:
            curve, done = Curve(), 0
        if status.st_size > done:
            with path.open("rb") as file:
                file.seek(done)
                data = file.read(status.st_size - done)
            done += _add_lines(curve, data)
        curve.version = (status.st_ino, done)
        self._curves[path] = curve
        return curve


def _add_lines(curve: Curve, data: bytes) -> int:
    """Add the whole lines of `data`; return how many bytes they are (a line being written is left for later)."""
    whole = data[: data.rfind(b"\n") + 1]
    lines = whole.split(b"\n")
    try:
        parsed = json.loads(b"[" + b",".join(line for line in lines if line.strip()) + b"]")
    except ValueError:
        parsed = [one for line in lines if (one := _parsed(line)) is not None]
    for line in parsed:
        if isinstance(line, dict):
            curve.add(cast(MetricsLine, line))
    return len(whole)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None  # a line cut short by a kill


def thinned(x: Floats, y: Floats, n_points: int = SHOWN_POINTS) -> tuple[Floats, Floats]:
    """Return at most `n_points` of a curve, least and greatest of each stretch kept: no spike is lost.

    Args:
        x: (N,) in ascending order.
        y: (N,).
        n_points: how many at most; an even number above 3.
    """
    if len(x) <= n_points:
        return x, y
    width = -(-len(x) // (n_points // 2 - 1))
    padded = np.full(-(-len(x) // width) * width, np.nan)
    padded[: len(x)] = y
    low = np.where(np.isnan(padded), np.inf, padded).reshape(-1, width).argmin(axis=1)
    high = np.where(np.isnan(padded), -np.inf, padded).reshape(-1, width).argmax(axis=1)
    starts = np.arange(len(low)) * width
    at = np.unique(np.concatenate([[0, len(x) - 1], starts + low, starts + high]))
    at = at[at < len(x)]
    return x[at], y[at]


def last_line(path: Path, having: str = "step", n_bytes: int = 65_536) -> MetricsLine:
    """Return the last whole line of a metrics file that has a value of `having`, {} where there is none.

    Whatever the file's size, only its last `n_bytes` are read.
    """
    try:
        with open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - n_bytes))
            lines = file.read(n_bytes).split(b"\n")[:-1]
    except (OSError, LvmError):
        return {}
    newest_first = (_parsed(line) for line in reversed(lines))
    line = next((line for line in newest_first if isinstance(line, dict) and line.get(having) is not None), {})
    return cast(MetricsLine, line)
