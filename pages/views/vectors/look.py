"""What the Vectors page shows of a map: the picture with its choices, and files."""

import csv
import io
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lvm_core.json_shapes import Json
from lvm_core.study.map import CORPUS, TARGET, Group, MapData, MapNumbers, MapSettings, VectorMap, gather, map_key
from lvm_core.study.map import numbers as map_numbers
from lvm_core.types import Progress
from pages.shared import charts, saving, state
from pages.shared.address import Address
from pages.views.vectors import facts, form
from pages.views.vectors.figure import drawn, traces
from pages.views.vectors.find import Matches
from pages.views.vectors.marks import Look

CHOSEN = "map_chosen"
"""Session key: name of a map, and the points that were chosen in it by hand."""


MOST_KEPT = 2
"""Maps whose vectors stay in memory."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point that was clicked or lassoed: its group of the map, and its place in the group."""

    group: Group
    place: int


@st.cache_resource(show_spinner=False)
def _gathered() -> "OrderedDict[tuple[str, str], tuple[MapData, list[MapNumbers]]]":
    """Return what was gathered last, by workspace and `points_key`, the newest at the end."""
    return OrderedDict()


def _told(bar: DeltaGenerator) -> Progress:
    def tell(share: float, message: str) -> None:
        bar.progress(share, message)

    return tell


def points_key(settings: MapSettings) -> str:
    """Return the name of what is in a map, however it is laid out."""
    standard = MapSettings()
    same = {name: getattr(standard, name) for name in ("method", "n_dims", "n_neighbours", "min_dist")}
    return map_key(state.workspace(), replace(settings, **same))


def gathered(settings: MapSettings) -> tuple[MapData, list[MapNumbers]]:
    """Return vectors, predictions and measures, the same for every way of laying them out, and their numbers."""
    kept, key = _gathered(), (str(state.workspace().root), points_key(settings))
    if (found := kept.get(key)) is not None:
        return found
    bar = st.progress(0.0, "reading the vectors")
    data = gather(state.workspace(), settings, _told(bar))
    kept[key] = found = data, map_numbers(data)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)
    bar.empty()
    return found


# ---------------------------------------------------------------- the picture


def picture(at: Address, made: VectorMap, data: MapData, key: str, points: str, matches: Matches) -> go.Figure:
    """Show the map with its choices and return what was drawn."""
    look, saved = _choices(at, key, points)
    by_hand = chosen(key)
    matches = matches.and_windows([point.place for point in by_hand if point.group != CORPUS])
    if matches.active:
        look = replace(look, windows=matches.windows, corpus=matches.corpus)
    figure, widget = drawn(look, made, data), f"map_plot_{key}"

    def take() -> None:  # a figure that is drawn anew forgets what was chosen in it, so it is remembered here
        st.session_state[CHOSEN] = key, _points(st.session_state[widget]["selection"]["points"], made, data)

    charts.show(
        figure,
        widget,
        "Map of corpus, targets and predictions",
        on_select=take,
        selection_mode=("points", "lasso", "box"),
        config={"modeBarButtonsToRemove": ["autoScale2d"], "scrollZoom": True, **saving.camera(saved, "map")},
    )
    note = made.note if len(made.axes) == 2 else f"{made.note} Points are chosen in two dimensions."
    if look.colour == "tmd" and not facts.labelled(data, points):
        note += " No chunk shown has a TMD label; label the corpus on the Corpus page."
    if note.strip():
        st.caption(note)
    return figure


def _choices(at: Address, key: str, points: str) -> tuple[Look, str]:
    names = list(form.COLOURS)
    left, camera = st.columns([3.1, 0.9], vertical_alignment="bottom")
    colour = left.pills(
        "Colour",
        names,
        format_func=form.COLOURS.__getitem__,
        key=at.key("colour", "role", names),
        required=True,
        wrap=True,
        help="The shape always says what a point is and which model's. The commonest articles, sections or domains"
        " have a hue of their own, named above the map.",
    )
    with camera:
        saved = charts.image_format("map_camera")
    with st.container(horizontal=True):
        lines = st.toggle(
            "Lines",
            key=at.key("lines", True),
            help="From each prediction, raw to snapped (violet), and on to the true next chunk; dimmed where their"
            " window does not stand out.",
        )
        named = st.toggle(
            "Names", key=at.key("names", False), help="Words that set the texts of a region of the map apart; in 2-D."
        )
        dense = st.toggle(
            "Density", key=at.key("density", False), help="How many corpus chunks lie where, as contours; in 2-D."
        )
    return Look(key, points, colour or "role", lines, named, dense, charts.dark()), saved


def chosen(key: str) -> list[Point]:
    """Return the points that were last clicked or lassoed in the map `key`."""
    of, points = st.session_state.get(CHOSEN, ("", []))
    return points if of == key else []


def forget() -> None:
    """Choose no point by hand any more."""
    st.session_state.pop(CHOSEN, None)


def _points(picked: list[Json], made: VectorMap, data: MapData) -> list[Point]:
    """Return what plotly says was chosen: the points of windows, or where there are none those of the corpus."""
    groups = traces(made, data)
    points = [Point(groups[p["curve_number"]], int(p["point_index"])) for p in picked if p["curve_number"] in groups]
    points = [point for point in points if point.place < len(made.coordinates[point.group])]
    return [point for point in points if point.group != CORPUS] or points


# ---------------------------------------------------------------- files


def exports(figure: go.Figure, made: VectorMap, data: MapData) -> None:
    """Show the buttons that save the map; PNG and SVG come from the camera in the figure's own menu."""
    saving.buttons("lvm-map", figure, lambda: _csv(made, data))


def _csv(made: VectorMap, data: MapData) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["group", "row", *("xyz"[: len(made.axes)]), "cosine_to_target", "cosine_to_nearest_chunk"])
    for group, xy in made.coordinates.items():
        rows = data.corpus_rows if group == CORPUS else data.target_rows
        layer = data.layers.get(group.model)
        for i, point in enumerate(xy):
            extra: list[Any] = ["", ""]
            if layer is not None:
                nearest = layer.snapped_nearest if group.kind == "snapped" else layer.nearest
                extra = [f"{layer.cosines(group.kind)[i]:.4f}", f"{nearest[i]:.4f}"]
            elif group == TARGET:
                extra = ["", f"{data.target_nearest[i]:.4f}"]
            writer.writerow([str(group), int(rows[i]), *(f"{v:.4f}" for v in point), *extra])
    return out.getvalue().encode()
