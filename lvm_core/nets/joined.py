"""Models made of other models. Adding one is a file beside these and a line in `JOINED`."""

from lvm_core.nets.ensemble import Ensemble
from lvm_core.nets.residual_memory import ResidualMemory

JOINED: dict[str, type[Ensemble] | type[ResidualMemory]] = {"ensemble": Ensemble, "residual-memory": ResidualMemory}
