"""The controls of the Drift page; what is chosen is in the address, so that a look can be linked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lvm_core.checkpoint import UNFITTED
from lvm_core.config import check
from lvm_core.corpus.chunking import split_text
from lvm_core.errors import SettingsError
from lvm_core.snap import SnapSettings
from lvm_core.study.rollouts import Start, start_at, start_with
from lvm_core.types import DocumentInfo
from lvm_core.workspace import Workspace
from pages.shared import state
from pages.views.vectors import form as map_form

SPLITS = ("test", "validation", "train")
STARTS = {"article": "In an article", "pasted": "Pasted text"}
FROM_A_PLACE = ("one", "influence", "echo")
"""Views that look at one start; the others at all articles of a split."""
SLIDERS = {
    "one": ("steps", "context", "k", "strength"),
    "mean": ("steps", "context", "k", "strength"),
    "snap": ("k", "strength"),
    "influence": ("context",),
    "echo": ("context", "k", "strength"),
}
PASTED = (
    "The moon is the only natural satellite of the Earth. It orbits at an average distance of 384,400 kilometres. The"
    " moon always shows the same face to the Earth. Its gravity causes the tides of the oceans."
)
LONGEST_PASTED = 1500
"""Characters; a longer text does not go into the address, which would not be accepted everywhere."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: models from one start, so many steps, with this snap. `row` is that of the first chunk to
    predict; `pasted` are the chunks to start from in its place.
    """

    corpus: str
    models: tuple[str, ...]
    split: str
    row: int
    steps: int
    context: int
    snap: SnapSettings
    pasted: tuple[str, ...] = ()


def show(corpora: list[str], view: str) -> Asked:
    """Show the controls and return what they say.

    Raises:
        SettingsError: if no model is chosen, nothing is pasted, or no article of the split is long enough.
    """
    query = st.query_params
    space = state.encoder_id()
    known = [info.ref for info in state.models(space)] + list(UNFITTED)
    asked = [r for r in query.get("models", ",".join(map_form.default_models(space))).split(",") if r in known]
    a, b, c = st.columns([1.2, 2.6, 1.2], vertical_alignment="bottom")
    corpus = a.selectbox("Corpus", corpora, map_form.place(corpora, query.get("corpus", "")), key="drift_corpus",
                         help="Whose chunks are the manifold: neighbours, snap, nearest real texts.")  # fmt: skip
    models = b.multiselect("Models", known, asked, key="drift_models")
    split = c.selectbox("Articles", SPLITS, map_form.place(SPLITS, query.get("split", "test")), key="drift_split",
                        help="Models were not trained on the test and validation articles.")  # fmt: skip
    values = {"view": view, "corpus": corpus, "models": ",".join(models), "split": split}
    chunks, row, longest = _start(corpus, split, view, values)
    steps, context, snap = _numbers(view, longest, values)
    _remember(values)
    if not models:
        raise SettingsError(["No model is chosen; choose one or more under Models."])
    return Asked(corpus, tuple(models), split, row, steps, context, snap, chunks)


def _start(corpus: str, split: str, view: str, values: dict[str, str]) -> tuple[tuple[str, ...], int, int]:
    """Return the pasted chunks, the row of the first chunk to predict, and how many chunks there are before it."""
    query = st.query_params
    names = list(STARTS)
    start = query.get("start", "article") if query.get("start") in names else "article"
    slots: Any = (None, None, None)
    if view in FROM_A_PLACE:
        slots = st.columns([1.1, 1.4, 2.5], vertical_alignment="bottom")
        chosen = slots[0].segmented_control(
            "Start", names, format_func=STARTS.__getitem__, default=start, key="drift_start"
        )
        start = chosen or "article"
    if start != "article":
        values["start"] = start
    if start == "pasted" and view in FROM_A_PLACE:
        return _pasted(values)
    documents = _documents(corpus, split)
    titles = [d.title for d in documents]
    document = documents[map_form.place(titles, query.get("article", ""))]
    last = document.n_chunks - 1
    position = min(max(_number("position", 5), 1), last)
    if view in FROM_A_PLACE:
        _, a, b = slots
        title = a.selectbox("Article", titles, titles.index(document.title), key="drift_article")
        document = documents[titles.index(title)]
        last = document.n_chunks - 1
        position = min(position, last)
        if last > 1:
            position = b.slider(
                "Start after chunk", 1, last, position, key=f"drift_position_{document.document_id}",
                help="The chunks of the article up to this one are the context.",
            )  # fmt: skip
    values |= {"article": document.title, "position": str(position)}
    return (), document.first_row + position, min(100, position)


def _pasted(values: dict[str, str]) -> tuple[tuple[str, ...], int, int]:
    text = st.text_area("Text", st.query_params.get("text", PASTED), height=96, key="drift_text",
                        help="Cut into chunks as a corpus is; the last ones are the context.")  # fmt: skip
    chunks = tuple(split_text(text))
    if not chunks:
        raise SettingsError(["There is no text to start from; paste a few sentences."])
    st.caption(f"{len(chunks):,} chunk{'s' if len(chunks) > 1 else ''}; there is no true continuation to compare with.")
    if text != PASTED and len(text) <= LONGEST_PASTED:
        values["text"] = text
    return chunks, -1, min(100, len(chunks))


def _numbers(view: str, longest: int, values: dict[str, str]) -> tuple[int, int, SnapSettings]:
    shown = SLIDERS[view]
    slots = dict(zip(shown, st.columns(4, vertical_alignment="bottom"), strict=False))
    steps, context = min(max(_number("steps", 20), 1), 50), min(max(_number("context", 5), 1), 100)
    if "steps" in shown:
        steps = slots["steps"].slider("Steps", 1, 50, steps, key="drift_steps", help="Predictions fed back.")
    if "context" in shown:
        most = 100 if view == "mean" else longest
        context = _context(slots["context"], context, most)
    base = SnapSettings()
    k, strength = min(max(_number("k", base.k), 1), 64), min(max(_number("strength", base.strength), 0.0), 1.0)
    if "k" in shown:
        k = slots["k"].slider("Snap K", 1, 64, k, key="drift_k", help="Nearest real chunks of the snap.")
        strength = slots["strength"].slider(
            "Snap strength", 0.0, 1.0, strength, 0.05, key="drift_strength", help="0 raw, 1 the full snap and anchor."
        )
    weights = _weights(values, shown="k" in shown, opened=view == "snap")
    values |= {"steps": str(steps), "context": str(context), "k": str(k), "strength": str(strength)}
    return steps, context, check(SnapSettings(k=k, strength=strength, **weights))


def _context(slot: Any, context: int, most: int) -> int:
    if most < 2:
        return 1
    chosen: int = slot.slider(
        "Context", 1, most, min(context, most), key=f"drift_context_{most}",
        help="Real chunks before the first prediction; a model with a longer memory reads more where there is more.",
    )  # fmt: skip
    return chosen


def _weights(values: dict[str, str], shown: bool, opened: bool) -> dict[str, float]:
    """Return the weights and thresholds of the snap; those that are not the standard ones go into the address."""
    fields = {n: f for n, f in SnapSettings.__dataclass_fields__.items() if n not in ("k", "strength")}
    found = {}
    for name, field in fields.items():
        low = float(field.metadata["low"])
        found[name] = min(max(_number(name, float(field.default)), low), 1.0)
    if shown:
        changed = any(value != fields[name].default for name, value in found.items())
        with st.expander("Weights and thresholds", icon=":material/tune:", expanded=opened or changed):
            columns = st.columns(4)
            for i, (name, field) in enumerate(fields.items()):
                found[name] = columns[i % 4].slider(
                    name.replace("_", " "), float(field.metadata["low"]), 1.0, found[name], 0.05, key=f"lab_{name}",
                    help=field.metadata["help"],
                )  # fmt: skip
    values |= {name: str(value) for name, value in found.items() if value != fields[name].default}
    return found


def _number(name: str, default: Any) -> Any:
    """Return a number of the address, `default` where it is none."""
    try:
        return type(default)(st.query_params.get(name, default))
    except ValueError:
        return default


def _remember(values: Mapping[str, str]) -> None:
    """Put what is chosen into the address, beside what the views themselves keep there."""
    kept = {name: st.query_params[name] for name in ("of", "words") if name in st.query_params}
    if dict(st.query_params) != {**kept, **values}:
        st.query_params.from_dict({**kept, **values})


def _documents(corpus: str, split: str) -> list[DocumentInfo]:
    from lvm_core.dataset import split_documents

    found = [d for d in split_documents(state.store().documents(corpus))[split] if d.n_chunks > 1]
    if not found:
        raise SettingsError([f"The {split} split of corpus '{corpus}' has no article of two chunks. Choose another."])
    return found


def start_of(asked: Asked) -> Start:
    """Return the start that is asked for: vectors and texts of the context, and the true continuation."""
    return _start_of(str(state.workspace().root), state.encoder_id(), asked.corpus, asked.row, asked.pasted)


@st.cache_data(show_spinner="Encoding the text…", max_entries=32)
def _start_of(root: str, encoder_id: str, corpus: str, row: int, pasted: tuple[str, ...]) -> Start:
    if pasted:
        return start_with(pasted, state.encoder())
    return start_at(Workspace(root), corpus, encoder_id, row, 50)
