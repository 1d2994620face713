"""What was asked on the Predict page, and what has come so far."""

from dataclasses import dataclass, field

from lvm_core.predict import Prediction
from pages.views.predict.context import Origin
from pages.views.predict.form import Asked

Place = tuple[str, bool]
"""A card: model and whether it is snapped."""


@dataclass(slots=True)
class Result:
    """What was asked and what has come so far."""

    asked: Asked
    texts: list[str]
    origin: Origin | None
    predictions: dict[Place, Prediction] = field(default_factory=dict)
    errors: dict[Place, str] = field(default_factory=dict)

    @property
    def truth(self) -> str:
        """The real next chunk, where it is known."""
        return self.origin.target if self.origin else ""
