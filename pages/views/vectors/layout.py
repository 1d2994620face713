"""Laying a map out: at once where that is quick or it is kept, else as a job with PCA as the preview."""

from dataclasses import replace

import streamlit as st

from lvm_core.config import command_line
from lvm_core.study.map import MapData, MapSettings, VectorMap, lay_out, load_map, map_key, save_map
from lvm_core.workspace import Workspace
from pages.shared import jobs, state

PACMAP_AT_ONCE = 12_000
"""Points; more than these take PaCMAP long enough to be a job."""

NAMES = {"umap": "UMAP", "pacmap": "PaCMAP"}


@st.cache_resource(show_spinner=False, max_entries=4)
def _laid_out(root: str, key: str, _settings: MapSettings, _data: MapData) -> VectorMap:
    workspace = Workspace(root)
    if (stored := load_map(workspace, key)) is not None:
        return stored
    made = lay_out(replace(_data, settings=_settings))
    if _settings.method != "pca":
        save_map(workspace, key, made, [])
    return made


def the_map(settings: MapSettings, data: MapData) -> tuple[VectorMap, str]:
    """Return the map to show and the name it is kept under: the one asked for, or PCA while a job makes that one."""
    workspace = state.workspace()
    key = map_key(workspace, settings)
    n_points = len(data.corpus_rows) + len(data.target_rows) * (1 + len(data.layers) * (1 + int(settings.snap)))
    quick = settings.method == "pca" or (settings.method == "pacmap" and n_points <= PACMAP_AT_ONCE)
    if not quick and load_map(workspace, key) is None:
        name = NAMES[settings.method]
        st.caption(f"This is PCA as a preview: {name} takes one to two minutes in the background.")
        jobs.make(
            ["project", *command_line(settings)], f"{name} of {settings.corpus}", f"The {name}", f"Make the {name}"
        )
        settings = replace(settings, method="pca")
        key = map_key(workspace, settings)
    with st.spinner("Laying out…", show_time=True):
        return _laid_out(str(workspace.root), key, settings, data), key
