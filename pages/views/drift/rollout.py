"""Rollouts from one start as curves and as text, and their averages over articles."""

import html
import json
from typing import Any

import numpy as np
import streamlit as st

from lvm_core import opened
from lvm_core.config import command_line
from lvm_core.study.drift import DriftSettings, DriftStudy, Summary, drift_key, load_study
from lvm_core.study.rollouts import Rolled, RolledRow, RolledStep, Rollouts, described, roll_out
from lvm_core.workspace import Workspace
from pages.shared import decoding, jobs, saving, state, ui
from pages.shared.address import Address
from pages.shared.ui import Cell, Heading
from pages.views.drift import figure as drift_figure
from pages.views.drift import form as drift_form
from pages.views.drift.form import Choices

WORDS = "drift_words"
NEAREST = "extractive"
"""Two texts stand side by side in the narrowest window too."""


@st.cache_data(show_spinner=False, max_entries=16)
def _rolled(root: str, choices: Choices, space: str, stamp: tuple[Any, ...]) -> tuple[Rollouts, list[Rolled]]:  # noqa: ARG001 - part of the key
    settings = DriftSettings(corpus=choices.corpus, steps=choices.steps, context=choices.context)
    start = drift_form.start_of(choices)
    rolled = roll_out(Workspace(root), choices.models, settings, {"raw": None, "snapped": choices.snap}, start)
    return described(Workspace(root), settings, start, rolled), rolled


def _stamp(choices: Choices) -> tuple[Any, ...]:
    return tuple((i.ref, opened.stamp(i.path)) for i in state.models() if i.ref in choices.models)


def one(at: Address, choices: Choices) -> None:
    """Show the rollouts from one start: curves, and the text of each step beside the true one."""
    with st.spinner("Rolling out…", show_time=True):
        rollouts, rolled = _rolled(str(state.workspace().root), choices, state.encoder_id(), _stamp(choices))
    fig = drift_figure.show([drift_figure.series(row) for row in rollouts["rows"]], "drift")
    saving.buttons("rollout", fig, lambda: _csv(rollouts["rows"]))
    names = [f"{row['model']}, {row['variant']}" for row in rollouts["rows"]]
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    name = left.segmented_control("Text of", names, required=True, wrap=True, key=at.key("of", names[0], names))
    number = names.index(name)
    with right:
        words = _words(at, choices, rolled[number], name)
    after = f", after chunk {at.value('position', 5)}" if not choices.pasted else ""
    st.html(f'<p class="lvm-section">{html.escape(rollouts["article"])}{after}</p>')
    st.html(f'<div class="lvm-context"><span class="lvm-label">last context chunk</span><br>'
            f"{html.escape(rollouts['start'])}</div>")  # fmt: skip
    st.html(_text_table(rollouts["rows"][number], rollouts["truth"], words))
    if words is None:
        st.caption("The text of a step is the real chunk of another article that lies nearest to its vector.")
    if not choices.pasted and st.button("Send to Predict", icon=":material/arrow_forward:", type="tertiary"):
        state.send_to_predict(choices.corpus, range(choices.row - choices.context, choices.row))


def _words(at: Address, choices: Choices, rolled: Rolled, name: str) -> list[tuple[str, float]] | None:
    """Show the choice of who puts the steps into words; return texts and round trips, None for the nearest."""
    writers = [NEAREST, *decoding.writers()]
    by = st.segmented_control("In the words of", writers, format_func=decoding.title,
                              required=True, key=at.key("words", NEAREST, writers))  # fmt: skip
    if by == NEAREST:
        return None
    kept = state.recent(WORDS)
    key = (choices, name, by)
    if key not in kept:
        n = len(rolled.vectors)
        if not st.button(f"Put {n} step{'s' if n > 1 else ''} into words", type="primary", icon=":material/notes:",
                         help="About a second a step."):  # fmt: skip
            return None
        decoded = decoding.say(rolled.vectors, by, 0, choices.corpus)
        kept[key] = [(text.text, text.round_trip_cosine) for text in decoded]
        st.rerun()
    texts: list[tuple[str, float]] = kept[key]
    return texts


def _text_table(row: RolledRow, truth: list[str], words: list[tuple[str, float]] | None) -> str:
    colour = "snapped" if row["variant"] == "snapped" else "prediction"
    lines, before = [], ""
    for i, step in enumerate(row["steps"]):
        text, round_trip = words[i] if words else (step["text"], step["to_manifold"])
        shown = _step_text(step, text, text == before, words is not None, colour)
        cells = [str(step["step"]), _cosine(round_trip), shown]
        if truth:
            true = html.escape(truth[i]) if i < len(truth) else "<i>the article has ended</i>"
            cells = [cells[0], _cosine(step["to_truth"]), *cells[1:], Cell(true, "lvm-target lvm-flow lvm-narrow")]
        lines.append(cells)
        before = text
    text_heading = "what the vector says" if words else "what the vector is nearest to"
    heads = [Heading("round trip", "cosine of the text shown to the vector"), Heading(text_heading)]
    if truth:
        heads = [Heading("true", "cosine to the true chunk"), *heads, Heading("what the article says")]
    return ui.table_html([Heading("step"), *heads], lines)


def _step_text(step: RolledStep, text: str, again: bool, in_words: bool, colour: str) -> Cell:
    source = "" if in_words else f' <small class="lvm-label">{html.escape(step["article"])}</small>'
    clamp = " " + ui.tag("clamped", "", "The drift clamp engaged.") if step["clamped"] else ""
    shown = html.escape(text) + source
    if again:
        shown = f'<span class="lvm-label" title="{html.escape(text, quote=True)}">the same again</span>'
    return Cell(shown + clamp, f"lvm-{colour} lvm-flow lvm-narrow")


def _cosine(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


# ---------------------------------------------------------------- averages


def averages(_: Address, choices: Choices) -> None:
    """Show the mean drift over the articles of the split, made by a job and kept."""
    if choices.split == "train":
        st.caption("Averages are over the test articles: models have read the training ones.")
    settings = DriftSettings(
        corpus=choices.corpus,
        split=choices.split if choices.split != "train" else "test",
        steps=choices.steps,
        context=choices.context,
    )
    key = drift_key(state.workspace(), choices.models, settings, choices.snap)
    study = load_study(state.workspace(), key)
    if study is None:
        st.markdown("**No averages for these choices yet**")
        st.caption(
            f"Up to {settings.articles} articles of the {settings.split} split are continued from three places each."
        )
        argv = command(choices, settings)
        jobs.make(argv, f"Drift on {settings.corpus}", "The averages", "Roll them out")
        return
    st.caption(
        f"{study['n_starts']} starts in {study['n_articles']} {study['split']} articles of '{study['corpus']}',"
        f" {study['encoder']}; bands are 95 % intervals over articles."
    )
    fig = drift_figure.show(study["rows"], "drift_mean")
    st.html(_mean_table(study))
    saving.buttons("drift", fig, lambda: json.dumps(study, indent=1), "json")


def command(choices: Choices, settings: DriftSettings) -> list[str]:
    """Return the command that makes these averages, as a person would type it."""
    argv = ["rollout", *(word for model in choices.models for word in ("--model", model))]
    return [*argv, *command_line(settings), *command_line(choices.snap)]


def _mean_table(study: DriftStudy) -> str:
    steps = [s for s in (1, 5, 20, 50) if s <= study["steps"]]
    lines = []
    for row in study["rows"]:
        colour = "snapped" if row["variant"] == "snapped" else "prediction"
        lines.append(
            [
                f'{html.escape(row["model"])}, <span class="lvm-{colour}">{row["variant"]}</span>',
                *(_with_ci(row["to_truth"][s - 1]) for s in steps),
                f"{row['to_manifold'][-1]['mean']:.3f}",
                f"{row['to_previous'][-1]['mean']:.3f}",
                f"{np.mean(row['clamped']):.1%}",
            ]
        )
    heads = [
        Heading(""),
        *(Heading(f"true, step {s}", "cosine to the true chunk, 95 % interval") for s in steps),
        Heading("nearest real, last step"),
        Heading("step before, last step"),
        Heading("clamped", "share of all steps at which the drift clamp engaged"),
    ]
    return ui.table_html(heads, lines)


def _with_ci(value: Summary) -> str:
    if value["mean"] is None:
        return "–"
    ends = value["ci"]
    return f"{value['mean']:.3f}" + (f" <small>[{ends[0]:.3f}, {ends[1]:.3f}]</small>" if ends else "")


def _csv(rows: list[RolledRow]) -> str:
    measures = list(drift_figure.MEASURES)
    lines = ["model,variant,step," + ",".join(measures) + ",clamped"]
    for row in rows:
        for step in row["steps"]:
            values = ["" if step[m] is None else f"{step[m]:.6f}" for m in measures]
            lines.append(
                ",".join([row["model"], row["variant"], str(step["step"]), *values, str(int(step["clamped"]))])
            )
    return "\n".join(lines)
