"""Add a corpus: choose a source and how it is cut; it is read in and encoded by background jobs."""

import shutil
from typing import Any

import streamlit as st

from lvm_core.config import check, command_line
from lvm_core.corpus.chunks import CHUNKERS
from lvm_core.corpus.ingest import IngestSettings
from lvm_core.corpus.sources import corpus_name, endings, readable
from lvm_core.corpus.sources.bundled import BUNDLED
from lvm_core.corpus.writing import check_name, refuse_existing
from lvm_core.workspace import replacing
from pages.shared import state, ui

FILE, UPLOAD = "A path on this machine, or hf:NAME", "A file from this browser"
SOURCE, NAME = "ingest_source", "ingest_name"


def show() -> None:
    """Show the form, the command it stands for, and the button that queues it."""
    left, right = st.columns([0.5, 0.5], gap="large")
    with left:
        source = _source()
        settings = _settings()
        name = st.text_input("Name of the corpus", value=corpus_name(source) if source else "", key=f"{NAME}-{source}")
        encode = st.checkbox("Encode it afterwards", value=True, help="Vectors and index, by the encoder in use")
    with right:
        argv = _argv(source or "SOURCE", name, settings)
        st.caption("The same on the command line")
        ui.command(argv)
        if encode:
            ui.command(state.command_of_encoder("encode", name or "NAME"))
        st.caption(f"Reads {ui.plain(readable())}. Damaged lines and files are counted and named, never hidden.")
    if left.button("Read it in", type="primary", icon=":material/download:", disabled=not source):
        _submit(argv, name, settings, encode)


def _source() -> str:
    choice = st.selectbox("Source", [*BUNDLED, FILE, UPLOAD], key=SOURCE, format_func=_described)
    if choice == FILE:
        return st.text_input("Path or data set", placeholder="/data/enwiki-latest-pages-articles.xml.bz2").strip()
    if choice == UPLOAD:
        return _uploaded()
    return choice


def _described(name: str) -> str:
    return f"{name}: {BUNDLED[name].about}" if name in BUNDLED else name


def _uploaded() -> str:
    """Keep an uploaded file in the workspace and return its path."""
    given = st.file_uploader("File", type=[ending.removeprefix(".") for ending in endings()])
    if given is None:
        return ""
    path = state.workspace().upload(given.name)
    if not path.exists() or path.stat().st_size != given.size:
        with replacing(path) as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(given, file)
    return str(path)


def _settings() -> dict[str, Any]:
    chunker = st.segmented_control("Chunks", CHUNKERS, default=CHUNKERS[0], key="ingest_chunker", help=(
        "sentence: what the models are trained on. paragraph: whole paragraphs. semantic: episodes of sentences that"
        " belong together; needs the encoder while it reads."))  # fmt: skip
    amount = st.segmented_control("Articles", ["all", "first", "random"], default="all", key="ingest_amount")
    settings: dict[str, Any] = {"chunker": chunker or CHUNKERS[0]}
    if amount == "first":
        settings["limit"] = st.number_input("How many articles", 1, value=100, key="ingest_limit")
    if amount == "random":
        with st.container(horizontal=True):
            settings["sample"] = st.number_input("How many articles", 1, value=100, key="ingest_sample")
            settings["seed"] = st.number_input("Seed", 0, value=0, key="ingest_seed", help="Which random subset")
    licence = st.text_input("Licence of the text", placeholder="known for Wikipedia; else what applies").strip()
    return {**settings, **({"licence": licence} if licence else {})}


def _argv(source: str, name: str, settings: dict[str, Any]) -> list[str]:
    return ["ingest", source, "--corpus", name or "NAME", *command_line(IngestSettings(**settings))]


def _submit(argv: list[str], name: str, settings: dict[str, Any], encode: bool) -> None:
    check(IngestSettings(**settings))
    check_name(name)
    refuse_existing(state.workspace(), name, replace=False)
    state.jobs().submit(argv, f"Read {name}")
    if encode:
        state.jobs().submit(state.command_of_encoder("encode", name), f"Encode {name}")
    st.toast(f"'{name}' is being read in; its progress is at the foot of the page.")
