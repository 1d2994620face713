"""TensorBoard event files beside the metrics, for those who ask for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lvm_core.errors import MissingPackage
from lvm_core.json_shapes import MetricsLine


class EventFiles:
    """Writes each line of metrics as scalars too; does nothing without a folder."""

    def __init__(self, folder: Path | None) -> None:
        """Write to `folder`, or nowhere.

        Raises:
            MissingPackage: if TensorBoard's writer is not installed.
        """
        self.writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingPackage("tensorboard", "--tensorboard", "pip install tensorboard") from error
        self.writer = SummaryWriter(str(folder / "events"))

    def write(self, line: MetricsLine) -> None:
        """Write the numbers of one line of metrics."""
        if self.writer is None:
            return
        for name, value in flat(line).items():
            self.writer.add_scalar(name, value, line["step"])

    def close(self) -> None:
        """Flush and close."""
        if self.writer is not None:
            self.writer.close()


def flat(line: Mapping[str, object], prefix: str = "") -> dict[str, float]:
    """Return the numbers in `line` with names such as loss/mse."""
    numbers: dict[str, float] = {}
    for name, value in line.items():
        if isinstance(value, dict):
            numbers |= flat(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name != "step":
            numbers[prefix + name] = float(value)
    return numbers
