"""What the Vectors page shows of a map: the picture with its choices, the numbers beside it, and files."""

import csv
import html
import io
from dataclasses import replace
from typing import Any

import streamlit as st

from lvm_core.study.map import MapData, MapSettings, VectorMap, gather, map_key
from lvm_core.study.map import numbers as map_numbers
from lvm_core.workspace import Workspace
from pages.shared import charts, saving, state
from pages.shared.address import Address
from pages.views.vectors import form as map_form
from pages.views.vectors import places as map_facts
from pages.views.vectors.figure import Drawn, Look, drawn

Chosen = list[tuple[str, int]]
"""Points that were clicked or lassoed: group of the map, and place in the group."""


@st.cache_resource(show_spinner=False, max_entries=4)
def _data(root: str, key: str, _settings: MapSettings) -> tuple[MapData, list[dict[str, Any]]]:  # noqa: ARG001 - cached by it
    found = gather(Workspace(root), _settings)
    return found, map_numbers(found)


def points_key(settings: MapSettings) -> str:
    """Return the name of what is in a map, however it is laid out."""
    standard = MapSettings()
    same = {name: getattr(standard, name) for name in ("method", "n_dims", "n_neighbours", "min_dist")}
    return map_key(state.workspace(), replace(settings, **same))


def data(settings: MapSettings) -> tuple[MapData, list[dict[str, Any]]]:
    """Return vectors, predictions and measures, the same for every way of laying them out, and their numbers."""
    with st.spinner("Predicting the windows of these articles…", show_time=True):
        return _data(str(state.workspace().root), points_key(settings), settings)


# ---------------------------------------------------------------- the picture


def picture(at: Address, made: VectorMap, found: MapData, key: str, points: str) -> tuple[Drawn, Chosen]:
    """Show the map with its choices; return what was drawn and the points that are chosen in it."""
    colour, lines, saved = _choices(at)
    made_of = drawn(Look(key, points, colour, lines, charts.dark()), made, found)
    flat = len(made.axes) == 2
    event = charts.show(
        made_of.figure,
        f"map_plot_{key}",
        "Map of corpus, targets and predictions",
        on_select="rerun",
        selection_mode=("points", "lasso", "box"),
        config={"modeBarButtonsToRemove": ["autoScale2d"], "scrollZoom": True, **saving.camera(saved, "map")},
    )
    note = made.note if flat else f"{made.note} Points are chosen in two dimensions."
    if colour == "tmd" and not map_facts.labelled(found, points):
        note += " No chunk shown has a TMD label; label the corpus on the Corpus page."
    if note.strip():
        st.caption(note)
    return made_of, _chosen(event, made_of, made)


def _choices(at: Address) -> tuple[str, bool, str]:
    left, right, camera = st.columns([3.1, 1.1, 0.9], vertical_alignment="bottom")
    names = list(map_form.COLOURS)
    colour = left.segmented_control(
        "Colour",
        names,
        format_func=map_form.COLOURS.__getitem__,
        key=at.key("colour", "role", names),
        required=True,
        help="The shape always says what a point is. The commonest articles, sections or domains have a hue of their"
        " own, named above the map.",
    )
    lines = right.toggle(
        "Lines",
        key=at.key("lines", True),
        help="From each prediction, raw to snapped (violet), and on to the true next chunk.",
    )
    with camera:
        saved = charts.image_format("map_camera")
    return colour or "role", lines, saved


def _chosen(event: Any, made_of: Drawn, made: VectorMap) -> Chosen:
    picked = event.selection.points if event else []
    groups = made_of.groups
    found = [(groups[p["curve_number"]], int(p["point_index"])) for p in picked if p["curve_number"] in groups]
    found = [(name, place) for name, place in found if place < len(made.coordinates[name])]
    return [(name, place) for name, place in found if name != "corpus"] or found


# ---------------------------------------------------------------- the numbers

HEADINGS = (
    ("cosine to target", "Mean over the windows shown."),
    ("nearest real", "Cosine to the nearest real chunk of another article: how near to the manifold."
     " True next chunks are the yardstick."),
    ("spread", "Effective rank: directions the vectors spread over (Roy and Vetterli 2007), and its share of the"
     " true chunks'."),
    ("common", "Length of the mean vector: 1 if all point the same way, near 0 if spread all round."),
    ("length", "Mean length of the prediction before it is brought to 1. A rule or net trained by squared error says"
     " the less the less it knows; one trained by cosine has no scale of its own."),
    ("clamped", "Share of predictions at which the drift clamp engaged."),
)  # fmt: skip


def numbers(rows: list[dict[str, Any]]) -> None:
    """Show what a map cannot: distance to the corpus, spread, and whether predictions collapse to the middle."""
    target = rows[0]
    lines = [_line('<span class="lvm-target">true next</span>', target, target)]
    several = len({row["name"] for row in rows[1:]}) > 1
    for row in rows[1:]:
        if row["kind"] == "raw":
            dot = (
                f'<i class="lvm-dot" style="margin-right:.4rem;background:{charts.model_colour(row["name"])}"></i>'
                if several
                else ""
            )
            lines.append(
                f'<tr><td colspan="7" style="padding-top:.5rem">{dot}<b>{html.escape(row["name"])}</b></td></tr>'
            )
        colour = "prediction" if row["kind"] == "raw" else "snapped"
        lines.append(_line(f'<span class="lvm-{colour}">{row["kind"]}</span>', row, target))
    style = 'style="white-space:normal;vertical-align:bottom;line-height:1.2;cursor:help"'
    head = "".join(f'<th {style} title="{html.escape(about, quote=True)}">{name}</th>' for name, about in HEADINGS)
    st.html(
        f'<p class="lvm-section">Numbers</p><div class="lvm-wide"><table class="lvm-rows"><tr><th></th>{head}</tr>'
        f"{''.join(lines)}</table></div>"
    )
    collapsed = [r for r in rows[1:] if r["effective_rank"] < 0.5 * target["effective_rank"]]
    if collapsed:
        names = ", ".join(f"{r['name']} {r['kind']}" for r in collapsed)
        st.caption(f"Less than half of the true chunks' spread: {names}. Such predictions gather in the middle.")


def _line(name: str, row: dict[str, Any], target: dict[str, Any]) -> str:
    spread = row["effective_rank"] / max(target["effective_rank"], 1e-9)
    cells = (
        _number(row["cosine"]),
        _number(row["nearest"]),
        f"{row['effective_rank']:.0f} <small>{spread:.0%}</small>",
        _number(row["common"]),
        "1" if row is target else _number(row["length"]),
        f"{row['clamped']:.1%}" if "clamped" in row else "–",
    )
    return f"<tr><td>{name}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


# ---------------------------------------------------------------- files


def exports(made_of: Drawn, made: VectorMap, found: MapData) -> None:
    """Show the buttons that save the map; PNG and SVG come from the camera in the figure's own menu."""
    saving.buttons("lvm-map", made_of.figure, lambda: _csv(made, found))


def _csv(made: VectorMap, found: MapData) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["group", "row", *("xyz"[: len(made.axes)]), "cosine_to_target", "cosine_to_nearest_chunk"])
    for name, xy in made.coordinates.items():
        rows = found.corpus_rows if name == "corpus" else found.target_rows
        ref, _, kind = name.rpartition(" ")
        layer = found.layers.get(ref)
        for i, point in enumerate(xy):
            extra: list[Any] = ["", ""]
            if layer is not None:
                extra = [
                    f"{(layer.snapped_cosine if kind == 'snapped' else layer.cosine)[i]:.4f}",
                    f"{(layer.snapped_nearest if kind == 'snapped' else layer.nearest)[i]:.4f}",
                ]
            elif name == "target":
                extra = ["", f"{found.target_nearest[i]:.4f}"]
            writer.writerow([name, int(rows[i]), *(f"{v:.4f}" for v in point), *extra])
    return out.getvalue().encode()
