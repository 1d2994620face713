"""The controls of the Drift page; what is chosen is in the address, so that a look can be linked."""

from dataclasses import dataclass

import streamlit as st

from lvm_core.checkpoint import UNFITTED
from lvm_core.decode.snap import SnapSettings
from lvm_core.errors import SettingsError
from lvm_core.types import DocumentInfo
from pages.shared import map_form, state

SPLITS = ("test", "validation", "train")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: models from one place of a corpus, so many steps, with this snap."""

    corpus: str
    models: tuple[str, ...]
    split: str
    document: DocumentInfo
    position: int
    steps: int
    context: int
    snap: SnapSettings

    @property
    def row(self) -> int:
        return self.document.first_row + self.position


def show(corpora: list[str], view: str) -> Asked:
    """Show the controls and return what they say.

    Raises:
        SettingsError: if no model is chosen, or no article of the split is long enough.
    """
    query = st.query_params
    space = state.encoder_id()
    known = [info.ref for info in state.models(space)] + list(UNFITTED)
    asked = [r for r in query.get("models", ",".join(map_form.default_models(space))).split(",") if r in known]
    a, b, c = st.columns([1.2, 2.6, 1.2], vertical_alignment="bottom")
    corpus = a.selectbox("Corpus", corpora, map_form.place(corpora, query.get("corpus", "")), key="drift_corpus")
    models = b.multiselect("Models", known, asked, key="drift_models")
    split = c.selectbox(
        "Articles",
        SPLITS,
        map_form.place(SPLITS, query.get("split", "test")),
        key="drift_split",
        help="Models were not trained on the test and validation articles.",
    )
    documents = _documents(corpus, split)
    document, position = _start(documents, view)
    d, e, f, g = st.columns([1.2, 1.2, 1.2, 1.2], vertical_alignment="bottom")
    steps = d.slider("Steps", 1, 50, int(query.get("steps", 20)), key="drift_steps", help="Predictions fed back.")
    context = (
        e.slider(
            "Context",
            1,
            min(100, position),
            min(int(query.get("context", 5)), position),
            key="drift_context",
            help="Real chunks before the first prediction.",
        )
        if position > 1
        else 1
    )
    k = f.slider("Snap K", 1, 64, int(query.get("k", 16)), key="drift_k", help="Nearest real chunks of the snap.")
    strength = g.slider(
        "Snap strength",
        0.0,
        1.0,
        float(query.get("strength", 1.0)),
        0.05,
        key="drift_strength",
        help="0 raw, 1 the full snap and anchor.",
    )
    query.from_dict(
        {
            "view": view,
            "corpus": corpus,
            "models": ",".join(models),
            "split": split,
            "article": document.title,
            "position": str(position),
            "steps": str(steps),
            "context": str(context),
            "k": str(k),
            "strength": str(strength),
        }
    )
    if not models:
        raise SettingsError(["No model is chosen; choose one or more under Models."])
    return Asked(corpus, tuple(models), split, document, position, steps, context, SnapSettings(k=k, strength=strength))


def _documents(corpus: str, split: str) -> list[DocumentInfo]:
    from lvm_core.dataset import split_documents

    found = [d for d in split_documents(state.store().documents(corpus))[split] if d.n_chunks > 1]
    if not found:
        raise SettingsError([f"The {split} split of corpus '{corpus}' has no article of two chunks. Choose another."])
    return found


def _start(documents: list[DocumentInfo], view: str) -> tuple[DocumentInfo, int]:
    """Return the article and the position of the first chunk to predict."""
    query = st.query_params
    titles = [d.title for d in documents]
    if view not in ("one", "influence", "echo"):
        document = documents[map_form.place(titles, query.get("article", ""))]
        return document, min(int(query.get("position", 5)), document.n_chunks - 1)
    a, b = st.columns([1.2, 2.6], vertical_alignment="bottom")
    title = a.selectbox("Article", titles, map_form.place(titles, query.get("article", "")), key="drift_article")
    document = documents[titles.index(title)]
    last = document.n_chunks - 1
    if last == 1:
        return document, 1
    position = b.slider(
        "First chunk to predict",
        1,
        last,
        min(max(int(query.get("position", 5)), 1), last),
        key=f"drift_position_{document.document_id}",
        help="Chunks of the article before it are the context.",
    )
    return document, position
