"""Add a corpus: choose a source and how it is cut, see how it begins, and have it read in by a background job."""

import hashlib
from pathlib import Path

import streamlit as st

from lvm_core.config import command_line, fields_of, problems
from lvm_core.corpus.ingest import IngestSettings
from lvm_core.corpus.sources import corpus_name, endings, readable
from lvm_core.corpus.sources.bundled import BUNDLED
from lvm_core.corpus.writing import check_name, refuse_existing
from lvm_core.workspace import replacing
from pages.shared import form, state, ui
from pages.shared.address import Address
from pages.shared.form import Look
from pages.views.corpus import added, beginning

FILE, UPLOAD = "A path on this machine, or hf:NAME", "A file from this browser"
AMOUNTS = ("all", "first", "random")
FIRST = ("chunker", "split_headings", "licence", "replace")
AMOUNT = ("limit", "sample", "seed")
NAME = "Name of the corpus"
WORDS = {f.option: f.title for f in fields_of(IngestSettings)} | {"--corpus": NAME}
"""Flags that messages name, as this form calls them."""


def show(page: Address) -> None:
    """Show what became of what was added last, the form, the command it stands for, and how the source begins."""
    at = page.within("ingest")
    added.show(page, WORDS)
    left, right = st.columns([0.5, 0.5], gap="large")
    with left:
        source = _source(at)
        settings = _settings(at)
        name = st.text_input(NAME, key=at.key(f"name-{source}", corpus_name(source) if source else "")).strip()
        encode = st.checkbox(
            "Encode it afterwards", key=at.key("encode", True), help="Vectors and index, by the encoder in use"
        )
        wrong = problems(settings)
        for sentence in wrong:
            st.caption(f":material/error: {ui.plain(sentence)}")
        pressed = st.button(
            "Read in", type="primary", icon=":material/download:", disabled=not source or not name or bool(wrong)
        )
    argv = ["ingest", source or "SOURCE", "--corpus", name or "NAME", *command_line(settings)]
    with right:
        if source and not wrong:
            beginning.show(source, settings)
        st.caption("The same on the command line")
        ui.command(argv)
        if encode:
            ui.command(state.command_of_encoder("encode", name or "NAME"))
        st.caption(f"Reads {ui.plain(readable())}. Damaged lines and files are counted and named, never hidden.")
    if pressed:
        with left, ui.errors_shown(WORDS):
            _submit(argv, name, settings, encode)


def _source(at: Address) -> str:
    choices = [*BUNDLED, FILE, UPLOAD]
    choice = st.selectbox("Source", choices, key=at.key("source", choices[0], choices), format_func=_described)
    if choice == FILE:
        return st.text_input(
            "Path or data set", key=at.key("path", ""), placeholder="/data/enwiki-latest-pages-articles.xml.bz2"
        ).strip()
    return _uploaded(at) if choice == UPLOAD else choice


def _described(name: str) -> str:
    return f"{name}: {BUNDLED[name].about}" if name in BUNDLED else name


def _uploaded(at: Address) -> str:
    """Keep an uploaded file in the workspace and return its path, also when the page is come back to."""
    given = st.file_uploader("File", type=[ending.removeprefix(".") for ending in endings()])
    if given is not None:
        at.put("upload", str(kept(given.name, given.getvalue())))
    path = at.value("upload", "")
    if given is None and path:
        st.caption(f"Uploaded before: {ui.plain(Path(path).name)}")
    return path if path and Path(path).exists() else ""


def kept(name: str, content: bytes) -> Path:
    """Keep what was uploaded and return its path; another content under the same name takes its place."""
    path = state.workspace().upload(name)
    if not path.exists() or _digest(path.read_bytes()) != _digest(content):
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _settings(at: Address) -> IngestSettings:
    """Show how the source is read and cut."""
    amount = st.segmented_control("Articles", AMOUNTS, required=True, key=at.key("amount", "all", AMOUNTS))
    given: dict[str, int | None] = dict.fromkeys(AMOUNT[:2]) | {"seed": 0}
    if amount == "first":
        given["limit"] = st.number_input("How many articles", 1, key=at.key("limit", 100, low=1))
    if amount == "random":
        left, right = st.columns(2)
        given["sample"] = left.number_input("How many articles", 1, key=at.key("sample", 100, low=1))
        given["seed"] = right.number_input("Seed", 0, key=at.key("seed", 0, low=0), help="Which random subset")
    looks = {
        "chunker": Look("segmented", label="Chunks", help=(
            "sentence: what the models are trained on. paragraph: whole paragraphs. semantic: episodes of sentences"
            " that belong together; needs the encoder while it reads.")),
    }  # fmt: skip
    form.fields(IngestSettings, at, FIRST, looks, **given)
    rest = [f.name for f in fields_of(IngestSettings) if f.name not in (*FIRST, *AMOUNT)]
    with form.more():
        return form.fields(IngestSettings, at, rest, **given)


def _submit(argv: list[str], name: str, settings: IngestSettings, encode: bool) -> None:
    check_name(name)
    refuse_existing(state.workspace(), name, replace=settings.replace)
    jobs = [state.jobs().submit(argv, f"Read {name}")]
    if encode:
        jobs.append(state.jobs().submit(state.command_of_encoder("encode", name), f"Encode {name}", after=jobs[0]))
    added.remember(name, jobs)
    st.rerun()
