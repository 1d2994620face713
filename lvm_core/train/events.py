"""TensorBoard event files beside the metrics, for those who ask for them."""

from pathlib import Path
from typing import Any

from lvm_core.errors import MissingPackage


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

    def write(self, line: dict[str, Any]) -> None:
        """Write the numbers of one line of metrics."""
        if self.writer is None:
            return
        for name, value in flat(line).items():
            self.writer.add_scalar(name, value, line["step"])

    def close(self) -> None:
        """Flush and close."""
        if self.writer is not None:
            self.writer.close()


def flat(line: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the numbers in `line` with names such as loss/mse."""
    found: dict[str, float] = {}
    for name, value in line.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name != "step":
            found[prefix + name] = float(value)
    return found
