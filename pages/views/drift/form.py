"""The controls of the Drift page."""

from dataclasses import dataclass

import streamlit as st

from lvm_core.checkpoint import UNFITTED
from lvm_core.corpus.chunking import split_text
from lvm_core.errors import SettingsError
from lvm_core.leaderboard.first import first_models
from lvm_core.snap import SnapSettings
from lvm_core.study.drift import DriftSettings
from lvm_core.study.rollouts import Start, start_at, start_with
from lvm_core.types import DocumentInfo
from lvm_core.workspace import Workspace
from pages.shared import form, state
from pages.shared.address import Address
from pages.shared.form import Look

SPLITS = ("test", "validation", "train")
STARTS = {"article": "In an article", "pasted": "Pasted text"}
ROUND_TRIP = "echo"
"""The view as addresses name it, which links that were sent before still say."""
FROM_A_PLACE = ("one", "influence", ROUND_TRIP)
"""Views that look at one start; the others at all articles of a split."""
ROLLOUT = {
    "one": ("steps", "context"),
    "mean": ("steps", "context"),
    "influence": ("context",),
    ROUND_TRIP: ("context",),
}
SNAPPED = ("one", "mean", "snap", ROUND_TRIP)
"""Views that take a snap."""
WEIGHTS = tuple(name for name in SnapSettings.__dataclass_fields__ if name not in ("k", "strength"))
LABELS = {"steps": "Rollout steps", "k": "Snap neighbours"}
WORDS = form.words(DriftSettings, LABELS) | form.words(SnapSettings, LABELS)
"""What this form calls the flags that messages name."""
PASTED = (
    "The moon is the only natural satellite of the Earth. It orbits at an average distance of 384,400 kilometres. The"
    " moon always shows the same face to the Earth. Its gravity causes the tides of the oceans."
)
LONGEST_PASTED = 1500
"""Characters; a longer text does not go into the address, which would not be accepted everywhere."""


@dataclass(frozen=True, slots=True)
class Choices:
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


@dataclass(frozen=True, slots=True)
class Place:
    """A start: the row of the first chunk to predict, or pasted chunks, and how many chunks there are before it."""

    row: int
    n_before: int
    pasted: tuple[str, ...] = ()


def show(at: Address, corpora: list[str], view: str) -> Choices:
    """Show the controls and return what they say.

    Raises:
        SettingsError: if no model is chosen, nothing is pasted, or no article of the split is long enough.
    """
    space = state.encoder_id()
    infos = state.models(space)
    refs = [info.ref for info in infos] + list(UNFITTED)
    a, b, c = st.columns([1.2, 2.6, 1.2], vertical_alignment="bottom")
    corpus = a.selectbox("Corpus", corpora, key=at.key("corpus", corpora[0], corpora),
                         help="Whose chunks are the manifold: neighbours, snap, nearest real texts.")  # fmt: skip
    models = b.multiselect("Models", refs, key=at.key("models", first_models(infos), refs))
    split = c.selectbox("Articles", SPLITS, key=at.key("split", "test", SPLITS),
                        help="Models were not trained on the test and validation articles.")  # fmt: skip
    place = _start(at, corpus, split, view)
    rollout, snap = _numbers(at, view, place.n_before)
    if not models:
        raise SettingsError(["No model is chosen; expected one or more. Choose them under Models."])
    return Choices(corpus, tuple(models), split, place.row, rollout.steps, rollout.context, snap, place.pasted)


def _start(at: Address, corpus: str, split: str, view: str) -> Place:
    if view not in FROM_A_PLACE:
        document = _documents(corpus, split)[0]
        return Place(document.first_row + min(5, document.n_chunks - 1), 100)
    first, second, third = st.columns([1.1, 1.4, 2.5], vertical_alignment="bottom")
    start = first.segmented_control("Start", list(STARTS), format_func=STARTS.__getitem__, required=True,
                                    key=at.key("start", "article", list(STARTS)))  # fmt: skip
    if start == "pasted":
        return _pasted(at)
    documents = {document.title: document for document in _documents(corpus, split)}
    title = second.selectbox("Article", list(documents), key=at.key("article", next(iter(documents)), list(documents)))
    document = documents[title]
    last = document.n_chunks - 1
    key = at.key("position", 5, low=1, high=last)
    position = st.session_state[key]
    if last > 1:
        position = third.slider("Start after chunk", 1, last, key=key,
                                help="The chunks of the article up to this one are the context.")  # fmt: skip
    return Place(document.first_row + position, min(100, position))


def _pasted(at: Address) -> Place:
    short = len(at.value("text", PASTED)) <= LONGEST_PASTED
    text = st.text_area("Text", height=96, key=at.key("text", PASTED, linked=short),
                        help="Cut into chunks as a corpus is; the last ones are the context.")  # fmt: skip
    chunks = tuple(split_text(text))
    if not chunks:
        raise SettingsError(["There is no text to start from; expected a few sentences. Paste them."])
    st.caption(f"{len(chunks):,} chunk{'s' if len(chunks) > 1 else ''}; there is no true continuation to compare with.")
    return Place(-1, min(100, len(chunks)), chunks)


def _numbers(at: Address, view: str, n_before: int) -> tuple[DriftSettings, SnapSettings]:
    """Show the numbers that the view takes and return them all, checked."""
    most = 100 if view == "mean" else n_before
    looks = {
        "steps": Look("slider", label=LABELS["steps"], help="Predictions fed back."),
        "context": Look("slider", high=most),
        "k": Look("slider", high=64, label=LABELS["k"], help="Nearest real chunks of the snap."),
        "strength": Look("slider"),
        **{name: Look("slider", low=max(0.0, form.limits(SnapSettings, name)[0]), high=1) for name in WEIGHTS},
    }
    names = [name for name in ROLLOUT.get(view, ()) if name != "context" or most > 1]
    with st.container(horizontal=True, vertical_alignment="bottom", key="drift-numbers"):
        rollout = form.fields(DriftSettings, at, names, looks, columns=max(1, len(names)), corpus="", split="test")
        if view not in SNAPPED:
            return rollout, at.settings(SnapSettings)
        snap = form.fields(SnapSettings, at, ("k", "strength"), looks)
    changed = any(getattr(snap, name) != getattr(SnapSettings(), name) for name in WEIGHTS)
    with st.expander("Weights and thresholds", icon=":material/tune:", expanded=view == "snap" or changed):
        return rollout, form.checked(form.fields(SnapSettings, at, WEIGHTS, looks, columns=4), LABELS)


def _documents(corpus: str, split: str) -> list[DocumentInfo]:
    from lvm_core.dataset import split_documents

    documents = [d for d in split_documents(state.store().documents(corpus))[split] if d.n_chunks > 1]
    if not documents:
        raise SettingsError(
            [
                f"The {split} split of corpus '{corpus}' has no article to continue; expected two chunks or more."
                " Choose another."
            ]
        )
    return documents


def start_of(choices: Choices) -> Start:
    """Return the start that is asked for: vectors and texts of the context, and the true continuation."""
    return _start_of(str(state.workspace().root), state.encoder_id(), choices.corpus, choices.row, choices.pasted)


@st.cache_data(show_spinner="Encoding the text…", max_entries=32)
def _start_of(root: str, encoder_id: str, corpus: str, row: int, pasted: tuple[str, ...]) -> Start:
    if pasted:
        return start_with(pasted, state.encoder())
    return start_at(Workspace(root), corpus, encoder_id, row, 50)
