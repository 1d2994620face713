"""The controls of the Vectors page; what is chosen is in the address, so that a look can be linked."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lvm_core.checkpoint import UNFITTED
from lvm_core.study.map import MapSettings
from pages.shared import state

METHODS = {"pca": "PCA, at once", "pacmap": "PaCMAP, seconds", "umap": "UMAP, a job"}
COLOURS = {
    "role": "kind, model",
    "cosine": "cosine to target",
    "article": "article",
    "section": "section",
    "position": "position",
    "tmd": "TMD domain",
}


def default_models(space: str) -> list[str]:
    """Return the net and the filter to show at first: the best shipped net by validation cosine, and the filter."""
    infos = [info for info in state.models(space) if info.shipped]
    nets = sorted((i for i in infos if i.kind == "net"), key=lambda i: -float(i.result.get("val_cosine") or 0))
    rules = [i.ref for i in infos if i.name == "linear-filter"]
    return [i.ref for i in nets[:1]] + rules[:1] or ["context-mean"]


def _from_address(name: str, default: Any) -> Any:
    return st.query_params.get(name, default)


def show(corpora: list[str]) -> MapSettings:
    """Show the controls and return what they say."""
    space = state.encoder_id()
    known = [info.ref for info in state.models(space)] + list(UNFITTED)
    asked = [ref for ref in str(_from_address("models", ",".join(default_models(space)))).split(",") if ref in known]
    first, second, third, fourth, fifth = st.columns([1.4, 2.6, 1.1, 1.5, 1.0], vertical_alignment="bottom")
    corpus = first.selectbox(
        "Corpus", corpora, index=place(corpora, _from_address("corpus", corpora[0])), key="map_corpus"
    )
    models = second.multiselect("Models", known, asked, key="map_models", help="Each model is a layer of the map.")
    splits = ["test", "validation", "train"]
    split = third.selectbox(
        "Articles",
        splits,
        index=place(splits, _from_address("split", "test")),
        key="map_split",
        help="Windows of these articles are predicted. Models were trained on `train`.",
    )
    methods = list(METHODS)
    method = fourth.segmented_control(
        "Map",
        methods,
        format_func=lambda m: METHODS[m].partition(",")[0],
        key="map_method",
        default=_from_address("method", "pca"),
        help=", ".join(METHODS.values()),
    )
    n_dims = fifth.segmented_control(
        "Axes", [2, 3], format_func=lambda n: f"{n}-D", key="map_dims", default=int(_from_address("n_dims", 2))
    )
    with st.expander("More", icon=":material/tune:"):
        a, b, c, d, e = st.columns(5, vertical_alignment="bottom")
        windows = a.number_input(
            "Windows",
            5,
            20_000,
            int(_from_address("windows", 500)),
            500,
            key="map_windows",
            help="Predicted windows, spread evenly over the articles.",
        )
        points = b.number_input(
            "Corpus points",
            0,
            60_000,
            int(_from_address("corpus_points", 6000)),
            2000,
            key="map_points",
            help="Chunks of the whole corpus drawn behind them.",
        )
        neighbours = c.number_input(
            "Neighbours",
            2,
            200,
            int(_from_address("n_neighbours", 15)),
            key="map_neighbours",
            help="UMAP and PaCMAP: how many neighbours a point holds on to.",
        )
        distance = d.number_input(
            "Minimal distance",
            0.0,
            0.99,
            float(_from_address("min_dist", 0.1)),
            0.05,
            key="map_distance",
            help="UMAP: how close points may lie.",
        )
        snap = e.toggle(
            "Snapped too",
            str(_from_address("snap", "1")) == "1",
            key="map_snap",
            help="Draw each prediction after the manifold snap, joined to the raw one.",
        )
        strength = e.slider(
            "Snap strength",
            0.0,
            1.0,
            float(_from_address("strength", 1.0)),
            0.05,
            key="map_strength",
            help="0 raw, 1 the full snap.",
            disabled=not snap,
        )
    settings = MapSettings(
        corpus=corpus,
        models=",".join(models),
        split=split,
        windows=int(windows),
        corpus_points=int(points),
        method=method or "pca",
        n_dims=n_dims or 2,
        n_neighbours=int(neighbours),
        min_dist=float(distance),
        snap=bool(snap),
        strength=float(strength),
    )
    _remember(settings)
    return settings


def place(names: Sequence[str], wanted: str) -> int:
    """Return where `wanted` stands in `names`, 0 if it does not."""
    return names.index(wanted) if wanted in names else 0


def _remember(settings: MapSettings) -> None:
    standard = MapSettings()
    kept = ("split", "method", "n_dims", "windows", "corpus_points", "n_neighbours", "min_dist", "strength")
    values = {name: str(getattr(settings, name)) for name in kept if getattr(settings, name) != getattr(standard, name)}
    values |= {"corpus": settings.corpus, "models": settings.models}
    if not settings.snap:
        values["snap"] = "0"
    for name in ("colour", "lines"):
        if name in st.query_params:
            values[name] = st.query_params[name]
    if dict(st.query_params) != values:
        st.query_params.from_dict(values)
