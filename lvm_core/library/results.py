"""What the verbs give: the engine's own values, with a text for terminals, HTML for notebooks and rows for pandas."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from lvm_core.boundary.json_values import from_json
from lvm_core.errors import ModelError
from lvm_core.evaluate.rows import Example, Row, Twin
from lvm_core.json_shapes import Json
from lvm_core.predict.prediction import Context, Prediction
from lvm_core.predict.report import PredictionsJson, report, to_json
from lvm_core.types import Chunk

if TYPE_CHECKING:
    import pandas as pd

    from lvm_core.evaluate.guards import Refused
    from lvm_core.leaderboard.board import Group
    from lvm_core.study.map import MapNumbers

STYLE = "text-align:left;vertical-align:top"


def table_html(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Return a table as HTML; every cell is escaped."""
    body = "".join(f"<tr>{_cells(row, 'td')}</tr>" for row in rows)
    title = f'<caption style="{STYLE}">{html.escape(caption)}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{_cells(heads, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def _cells(texts: Sequence[str], tag: str) -> str:
    return "".join(f'<{tag} style="{STYLE}">{html.escape(text)}</{tag}>' for text in texts)


def frame(rows: Sequence[Json]) -> "pd.DataFrame":
    """Return rows as a pandas table."""
    import pandas as pd

    return pd.DataFrame(list(rows))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


# ---------------------------------------------------------------- predictions


@dataclass(frozen=True, slots=True, repr=False)
class Predictions(Sequence[Prediction]):
    """What each model says comes next: a `Prediction` each, in the order of the models, raw before snapped."""

    predictions: tuple[Prediction, ...]

    def __len__(self) -> int:
        return len(self.predictions)

    @overload
    def __getitem__(self, place: int) -> Prediction: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Prediction, ...]: ...

    def __getitem__(self, place: int | slice) -> Prediction | tuple[Prediction, ...]:
        return self.predictions[place]

    @property
    def _context(self) -> Context:
        return self.predictions[0].context

    def of(self, model: str, snapped: bool | None = None) -> Prediction:
        """Return the prediction of one model; `snapped` says which, where there are both.

        Raises:
            KeyError: if there is none.
        """
        wanted = (p for p in self.predictions if p.model == model and snapped in (None, p.snap_on))
        found = next(wanted, None)
        if found is None:
            raise KeyError(f"No prediction of {model!r}; there are {', '.join(sorted({p.model for p in self}))}.")
        return found

    def to_json(self) -> PredictionsJson:
        """Return what `predict --json` prints."""
        return to_json(self.predictions, len(self._context.texts), self._context.encoder_id)

    def rows(self) -> list[Json]:
        """Return a row a prediction: its text and its figures, without vectors."""
        return [
            {
                "model": p.model, "snapped": p.snap_on, "text": p.text, "cosine_to_target": p.cosine_to_target,
                "round_trip_cosine": p.round_trip_cosine, "method": p.method, "steps": p.steps,
                "ready_ms": p.timings.waited,
            }
            for p in self
        ]  # fmt: skip

    def frame(self) -> "pd.DataFrame":
        """Return the rows as a pandas table."""
        return frame(self.rows())

    def __repr__(self) -> str:
        return report(self.to_json())

    def _repr_html_(self) -> str:
        truth = self._context.target_text
        rows = [
            (
                p.model, "snapped" if p.snap_on else "raw", p.text or "(no text)", _number(p.cosine_to_target),
                _number(p.round_trip_cosine),
            )
            for p in self
        ]  # fmt: skip
        heads = ("model", "", "says next", "to the true next", "round trip")
        return table_html(heads, rows, f"true next chunk: {truth}" if truth else "")


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that a search found; `cosine` to the query, None in a search by words."""

    chunk: Chunk
    cosine: float | None


# ---------------------------------------------------------------- boards


@dataclass(frozen=True, slots=True, repr=False)
class Board:
    """What was evaluated: groups of rows that may be compared, each ranked, with 95 % intervals over articles."""

    groups: "list[Group]"

    def rows(self) -> list[Json]:
        """Return every row with every number, intervals as `NAME_ci`, as `leaderboard --json` prints them."""
        from lvm_core.leaderboard.export import public

        return [public(row) for group in self.groups for row in group.rows]

    def frame(self) -> "pd.DataFrame":
        """Return the rows as a pandas table."""
        return frame(self.rows())

    def __repr__(self) -> str:
        from lvm_core.leaderboard.export import to_text

        return "\n\n".join(f"{group.title}\n{to_text(group.rows)}" for group in self.groups) or "nothing evaluated yet"

    def _repr_html_(self) -> str:
        from lvm_core.leaderboard.export import columns

        shown = columns()
        heads = [column.heading for column in shown]
        tables = [
            table_html(heads, [[column.cell(row) for column in shown] for row in group.rows], group.title)
            for group in self.groups
        ]
        return "".join(tables) or "<p>nothing evaluated yet</p>"


@dataclass(frozen=True, slots=True, repr=False)
class Evaluated:
    """What an evaluation found: `rows` ranked, models `refused` with the reason, `near_duplicates` of test articles.

    `examples` are windows in full by the model's ref.
    """

    rows: list[Row]
    refused: "list[Refused]" = field(default_factory=list)
    near_duplicates: list[Twin] = field(default_factory=list)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    @classmethod
    def read(cls, result: Json) -> "Evaluated":
        """Return what `evaluate --json` printed.

        Raises:
            ModelError: if it is something else.
        """
        from lvm_core.evaluate.guards import Refused

        examples = {row["model"]: row.pop("examples", []) for row in map(dict, result["rows"])}
        return cls(
            [Row.read({name: value for name, value in row.items() if name != "examples"}) for row in result["rows"]],
            [from_json(Refused, one, "A refusal", error=ModelError) for one in result["refused"]],
            [from_json(Twin, one, "A near-duplicate", error=ModelError) for one in result["near_duplicates"]],
            {model: [Example.read(one) for one in shown] for model, shown in examples.items() if shown},
        )

    @property
    def board(self) -> Board:
        """The rows as a board of one group."""
        from lvm_core.leaderboard.board import Group

        return Board([Group(self.rows[0].comparable, self.rows)] if self.rows else [])

    def frame(self) -> "pd.DataFrame":
        """Return the rows as a pandas table."""
        return self.board.frame()

    def __repr__(self) -> str:
        refused = [f"refused: {one.reason}" for one in self.refused]
        return "\n".join([repr(self.board), *refused])

    def _repr_html_(self) -> str:
        refused = "".join(f"<p>refused: {html.escape(one.reason)}</p>" for one in self.refused)
        return self.board._repr_html_() + refused


@dataclass(frozen=True, slots=True)
class Map:
    """A map of targets and predictions in 2-D or 3-D, and what it cannot say as numbers.

    `coordinates` are (n, 2) or (n, 3) by what they are: corpus, target, `raw MODEL`, `snapped MODEL`.
    """

    coordinates: dict[str, NDArray[np.float32]]
    axes: list[str]
    numbers: "list[MapNumbers]"
    note: str
    about: dict[str, Any]
