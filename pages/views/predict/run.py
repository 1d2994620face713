"""Running the prediction and showing it: cards that fill model by model, one picture of all the vectors."""

import html
from collections.abc import Iterator, Sequence
from typing import Any

import streamlit as st

from lvm_core.errors import LvmError, SettingsError
from lvm_core.leaderboard import verdict
from lvm_core.predict import PASSTHROUGH, Prediction, Predictor, Question
from lvm_core.predict.context import clean_context
from lvm_core.workspace import Workspace
from pages.shared import state, ui
from pages.views.predict import cards, picture
from pages.views.predict.context import Origin
from pages.views.predict.form import Asked
from pages.views.predict.result import Place, Result

RESULT = "predict_result"


@st.cache_resource(show_spinner=False, max_entries=4)
def _predictor(key: tuple[str, str, str | None, tuple[Any, ...]]) -> Predictor:
    return Predictor(Workspace(key[0]), corpus=key[2], encoder=state.encoder())


def predictor(corpus: str | None) -> Predictor:
    """Return the predictor of the encoder in use on `corpus`; made anew when models or vectors have changed."""
    space = state.encoder_id()
    stamps = tuple(state.file_stamp(state.workspace().vectors(c.name, space)) for c in state.corpora())
    runs = tuple((info.ref, state.file_stamp(info.path)) for info in state.models())
    return _predictor((str(state.workspace().root), space, corpus, (*stamps, *runs)))


# ---------------------------------------------------------------- run


def run(asked: Asked, texts: list[str], known: Origin | None) -> Result:
    """Predict and show each card as soon as it is ready; return everything for the next look at the page.

    Raises:
        EncoderError: if the context holds no text.
        SettingsError: if no model was chosen.
    """
    clean_context(texts)
    if not asked.models:
        raise SettingsError(["No model is chosen; choose one or more under Models."])
    result = Result(asked, texts, known)
    st.session_state[RESULT] = result
    head, plot, notes = _top()
    slots = _layout(result)
    with head:
        _head(result)
    for place, slot in slots.items():
        with slot.container(border=True):
            st.html(cards.pending(*place))
    for prediction in _predictions(result, asked.models):
        _show_card(result, slots, (prediction.model, prediction.snap_on))
    for place in result.errors:
        _show_card(result, slots, place)
    with plot.container():
        picture.show(result)
    _notes(result, notes)
    return result


def _predictions(result: Result, models: Sequence[str]) -> Iterator[Prediction]:
    """Yield the predictions of `models`; a model that fails leaves the others alone."""
    try:
        yield from _asked_of(result, models)
    except LvmError as error:
        if len(models) < 2:
            result.errors.update({(name, on): str(error) for name in models for on in result.asked.variants})
            return
        for name in [name for name in models if name not in {model for model, _ in result.predictions}]:
            yield from _predictions(result, [name])


def _asked_of(result: Result, models: Sequence[str]) -> Iterator[Prediction]:
    known, asked = result.origin, result.asked
    placed = (
        known is not None and bool(known.rows) and asked.corpus in (None, known.corpus) and _is_encoded(known.corpus)
    )
    engine = predictor(known.corpus if placed and known else asked.corpus)
    if placed and known:
        question = Question(rows=known.rows, target_row=known.target_row)
    else:
        question = Question(result.texts, target_text=result.truth)
    for prediction in engine.watch(question, models, asked.settings, unfinished=False):
        result.predictions[(prediction.model, prediction.snap_on)] = prediction
        yield prediction


def _is_encoded(corpus: str) -> bool:
    return corpus in {info.name for info in state.encoded_corpora()}


# ---------------------------------------------------------------- show


def show(result: Result) -> None:
    """Show a result that is there already."""
    head, plot, notes = _top()
    with head:
        _head(result)
    with plot.container():
        picture.show(result)
    _notes(result, notes)
    slots = _layout(result)
    for place in slots:
        _show_card(result, slots, place)


def _top() -> tuple[Any, Any, Any]:
    """Return the places above the cards: what is true, the picture beside it, and notes."""
    left, right = st.columns([1, 1.25], vertical_alignment="center")
    return left, right.empty(), st.empty()


def _notes(result: Result, place: Any) -> None:
    """Show what is to be said of the predictions, each note once; the form says itself where no corpus is ready."""
    notes = {n.text: None for p in result.predictions.values() for n in p.notes if n.about != "corpus"}
    if notes:
        place.caption(" ".join(ui.plain(note) for note in notes))


def _layout(result: Result) -> dict[Place, Any]:
    """Return the empty card of each model and switch position: a row a model when both are shown."""
    places: dict[Place, Any] = {}
    if len(result.asked.variants) == 2:
        for model in result.asked.models:
            for on, column in zip(result.asked.variants, st.columns(2), strict=True):
                if not (on and model == PASSTHROUGH):
                    places[(model, on)] = column.empty()
        return places
    (on,) = result.asked.variants
    for i in range(0, len(result.asked.models), 2):
        for model, column in zip(result.asked.models[i : i + 2], st.columns(2), strict=False):
            places[(model, on)] = column.empty()
    return places


def _show_card(result: Result, slots: dict[Place, Any], place: Place) -> None:
    with slots[place].container():
        if place in result.predictions:
            cards.card(result.predictions[place], f"{place[0]}-{'snap' if place[1] else 'raw'}", result.truth)
        elif place in result.errors:
            with st.container(border=True):
                st.html(cards.pending(*place, wait=""))
                st.error(ui.plain(result.errors[place]))


def _head(result: Result) -> None:
    if line := verdict.headline(state.workspace(), state.encoder_id()):
        st.html(f'<div class="lvm-honest">{html.escape(line)}</div>')
    if result.truth:
        st.html('<div class="lvm-label">true next chunk</div>')
        ui.copy_text(result.truth, "truth", "target")
