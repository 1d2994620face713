"""Running the prediction and showing it: cards that fill model by model, one picture of all the vectors."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st

from lvm_core.errors import LvmError, SettingsError
from lvm_core.predict import PASSTHROUGH, Predictor, PredictSettings
from lvm_core.predict.scene import clean_context
from lvm_core.types import Prediction
from lvm_core.workspace import Workspace
from pages.shared import cards, charts, state, ui
from pages.shared.context import Origin
from pages.shared.predict_form import Asked

RESULT = "predict_result"
Place = tuple[str, bool]
"""A card: model and whether it is snapped."""

PICTURE_NEIGHBOURS = 12


@dataclass(slots=True)
class Result:
    """What was asked and what has come so far."""

    asked: Asked
    texts: list[str]
    origin: Origin | None
    predictions: dict[Place, Prediction] = field(default_factory=dict)
    errors: dict[Place, str] = field(default_factory=dict)
    target_vector: Any = None

    @property
    def truth(self) -> str:
        """The real next chunk, where it is known."""
        return self.origin.target if self.origin else ""


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
    head, picture, notes = _top()
    slots = _layout(result)
    with head:
        _head(result)
    for place, slot in slots.items():
        with slot.container(border=True):
            st.html(cards.pending(*place))
    for on in asked.variants:
        models = [model for model, snapped in slots if snapped == on]
        for prediction in _predictions(result, models, on) if models else ():
            _show_card(result, slots, (prediction.model, on))
        for place in [place for place in result.errors if place[1] == on]:
            _show_card(result, slots, place)
        with picture.container():
            _picture(result, final=on == asked.variants[-1])
    _notes(result, notes)
    return result


def _predictions(result: Result, models: Sequence[str], on: bool) -> Iterator[Prediction]:
    """Yield the predictions of one position of the snap switch; a model that fails leaves the others alone."""
    try:
        yield from _asked_of(result, models, on)
    except LvmError as error:
        missing = [name for name in models if (name, on) not in result.predictions]
        if len(models) < 2:
            result.errors.update({(name, on): str(error) for name in missing})
            return
        for name in missing:
            yield from _predictions(result, [name], on)


def _asked_of(result: Result, models: Sequence[str], on: bool) -> Iterator[Prediction]:
    known, asked = result.origin, result.asked
    placed = (
        known is not None and bool(known.rows) and asked.corpus in (None, known.corpus) and _is_encoded(known.corpus)
    )
    engine = predictor(known.corpus if placed and known else asked.corpus)
    settings: PredictSettings = replace(asked.settings, snap=on)
    rows = {"context_rows": known.rows, "target_row": known.target_row} if placed and known else {}
    for prediction in engine.predict(result.texts, models, settings, **rows):
        _aim(result, prediction)
        result.predictions[(prediction.model, on)] = prediction
        yield prediction


def _is_encoded(corpus: str) -> bool:
    return corpus in {info.name for info in state.encoded_corpora()}


def _aim(result: Result, prediction: Prediction) -> None:
    """Fill in the cosine to a true next chunk that is known as text but not (yet) in a corpus."""
    if result.target_vector is None:
        result.target_vector = prediction.details.get("target_vector")
    if result.target_vector is None and result.truth:
        vector = state.encoder().encode([result.truth])[0]
        result.target_vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    if prediction.cosine_to_target is None and result.target_vector is not None:
        prediction.cosine_to_target = float(prediction.snapped @ result.target_vector)


# ---------------------------------------------------------------- show


def show(result: Result) -> None:
    """Show a result that is there already."""
    head, picture, notes = _top()
    with head:
        _head(result)
    with picture.container():
        _picture(result, final=True)
    _notes(result, notes)
    slots = _layout(result)
    for place in slots:
        _show_card(result, slots, place)


def _top() -> tuple[Any, Any, Any]:
    """Return the places above the cards: what is true, the picture beside it, and notes."""
    left, right = st.columns([1, 1.25], vertical_alignment="center")
    return left, right.empty(), st.empty()


def _notes(result: Result, place: Any) -> None:
    """Show what is to be said of the predictions, each note once."""
    notes = list(dict.fromkeys(p.note for p in result.predictions.values() if p.note))
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
                st.html(cards.pending(*place).replace("…", ""))
                st.error(ui.plain(result.errors[place]))


def _head(result: Result) -> None:
    line = honest_line()
    if line:
        st.html(f'<div class="lvm-honest">{line}</div>')
    if result.truth:
        st.html('<div class="lvm-label">true next chunk</div>')
        ui.copy_text(result.truth, "truth", "target")


def _picture(result: Result, final: bool) -> None:
    """Show all vectors of the result in the plane of their first two principal components."""
    shown = list(result.predictions.values())
    if not shown:
        return
    groups, texts = _groups(result, shown)
    about = "Context, predictions, target and neighbours in the first two principal components of these vectors"
    charts.show(charts.pca_plot(groups, texts, height=260), f"pca-{'final' if final else 'first'}", about)


def _groups(result: Result, shown: list[Prediction]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    groups: dict[str, Any] = {"context": shown[0].details["context_vectors"]}
    texts = {"context": [f"{i}: {text}" for i, text in enumerate(result.texts, 1)]}
    near = {n.chunk.row: n for p in shown for n in p.neighbours[:PICTURE_NEIGHBOURS]}
    corpus = shown[0].details.get("corpus")
    if near and corpus:
        groups["neighbours"] = state.matrix(str(corpus)).rows(np.array(sorted(near), dtype=np.int64))
        texts["neighbours"] = [
            f"{near[row].chunk.article} {near[row].chunk.position + 1}: {near[row].chunk.text}" for row in sorted(near)
        ]
    raw = {p.model: p for p in shown}
    groups["prediction"] = np.stack([p.raw for p in raw.values()])
    texts["prediction"] = [f"{name}: {p.text}" for name, p in raw.items()]
    snapped = [p for p in shown if p.snap_on]
    if snapped:
        groups["snapped"] = np.stack([p.snapped for p in snapped])
        texts["snapped"] = [f"{p.model}, snapped: {p.text}" for p in snapped]
    if result.target_vector is not None:
        groups["target"] = np.asarray(result.target_vector)[None]
        texts["target"] = [result.truth]
    return groups, texts


def honest_line() -> str:
    """Return which predictor is best on the board for this encoder and how it stands to the filter, as HTML."""
    rows = board_rows()
    if not rows:
        return ""
    best = max(rows, key=lambda row: float(row["cosine"]))
    against = best.get("vs_filter") or {}
    low, high = best.get("cosine_ci") or (None, None)
    interval = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
    said = (
        f"Best on the board for this encoder: <b>{html.escape(str(best['model']))}</b>,"
        f" cosine {best['cosine']:.3f}{interval}"
        f" on {best['n_articles']} unseen articles of {html.escape(str(best['corpus']))}."
    )
    if against.get("ci"):
        low, high = against["ci"]
        verdict = "better than" if low > 0 else "worse than" if high < 0 else "not surely different from"
        said += f" Against the linear filter: {against['cosine']:+.4f} [{low:+.4f}, {high:+.4f}], {verdict} it."
    return said


def board_rows() -> list[dict[str, Any]]:
    """Return the test rows of the board that stand on the newest comparable test of this encoder."""
    from lvm_core.evaluation.results import ResultStore

    if not state.workspace().database.exists():
        return []
    space = state.encoder_id()
    rows = [
        r for r in ResultStore(state.workspace()).rows() if r.get("encoder") == space and r.get("split") != "validation"
    ]
    return [row for row in rows if row.get("comparable") == rows[0].get("comparable")]
