"""What more text brings: a power law through one net's gains over the filter, at several sizes of training data."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lvm_core.evaluate.rows import Ends, Row

MIN_SIZES = 3
"""A power law has three unknowns: with fewer sizes there is nothing to fit."""

FURTHER = 3.0
"""The law is asked for so many times the largest size, and for no more: beyond the data it is a guess."""

POWERS = np.linspace(0.02, 1.5, 149)


@dataclass(frozen=True, slots=True)
class Size:
    """One training: its windows, and the gain in cosine over the filter that was fitted on the same articles."""

    windows: int
    gain: float
    ends: Ends
    model: str


@dataclass(frozen=True, slots=True)
class Law:
    """gain(N) = limit - scale * N ** -power for one net of one form on one test (Hestness et al. 2017, section 3).

    Attributes:
        net: its kind.
        context: chunks it reads.
        parameters: how many numbers were trained.
        sizes: what was measured, the smallest first; three or more.
        limit: the gain that more text of this kind would lead to, at the most.
        scale: how far one window is below it; never negative.
        power: how quickly that shrinks.
        foretold: what the law says at the largest size when it is fitted without it; None for three sizes.
    """

    net: str
    context: int
    parameters: int
    sizes: list[Size]
    limit: float
    scale: float
    power: float
    foretold: float | None

    def at(self, windows: float) -> float:
        """Return the gain in cosine after training on so many windows."""
        return float(self.limit - self.scale * windows**-self.power)

    def words(self) -> str:
        """Return what the law promises, and how far it may be trusted."""
        last = self.sizes[-1]
        further = last.windows * FURTHER
        words = (
            f"{self.net}, {self.context} chunks: {last.gain:+.4f} over the filter after {last.windows:,} windows;"
            f" {FURTHER:g} times as many promise {self.at(further):+.4f}."
        )
        if self.foretold is None:
            return words + " Three sizes are just enough for a curve: it has not been checked."
        return words + f" Fitted without its largest size it foretold {self.foretold:+.4f} there."


def laws(rows: Iterable[Row]) -> list[Law]:
    """Return a law for each net among `rows`, all of one test, that was trained on three or more sizes of data.

    Sizes of one law share the kind of net, the context and the number of parameters; of two trainings on as many
    windows the one evaluated last counts.
    """
    forms: dict[tuple[str, int, int], dict[int, Size]] = {}
    for row in sorted(rows, key=lambda row: row.evaluated or 0.0):
        windows, gain = row.n_train_windows, row.vs_filter
        if row.kind == "net" and windows and gain is not None:
            form = row.net, row.context, int(row.number("parameters") or 0)
            forms.setdefault(form, {})[windows] = Size(windows, gain.cosine, gain.ci, row.model)
    return [
        _law(*form, [sizes[n] for n in sorted(sizes)])
        for form, sizes in sorted(forms.items())
        if len(sizes) >= MIN_SIZES
    ]


def _law(net: str, context: int, parameters: int, sizes: list[Size]) -> Law:
    foretold = None
    if len(sizes) > MIN_SIZES:
        limit, scale, power = _fitted(sizes[:-1])
        foretold = limit - scale * sizes[-1].windows ** -power
    return Law(net, context, parameters, sizes, *_fitted(sizes), foretold)


def _fitted(sizes: list[Size]) -> tuple[float, float, float]:
    """Return limit, scale and power of least squares: a grid of powers, with the other two in closed form for each."""
    windows = np.array([size.windows for size in sizes], dtype=np.float64)
    gains = np.array([size.gain for size in sizes])
    best: tuple[float, tuple[float, float, float]] | None = None
    for power in POWERS:
        shrunk = -(windows**-power)
        centred = shrunk - shrunk.mean()
        scale = max(0.0, float(centred @ gains / max(float(centred @ centred), 1e-300)))
        limit = float(gains.mean() - scale * shrunk.mean())
        missed = float(((limit + scale * shrunk - gains) ** 2).sum())
        if best is None or missed < best[0]:
            best = missed, (limit, scale, float(power))
    assert best is not None
    return best[1]
