"""Context vectors of many requests, through each model together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvm_core.errors import LvmError
from lvm_core.predict.model import load_predicting_model
from lvm_core.predict.together import each
from lvm_core.service.engine import Engine
from lvm_core.service.lane import Ticket
from lvm_core.service.vectors import as_vectors
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import unit_rows


@dataclass(frozen=True, slots=True)
class Contexts:
    """Contexts as lists of vectors, and the model that goes on with them."""

    contexts: list[list[list[float]]]
    model: str
    encoder: str | None
    normalize: bool = True


@dataclass(frozen=True, slots=True)
class Inferred:
    """What comes after each context: vectors and queries (B, D), and the lengths (B,) that the model gave them."""

    model: str
    encoder: str
    kind: str
    vectors: Vectors
    queries: Vectors
    lengths: Vectors


class Inferring:
    """Work that predicts vectors of vectors."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, tickets: Sequence[Ticket[Contexts]]) -> None:
        """Predict after all contexts, and give each request its own vectors."""
        groups: dict[tuple[str, str], list[tuple[Ticket[Contexts], list[Vectors]]]] = {}
        for ticket in tickets:
            asked = ticket.request
            try:
                space = self._engine.space_asked(asked.encoder, [asked.model])
                dim = self._engine.predictor(space).encoder.dim
                contexts = [unit_rows(as_vectors(one, dim, "The context's vectors")) for one in asked.contexts]
            except LvmError as error:
                ticket.fail(error)
                continue
            groups.setdefault((space, asked.model), []).append((ticket, contexts))
        for (space, model), members in groups.items():
            for (ticket, _), found in zip(members, each(_Forecast(self._engine, space, model), members), strict=True):
                if isinstance(found, LvmError):
                    ticket.fail(found)
                else:
                    ticket.send(found)
                    ticket.end()


@dataclass(frozen=True, slots=True)
class _Forecast:
    """One model on many contexts."""

    engine: Engine
    space: str
    model: str

    def __call__(self, members: Sequence[tuple[Ticket[Contexts], list[Vectors]]]) -> list[Inferred]:
        encoder = self.engine.predictor(self.space).encoder
        model = load_predicting_model(self.engine.workspace, self.model, encoder)
        said = iter(model.predict([context for _, own in members for context in own]))
        found = []
        for ticket, own in members:
            forecasts = [next(said)[0] for _ in own]
            lengths = np.array([one.lengths for one in forecasts], dtype=np.float32)
            vectors = np.stack([one.vectors for one in forecasts])
            if not ticket.request.normalize:
                vectors = vectors * lengths[:, None]
            queries = np.stack([one.queries for one in forecasts])
            found.append(Inferred(self.model, encoder.id, model.kind, vectors, queries, lengths))
        return found
