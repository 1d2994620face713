"""Laying a map out: at once where that is quick or it is kept, else as a job with PCA as the preview."""

from dataclasses import replace

import streamlit as st

from lvm_core.config import command_line
from lvm_core.jobs.store import Job
from lvm_core.study.map import MapData, MapSettings, VectorMap, lay_out, load_map, map_key, save_map
from lvm_core.workspace import Workspace
from pages.shared import state, ui, waiting

PACMAP_AT_ONCE = 12_000
"""Points; more than these take PaCMAP long enough to be a job."""

NAMES = {"umap": "UMAP", "pacmap": "PaCMAP"}


@st.cache_resource(show_spinner=False, max_entries=8)
def _laid_out(root: str, key: str, _settings: MapSettings, _found: MapData) -> VectorMap:
    workspace = Workspace(root)
    if (kept := load_map(workspace, key)) is not None:
        return kept
    made = lay_out(MapData(**{**{f: getattr(_found, f) for f in MapData.__slots__}, "settings": _settings}))
    if _settings.method != "pca":
        save_map(workspace, key, made, [])
    return made


def the_map(settings: MapSettings, found: MapData) -> tuple[VectorMap, str]:
    """Return the map to show and the name it is kept under: the one asked for, or PCA while a job makes that one."""
    workspace = state.workspace()
    key = map_key(workspace, settings)
    n_points = len(found.corpus_rows) + len(found.target_rows) * (1 + len(found.layers) * (1 + int(settings.snap)))
    quick = settings.method == "pca" or (settings.method == "pacmap" and n_points <= PACMAP_AT_ONCE)
    if not quick and load_map(workspace, key) is None:
        _job(settings)
        settings = replace(settings, method="pca")
        key = map_key(workspace, settings)
    with st.spinner("Laying out…", show_time=True):
        return _laid_out(str(workspace.root), key, settings, found), key


def _job(settings: MapSettings) -> None:
    argv, name = ["project", *command_line(settings)], NAMES[settings.method]
    own = [job for job in state.jobs().list() if list(job.argv) == argv]
    running = [job for job in own if job.state in ("queued", "running")]
    if running:
        st.info(f"This is PCA as a preview: {name} is being made in the background.", icon=":material/hourglass_top:")
        waiting.until_done(running[0].id)
        return
    if own:
        _say_how_it_ended(own[0], name)  # the newest
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"This is PCA as a preview. {name} takes one to two minutes in the background.")
        if st.button(f"Make the {name}", type="primary", icon=":material/play_arrow:"):
            state.jobs().submit(argv, f"{name} of {settings.corpus}")
            st.rerun()
    ui.command(argv)


def _say_how_it_ended(job: Job, name: str) -> None:
    said = {"failed": "failed", "interrupted": "was cut off", "cancelled": "was cancelled"}.get(job.state)
    if said:
        why = f": {ui.plain(job.message)}" if job.message and job.state == "failed" else ""
        st.warning(f"The last {name} of this map {said}{why}. Nothing of it was kept; make it again.")
