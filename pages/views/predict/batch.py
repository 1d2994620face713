"""A file of contexts: predicted in the background with the choices of the page, a row a context, to take along."""

import html
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lvm_core.decode.decoders import DECODERS
from lvm_core.errors import LvmError
from lvm_core.predict.batch import (
    FORMS,
    NamedContext,
    PredictedContext,
    batch_csv,
    batch_json,
    predict_batch,
    quick_decoder,
    read_batch,
    seconds_per_text,
)
from lvm_core.predict.settings import NO_DECODER, PredictSettings
from pages.shared import asked, ui
from pages.shared.ui import Cell, Heading
from pages.views.predict import cards
from pages.views.predict import run as running
from pages.views.predict.form import Choices

BATCH = "predict_batch"
LOOK_S = 0.5
"""Seconds between two looks at a batch under way."""

MOST_ROWS = 200
"""Contexts in the table; the files to take along hold all."""

MOST_NAMED = 8
"""Contexts that failed which are named under the table; each says why in its row."""

FORM = (
    '`.jsonl`: `{"chunks": ["oldest", "newest"], "target": "true next", "name": "mine"}` a line, target and name as you'
    " like. `.json`: a list of such objects, or of lists of chunks. `.txt`: a chunk a line, a blank line between"
    " contexts."
)


class BatchRun:
    """The contexts of one file under way on a thread of its own; safe to look at while it works."""

    def __init__(self, contexts: Sequence[NamedContext], choices: Choices, writes: bool) -> None:
        """Prepare; `start` begins. `writes`: whether the chosen decoder writes the texts, not the quick one."""
        self.contexts, self.models = contexts, choices.models
        self.cards = running.cards_of(choices)
        self._contexts = asked.contexts(choices.corpus)
        self.encoder = self._contexts.encoder
        self._quick = quick_decoder(bool(asked.space().corpora))
        self.batch: list[PredictedContext] = []
        self.share, self.message = 0.0, "loading the encoder and the models"
        self.stopped = self.finished = False
        self.failure: Exception | None = None
        self._settings, self._writes = choices.settings, writes

    def start(self) -> "BatchRun":
        """Begin, or go on after the contexts that are done."""
        self.stopped = self.finished = False
        self.failure = None
        threading.Thread(target=self._work, name="predict-batch", daemon=True).start()
        return self

    def stop(self) -> None:
        """End after the context that is being predicted."""
        self.stopped = True

    def _work(self) -> None:
        try:
            settings = self._settings
            if not self._writes:
                settings = replace(settings, decoder=self._quick)
            n_before = len(self.batch)
            batch = predict_batch(self._contexts, self.contexts, self.models, settings, self._progress, n_before)
            for context in batch:
                self.batch.append(context)
                if self.stopped:
                    break
        except Exception as error:  # the page raises it: nobody looks at a thread
            self.failure = error
        finally:
            self.finished = True

    def _progress(self, share: float, message: str) -> None:
        self.share, self.message = share, message


def show(choices: Choices) -> None:
    """Show what takes a file of contexts, and what has come of it."""
    run: BatchRun | None = st.session_state.get(BATCH)
    with st.expander("A file of contexts", expanded=run is not None), ui.errors_shown():
        given = st.file_uploader(
            "File", type=[ending.removeprefix(".") for ending in FORMS], key="batch-file", help=FORM
        )  # fmt: skip
        if given is not None:
            contexts = read_batch(given.getvalue(), given.name)
            writes = _writes(choices, len(contexts))
            plural = "" if len(contexts) == 1 else "s"
            if st.button(
                f"Predict {len(contexts):,} context{plural}", icon=":material/arrow_forward:", key="batch-predict"
            ):
                run = _begin(contexts, choices, writes)
        if run is not None:
            _follow(run)


def _begin(contexts: Sequence[NamedContext], choices: Choices, writes: bool) -> BatchRun:
    before: BatchRun | None = st.session_state.get(BATCH)
    if before is not None:
        before.stop()
    run = BatchRun(contexts, choices, writes).start()
    st.session_state[BATCH] = run
    return run


def _writes(choices: Choices, n_contexts: int) -> bool:
    """Show the switch between real chunks and written texts, with what the latter cost; return where it stands."""
    name = choices.settings.decoder
    if name == NO_DECODER or (name in DECODERS and not DECODERS[name].writes):
        return True  # the quick one, or no text, was chosen by name
    writes = st.toggle(
        f"Let the decoder ({name}) write the texts", key="batch-writes",
        help="Off: each text is the nearest real chunk of the corpus, a fraction of a second a context.",
    )  # fmt: skip
    if writes:
        st.caption(estimate(n_contexts * len(running.cards_of(choices)), _measured(choices.settings)))
    return writes


def _measured(settings: PredictSettings) -> float | None:
    """Return the seconds that a text cost in the prediction above, where it was written with the same settings."""
    run = running.current()
    same = run is not None and _way(run.choices.settings) == _way(settings)
    return seconds_per_text(list(run.predictions.values())) if run is not None and same else None


def _way(settings: PredictSettings) -> tuple[str, int | None, int | None]:
    return settings.decoder, settings.steps, settings.budget_ms


def estimate(n_texts: int, seconds: float | None) -> str:
    """Return how long `n_texts` take at so many seconds each, and on what that stands."""
    if seconds is None:
        return (
            f"{n_texts:,} texts. How long one takes is not measured yet: predict one context above, or start;"
            " the time left shows after the first context."
        )
    total = seconds * n_texts
    spoken = f"{total:.0f} s" if total < 100 else f"{total / 60:.0f} min" if total < 6000 else f"{total / 3600:.1f} h"
    return f"{n_texts:,} texts, about {spoken}: a text took {cards.seconds(seconds * 1000)} in the prediction above."


def _follow(run: BatchRun) -> None:
    """Draw, and draw again while it works."""
    status, table = st.empty(), st.empty()
    if not run.finished:
        with status.container(horizontal=True, vertical_alignment="center", key="batch-status"):
            line = st.empty()
            st.button("Stop", icon=":material/stop:", key="batch-stop", on_click=run.stop)
    while not run.finished:
        line.progress(run.share, f"{run.message}{', stopping' if run.stopped else ''}")
        _table(table, run)
        time.sleep(LOOK_S)
    status.empty()
    _table(table, run)
    _ended(run)
    if isinstance(run.failure, LvmError):
        ui.show_error(run.failure)
    elif run.failure is not None:
        raise run.failure


def _ended(run: BatchRun) -> None:
    """Show what is left to do, what failed, and what to take along."""
    if len(run.batch) < len(run.contexts):
        with st.container(horizontal=True, vertical_alignment="center", key="batch-stopped"):
            st.html(f"<span>Stopped: {len(run.batch):,} of {len(run.contexts):,} contexts are predicted.</span>")
            st.button("Go on", icon=":material/play_arrow:", key="batch-go-on", on_click=run.start)
    if failed := [one.context.name for one in run.batch if one.error]:
        named = ", ".join(failed[:MOST_NAMED]) + (", …" if len(failed) > MOST_NAMED else "")
        st.warning(ui.plain(f"{len(failed):,} of {len(run.batch):,} contexts could not be predicted: {named}"))
    notes = {n.text: None for one in run.batch for p in one.predictions for n in p.notes if n.about == "corpus"}
    for note in notes:
        st.caption(ui.plain(note))
    if run.batch:
        _take_along(run)


def _table(place: "st.delta_generator.DeltaGenerator", run: BatchRun) -> None:
    batch = run.batch[:MOST_ROWS]
    if batch:
        left_out = len(run.batch) - len(batch)
        note = f'<p class="lvm-label">The first {MOST_ROWS}; the files hold {left_out:,} more.</p>' if left_out else ""
        place.html(table_html(batch) + note)


def table_html(batch: Sequence[PredictedContext]) -> str:
    """Return a batch as a table, a row a context, its predictions side by side."""
    truth = any(one.context.target for one in batch)
    heads = [Heading("name"), Heading("last chunk")]
    columns = next((one.predictions for one in batch if one.predictions), ())
    for prediction in columns:
        heads.append(Heading(f"{prediction.model}, {'snapped' if prediction.snap_on else 'raw'}"))
        heads += [Heading("true", "cosine to the true next chunk")] if truth else []
    return ui.table_html(heads, [_row(one, truth, len(heads)) for one in batch], scroll=True)


def _row(one: PredictedContext, truth: bool, n_columns: int) -> list[str | Cell]:
    row: list[str | Cell] = [html.escape(one.context.name), Cell(html.escape(one.context.chunks[-1]), "lvm-flow")]
    if one.error:
        row += [Cell(html.escape(one.error), "lvm-flow lvm-bad"), *[""] * (n_columns - 3)]
    for prediction in one.predictions:
        row.append(Cell(html.escape(prediction.text or "(no text)"), "lvm-flow"))
        cosine = prediction.cosine_to_target
        row += [Cell("" if cosine is None else f"{cosine:.3f}", "lvm-target")] if truth else []
    return row


def _take_along(run: BatchRun) -> None:
    files = {
        "json": (lambda: json.dumps(batch_json(run.batch, run.encoder), indent=1), "application/json"),
        "csv": (lambda: batch_csv(run.batch), "text/csv"),
    }
    with st.container(horizontal=True, key="batch-export"):
        for ending, (data, mime) in files.items():
            st.download_button(
                ending.upper(), data, f"predictions.{ending}", mime, icon=":material/download:", type="tertiary",
                key=f"batch-{ending}", on_click="ignore",
            )  # fmt: skip
