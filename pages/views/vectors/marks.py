"""What a point of the map looks like: shape, colour, strength and size, and what it says on hover."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from lvm_core.study.map import CORPUS, TARGET, Group, MapData
from lvm_core.types import Vectors
from pages.shared import charts
from pages.views.vectors import facts

SCALE = [[0, "#c85a1e"], [0.5, "#a9a39a"], [1, "#1f8fb3"]]
"""Orange to blue, told apart by those who do not see red and green, and no colour of a thing."""
PLACES = [[0, "#3a87d9"], [1, "#cf8d26"]]
FLAT_SYMBOLS = ("diamond", "square", "triangle-up", "pentagon", "hexagon", "triangle-down")
SOLID_SYMBOLS = ("diamond", "square", "circle")
"""Shapes of the models in order, so that two are told apart whatever the hue stands for; open where snapped. WebGL in
three dimensions knows few, and no star."""
VALUES = ("article", "section", "tmd", "position")
"""What the hue of every point stands for in place of its kind."""
DIM = 0.06
"""Opacity of what does not stand out while something does."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the map is drawn. `key` names the map, `points` what is in it; `dark` is the theme whose ink it takes.

    `windows` and `corpus` are the places of the points that stand out, None where all do.
    """

    key: str
    points: str
    colour: str
    lines: bool
    names: bool
    dense: bool
    dark: bool
    windows: tuple[int, ...] | None = None
    corpus: tuple[int, ...] | None = None

    def out(self, kind: str) -> NDArray[np.int64] | None:
        """Return the places of a group's points that stand out, None for all."""
        places = self.corpus if kind == "corpus" else self.windows
        return None if places is None else np.array(places, dtype=np.int64)


class Faded(TypedDict):
    """How strong markers are drawn, as plotly takes it: all alike, or each (n,)."""

    opacity: float | NDArray[np.float32]
    size: float | NDArray[np.float32]


def faded(out: NDArray[np.int64] | None, n: int, opacity: float, size: float, flat: bool) -> Faded:
    """Return opacity and size of markers: of each, where only some stand out.

    Three dimensions know one opacity for all, so there what does not stand out is small.
    """
    if out is None:
        return {"opacity": opacity, "size": size}
    standing = np.zeros(n, np.bool_)
    standing[out] = True
    if flat:
        return {"opacity": np.where(standing, max(opacity, 0.7), DIM).astype(np.float32), "size": size}
    return {"opacity": opacity, "size": np.where(standing, 1.5 * size, 0.3 * size).astype(np.float32)}


def symbol(group: Group, data: MapData, flat: bool) -> str:
    """Return the shape of a group's points: one a model, open where snapped."""
    if group == CORPUS:
        return "circle"
    if group == TARGET:
        return "star" if flat else "cross"
    shapes = FLAT_SYMBOLS if flat else SOLID_SYMBOLS
    shape = shapes[list(data.layers).index(group.model) % len(shapes)]
    return f"{shape}-open" if group.kind == "snapped" else shape


def legend(group: Group) -> str:
    """Return what the legend calls a group."""
    names = {"corpus": "corpus chunks", "target": "true next chunks", "raw": f"{group.model}: prediction"}
    return names.get(group.kind, f"{group.model}: snapped")


def hue(ref: str, kind: str, data: MapData) -> str:
    """Return the colour of a model's points: that of the thing where it is alone, else the model's own."""
    if len(data.layers) == 1:
        return charts.COLOURS["snapped" if kind == "snapped" else "prediction"]
    return charts.model_colour(ref)


class Colours(TypedDict, total=False):
    """How markers are coloured, as plotly takes it: one colour or one each, by a scale from `cmin` to `cmax`."""

    color: str | Sequence[str] | Vectors
    colorscale: str | Sequence[Sequence[float | str]]
    cmin: float
    cmax: float
    colorbar: dict[str, float | dict[str, str]] | None


def colours(group: Group, data: MapData, look: Look) -> Colours:
    layer = data.layers.get(group.model)
    bar = {"thickness": 8, "len": 0.4, "x": 1.0, "title": {"side": "top"}}
    if look.colour == "cosine" and layer is not None:
        first = group == Group("raw", next(iter(data.layers)))
        bar["title"] = {"text": "cosine to<br>true next"}
        values = {"color": layer.cosines(group.kind), "colorscale": SCALE, "cmin": 0, "cmax": 0.9}
        return {**values, "colorbar": bar if first else None}
    if look.colour == "position":
        bar["title"] = {"text": "place in<br>the article"}
        values = {"color": facts.of(group.kind, data, look.points).share, "colorscale": PLACES, "cmin": 0, "cmax": 1}
        return {**values, "colorbar": bar if group == TARGET else None}
    if look.colour in VALUES:
        named = facts.of(group.kind, data, look.points).values[look.colour]
        return {"color": facts.coloured(named, hue_of(data, look))}
    if layer is None:
        return {"color": charts.COLOURS["context" if group == CORPUS else "target"]}
    return {"color": hue(group.model, group.kind, data)}


def hue_of(data: MapData, look: Look) -> dict[str, str]:
    return facts.hues(facts.of_windows(data, look.points).values[look.colour])


def hover(group: Group, data: MapData, points: str) -> list[str]:
    known = facts.of(group.kind, data, points)
    layer = data.layers.get(group.model)
    if layer is None:
        return [known.hover(place) for place in range(len(known.texts))]
    return [
        f"cosine {cosine:.3f} to the true next chunk, {known.hover(place)}"
        for place, cosine in enumerate(layer.cosines(group.kind))
    ]
