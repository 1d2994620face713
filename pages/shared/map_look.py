"""What stands beside the map: its numbers, the points chosen, and files to take along."""

import csv
import io
from typing import Any

import numpy as np
import streamlit as st

from lvm_core.vector_map import MapData, MapSettings, VectorMap, gather, lay_out, load_map, map_key
from lvm_core.vector_map import numbers as map_numbers
from lvm_core.workspace import Workspace
from pages.shared import map_figure, state, ui

MOST_SHOWN = 6
AT_ONCE = ("pca", "pacmap")


@st.cache_resource(show_spinner=False, max_entries=6)
def _data(root: str, key: str, _settings: MapSettings) -> MapData:  # noqa: ARG001 - cached by it
    return gather(Workspace(root), _settings)


def data(settings: MapSettings) -> MapData:
    """Return vectors, predictions and measures; the same for every method of laying them out."""
    workspace = state.workspace()
    plain = MapSettings(
        corpus=settings.corpus,
        models=settings.models,
        split=settings.split,
        windows=settings.windows,
        corpus_points=settings.corpus_points,
        snap=settings.snap,
        strength=settings.strength,
    )
    with st.spinner("Predicting the windows of these articles…", show_time=True):
        return _data(str(workspace.root), map_key(workspace, plain), plain)


def numbers(found: MapData) -> None:
    """Show what a map cannot: distance to the corpus, spread, and whether predictions collapse to the middle."""
    rows = map_numbers(found)
    target = rows[0]
    cells = []
    for row in rows:
        colour = {"": "target", "raw": "prediction", "snapped": "snapped"}[row["kind"]]
        name = "true next chunks" if row["name"] == "target" else f"{row['name']} {row['kind']}"
        cosine = "–" if row["cosine"] is None else f"{row['cosine']:.3f}"
        spread = row["effective_rank"] / max(target["effective_rank"], 1e-9)
        clamp = f"{row['clamped']:.1%}" if "clamped" in row else "–"
        cells.append(
            f'<tr><td class="lvm-{colour}">{name}</td><td>{cosine}</td><td>{row["nearest"]:.3f}</td>'
            f"<td>{row['effective_rank']:.0f} <small>({spread:.0%})</small></td>"
            f"<td>{row['common']:.3f}</td><td>{clamp}</td></tr>"
        )
    heads = (
        ("", ""),
        ("cosine to target", "mean over the windows shown"),
        (
            "cosine to nearest real chunk",
            "of another article: how near to the manifold; true next chunks are the yardstick",
        ),
        ("effective rank", "directions the vectors spread over (Roy and Vetterli 2007), and its share of the targets'"),
        ("common part", "length of the mean vector: 1 if all point the same way, near 0 if spread all round"),
        ("clamped", "share of predictions at which the drift clamp engaged"),
    )
    head = "".join(f'<th title="{help_text}">{name}</th>' for name, help_text in heads)
    st.html(f'<div class="lvm-wide"><table class="lvm-rows"><tr>{head}</tr>{"".join(cells)}</table></div>')
    collapsed = [r for r in rows[1:] if r["effective_rank"] < 0.5 * target["effective_rank"]]
    if collapsed:
        names = ", ".join(f"{r['name']} {r['kind']}" for r in collapsed)
        st.caption(f"Less than half of the targets' spread: {names}. Such predictions gather in the middle.")


@st.cache_resource(show_spinner=False, max_entries=12)
def _laid_out(root: str, key: str, _settings: MapSettings, _found: MapData) -> VectorMap:
    made = load_map(Workspace(root), key)
    return made or lay_out(MapData(**{**{f: getattr(_found, f) for f in MapData.__slots__}, "settings": _settings}))


def the_map(settings: MapSettings, found: MapData) -> VectorMap:
    """Return the map to show: at once where it is quick or kept, else PCA as a preview while a job makes it."""
    workspace = state.workspace()
    key = map_key(workspace, settings)
    kept = settings.method == "pca" or load_map(workspace, key) is not None
    if kept or settings.method == "pacmap":
        with st.spinner("Laying out…", show_time=True):
            return _laid_out(str(workspace.root), key, settings, found)
    _umap_job(settings)
    preview = MapSettings(**{**{f: getattr(settings, f) for f in MapSettings.__dataclass_fields__}, "method": "pca"})
    return _laid_out(str(workspace.root), map_key(workspace, preview), preview, found)


def _umap_job(settings: MapSettings) -> None:
    argv = project_command(settings)
    running = [j for j in state.jobs().list() if j.argv == argv and j.state in ("queued", "running")]
    if running:
        st.info(
            "This is PCA as a preview: UMAP is being made in the background (it compiles for about a minute).",
            icon=":material/hourglass_top:",
        )
        _watch(running[0].id)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("This is PCA as a preview. UMAP takes one to two minutes in the background.")
        if st.button("Make the UMAP", type="primary", icon=":material/play_arrow:"):
            state.jobs().submit(argv, f"UMAP of {settings.corpus}")
            st.rerun()
    ui.command(argv)


@st.fragment(run_every=2.0)
def _watch(job_id: str) -> None:
    """Open the map as soon as its job is done; nothing else of the page moves meanwhile."""
    job = state.jobs().get(job_id)
    st.progress(min(max(job.progress, 0.0), 1.0), job.message or job.state)
    if job.state not in ("queued", "running"):
        st.rerun()


def project_command(settings: MapSettings) -> list[str]:
    """Return the command that makes this map, as a person would type it."""
    standard = MapSettings()
    argv = ["project"]
    for name in MapSettings.__dataclass_fields__:
        value = getattr(settings, name)
        if value == getattr(standard, name):
            continue
        flag = name.replace("_", "-")
        argv += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    return argv


def points(found: MapData, chosen: map_figure.Chosen) -> None:
    """Show the texts of the points chosen: context, truth, and what each model's vector is nearest to."""
    if not chosen:
        st.html('<p class="lvm-section">Points</p>')
        st.caption("Click a point, or drag a lasso around some (tools at the top right of the map), to read them here.")
        return
    st.html(f'<p class="lvm-section">{len(chosen):,} points chosen</p>')
    for group, place in chosen[:MOST_SHOWN]:
        _point(found, group, place)
    if len(chosen) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of {len(chosen):,} are shown.")


def _point(found: MapData, group: str, place: int) -> None:
    row = int((found.corpus_rows if group == "corpus" else found.target_rows)[place])
    (chunk,) = state.store().chunks(found.settings.corpus, [row])
    ref, _, kind = group.rpartition(" ")
    layer = found.layers.get(ref)
    with st.container(border=True, key=f"card-point-{group}-{place}".replace(" ", "-")):
        st.html(f'<div class="lvm-label">{map_figure.legend(group)} · {chunk.article}, chunk {chunk.position}</div>')
        if layer is not None:
            vector = (layer.snapped if kind == "snapped" else layer.raw)[place]
            cosine = (layer.snapped_cosine if kind == "snapped" else layer.cosine)[place]
            own = state.store().document(chunk.document_id)
            barred = np.arange(own.first_row, own.first_row + own.n_chunks)
            hits = state.index(found.settings.corpus, found.encoder_id).search(vector[None], 3, barred)[0]
            near = state.store().chunks(found.settings.corpus, [hit.row for hit in hits])
            for hit, neighbour in zip(hits, near, strict=True):
                st.html(f'<div class="lvm-neighbours">{hit.cosine:.3f}</div>')
                st.markdown(ui.plain(f"{neighbour.text} ({neighbour.article})"))
            st.caption(f"cosine to the target {cosine:.3f}; the real chunks of other articles nearest to it are above")
        ui.copy_text(chunk.text, f"{group}-{place}".replace(" ", "-"), "target" if group != "corpus" else "context")
        first = max(0, chunk.position - 5)
        if chunk.position and st.button(
            "Send to Predict", key=f"send-{group}-{place}", type="tertiary", icon=":material/arrow_forward:"
        ):
            state.send_to_predict(found.settings.corpus, range(row - chunk.position + first, row))


def exports(made: VectorMap, found: MapData) -> None:
    """Show the buttons that save the map; PNG comes from the camera in the figure's own menu."""
    with st.container(horizontal=True):
        st.download_button(
            "Points as CSV",
            lambda: _csv(made, found),
            "lvm-map.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            key="map_csv",
            on_click="ignore",
        )
        st.download_button(
            "Picture as HTML",
            lambda: _html(made, found),
            "lvm-map.html",
            "text/html",
            type="tertiary",
            icon=":material/download:",
            key="map_html",
            on_click="ignore",
        )


def _figure(made: VectorMap, found: MapData) -> Any:
    return map_figure.figure(
        made, found, st.query_params.get("colour", "role"), st.query_params.get("lines", "1") == "1"
    )[0]


def _html(made: VectorMap, found: MapData) -> bytes:
    page: str = _figure(made, found).to_html(include_plotlyjs=True, full_html=True)
    return page.encode()


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
