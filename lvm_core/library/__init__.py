"""The studio for scripts and notebooks: the verbs of the pages and the commands, here or at a service elsewhere."""

from lvm_core.library.backend import ModelSummary, Space
from lvm_core.library.results import Board, Evaluated, Found, Map, Predictions
from lvm_core.library.studio import Studio

__all__ = ["Board", "Evaluated", "Found", "Map", "ModelSummary", "Predictions", "Space", "Studio"]
