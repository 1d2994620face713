"""A prediction on the page: cards or a table that fill while it works, all vectors in one picture, what to do next."""

import html
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from lvm_core.predict import Prediction
from pages.shared import asked, ui
from pages.views.predict import cards, context, history, picture, table
from pages.views.predict.run import Card, Run

LOOK_S = 0.25
"""Seconds between two looks at a prediction under way."""

CLOSER = "predict_closer"


class Top(NamedTuple):
    """The places above the texts: how far it is, and what is to be said when it has ended."""

    status: Any
    ended: Any


def show(run: Run) -> None:
    """Show what has come, and what comes while it works."""
    top = Top(st.empty(), st.empty())
    if run.truth:
        st.html('<div class="lvm-label">true next chunk</div>')
        ui.copy_text(run.truth, "truth", "target")
    if run.compact:
        slot = st.empty()
        _follow(run, top, lambda: slot.html(table.html_of(run.cards, run.predictions, run.errors)))
        _closer(run)
    else:
        grid = _Grid(run)
        _follow(run, top, grid.draw)
    predictions = [run.predictions[card] for card in run.cards if card in run.predictions]
    picture.show(predictions, "pca")
    if not run.stopped:
        history.remember(run)
    history.show(run)
    if line := asked.headline():
        st.html(f'<div class="lvm-honest">{html.escape(line)}</div>')


def _follow(run: Run, top: Top, draw: Callable[[], object]) -> None:
    """Draw, and draw again whenever something has come, until the prediction has ended."""
    version = -1
    if not run.finished:
        with top.status.container(horizontal=True, vertical_alignment="center", key="predict-status"):
            line = st.empty()
            st.button("Stop", icon=":material/stop:", on_click=run.stop, help="End after the texts being written.")
    while not run.finished:
        now = run.wait(version, LOOK_S)
        line.html(_status(run))
        if now != version:
            version = now
            draw()
    if run.failure is not None:
        raise run.failure
    draw()
    top.status.empty()
    if ended := _ended(run):
        with top.ended.container():
            ended()


def _status(run: Run) -> str:
    """Return how far it is, as HTML."""
    n = len(run.cards)
    if not run.predictions:
        stage = "loading the encoder and the models, once" if run.seconds > 1.5 else "reading the context"
    else:
        stage = f"{run.n_done} of {n} texts final"
    share = (run.n_done + 0.3 * len(run.predictions)) / (1.3 * n)
    stopping = ", stopping" if run.stopped else ""
    return (
        f'<div class="lvm-status" role="status"><progress max="1" value="{share:.2f}"></progress>'
        f"<span>{stage}{stopping} · {run.seconds:.0f} s</span></div>"
    )


def _ended(run: Run) -> Callable[[], None] | None:
    """Return what shows the notes of the predictions and that it was stopped, None where there is neither."""
    notes = {n.text: None for p in run.predictions.values() for n in p.notes if n.about not in ("corpus", "language")}
    stopped = run.stopped and run.n_done < len(run.cards)

    def show() -> None:
        if notes:
            st.caption(" ".join(ui.plain(note) for note in notes))
        if stopped:
            with st.container(horizontal=True, vertical_alignment="center", key="predict-stopped"):
                st.html(f"<span>Stopped: {run.n_done} of {len(run.cards)} texts are final.</span>")
                st.button("Go on", icon=":material/play_arrow:", on_click=run.start)

    return show if notes or stopped else None


class _Grid:
    """Cards in the order of the screen: a row a model where raw and snapped stand side by side."""

    def __init__(self, run: Run, key: str = "") -> None:
        self._run, self._key = run, key
        self._drawn: dict[Card, Any] = {}
        self._slots: dict[Card, Any] = {}
        both = len({on for _, on in run.cards}) == 2
        models = list(dict.fromkeys(model for model, _ in run.cards))
        rows = [[card for card in run.cards if card[0] == model] for model in models]
        if not both:
            rows = [run.cards[i : i + 2] for i in range(0, len(run.cards), 2)]
        for row in rows:
            for card, column in zip(row, st.columns(len(row)), strict=True):
                self._slots[card] = column.empty()

    def draw(self) -> None:
        """Draw every card that has changed."""
        for card, slot in self._slots.items():
            now = self._run.errors.get(card) or self._run.predictions.get(card)
            ended = self._run.finished
            if card in self._drawn and self._drawn[card] == (id(now), ended and not _final(now)):
                continue
            self._drawn[card] = (id(now), ended and not _final(now))
            with slot.container():
                self._card(card, now, ended)

    def _card(self, card: Card, now: Prediction | str | None, ended: bool) -> None:
        name = f"{self._key}{card[0]}-{'snap' if card[1] else 'raw'}"
        if isinstance(now, Prediction) and now.done:
            raw = self._run.predictions.get((card[0], False)) if card[1] else None
            with st.container(border=True, key=f"card-{name}"):
                cards.card(now, name, raw)
                if now.text:
                    st.button(
                        "Append and go on", key=f"append-{name}", type="tertiary", icon=":material/playlist_add:",
                        on_click=_append, args=(now.text,),
                        help="Puts this text behind the context and predicts the chunk after it.",
                    )  # fmt: skip
            return
        with st.container(border=True):
            wait = "" if ended else cards.WAIT
            st.html(cards.unfinished(now if isinstance(now, Prediction) else None, *card, wait))
            if isinstance(now, str):
                st.error(ui.plain(now))


def _final(now: Prediction | str | None) -> bool:
    return isinstance(now, str) or (now is not None and now.done)


def _append(text: str) -> None:
    context.append(text)
    st.session_state[context.RUN] = True


def _closer(run: Run) -> None:
    """Show one model of the table as cards, its texts written as often as the ladder says."""
    model = st.selectbox("Look closer at", run.choices.models, index=None, placeholder="a model of the table")
    if model is None:
        return
    closer: dict[str, Run] = st.session_state.setdefault(CLOSER, {})
    name = f"{id(run)}-{model}"
    if name not in closer:
        closer.clear()
        closer[name] = Run(replace(run.choices, models=(model,)), run.texts, run.origin).start()
    top = Top(st.empty(), st.empty())
    grid = _Grid(closer[name], "closer-")
    _follow(closer[name], top, grid.draw)
