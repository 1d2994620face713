"""One prediction as a card: the text, what it is worth, how it came about."""

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from lvm_core.decode.checks import Attempt, Check
from lvm_core.decode.decoders import DECODERS
from lvm_core.predict import Prediction
from lvm_core.predict.prediction import Neighbour
from pages.shared import charts, ui

NO_TEXT = "No text: neither a decoder nor a corpus is there yet."
STAGES = {
    "encode": "text to vectors",
    "predict": "vectors to the next vector",
    "snap": "neighbours searched and blended",
    "decode": "vector to text, with all steps and checks",
    "smooth": "rewritten by the language model",
}

WAIT = "being written …"
LADDER = "A text that fails one of its checks is written again with more steps; that takes some seconds more."


def card(prediction: Prediction, key: str, truth: str = "") -> None:
    """Show one prediction; `truth` is the real next chunk where it is known."""
    colour = "snapped" if prediction.snap_on else "prediction"
    with st.container(border=True, key=f"card-{key}"):
        st.html(_head(prediction))
        ui.copy_text(prediction.text or "(no text)", key, colour)
        if prediction.smoothed:
            st.html('<div class="lvm-label">smoothed by the language model</div>')
            ui.copy_text(prediction.smoothed, f"{key}-smoothed", "context")
        figures = ui.metric_html(numbers(prediction, bool(truth)))
        folds = _steps(prediction) + _neighbours(prediction.neighbours)
        st.html(_marks(prediction) + figures + timing_html(prediction.timings.stages()) + folds)


def pending(model: str, snap_on: bool, wait: str = WAIT) -> str:
    """Return the head of a card whose prediction is not there, as HTML."""
    kind = ui.tag("snapped", "snapped") if snap_on else ui.tag("raw", "prediction")
    waiting = f'<span class="lvm-wait" title="{html.escape(LADDER)}">{wait}</span>' if wait else ""
    return f'<div class="lvm-card-head">{_dot(model)}<b>{html.escape(model)}</b>{kind}{waiting}</div>'


def _dot(model: str) -> str:
    return f'<span class="lvm-dot" style="background:{charts.model_colour(model)}"></span>'


def _head(prediction: Prediction) -> str:
    marks = [
        ui.tag("snapped", "snapped", "Pulled onto the chunks of the corpus before it was decoded.")
        if prediction.snap_on
        else ui.tag("raw", "prediction", "Decoded as the model predicted it.")
    ]
    if prediction.drift_clamped:
        marks.append(ui.tag("drift clamp", "bad", "The snap had left the context; its weights were lowered."))
    method = prediction.decoding.decoded.method
    origins = {kind.method: kind for kind in DECODERS.values()}
    marks.append(ui.tag(method, "", origins[method].origin if method in origins else NO_TEXT))
    if method in origins and origins[method].writes:
        marks.append(
            ui.tag(
                f"{prediction.steps} step{'' if prediction.steps == 1 else 's'}",
                "",
                "Corrections after the first hypothesis.",
            )
        )
    title = f'<b title="{html.escape(prediction.model)}">{html.escape(prediction.model)}</b>'
    return f'<div class="lvm-card-head">{_dot(prediction.model)}{title}<span>{"".join(marks)}</span></div>'


def numbers(prediction: Prediction, known: bool) -> list[ui.Number]:
    """Return the figures of a card."""
    found = []
    if prediction.cosine_to_target is not None:
        found.append(
            ui.Number(
                "to true next",
                f"{prediction.cosine_to_target:.3f}",
                "cos",
                "Cosine of this vector and the vector of the true next chunk; 1 would be the same meaning.",
                "target",
            )
        )
    elif not known:
        found.append(ui.Number("to true next", "–", "", "Unknown: the context was not taken from a corpus."))
    if prediction.round_trip_cosine is not None:
        found.append(
            ui.Number(
                "round trip",
                f"{prediction.round_trip_cosine:.3f}",
                "cos",
                "Cosine of the vector and the encoded text: how much of the vector the text says.",
            )
        )
    if prediction.neighbours:
        found.append(
            ui.Number(
                "nearest chunk",
                f"{prediction.neighbours[0].cosine:.3f}",
                "cos",
                "Cosine of the raw prediction and its nearest real chunk.",
                "neighbours",
            )
        )
    total = prediction.timings.total
    return [*found, ui.Number("total", _ms(total), "ms", "From text to text on this machine.")]


def _ms(ms: float) -> str:
    return f"{ms:,.1f}" if ms < 100 else f"{ms:,.0f}"


def timing_html(timings_ms: Mapping[str, float]) -> str:
    """Return the stages as one bar with its legend, as HTML; widths are shares of their sum."""
    stages = {name: ms for name, ms in timings_ms.items() if name != "total" and ms > 0}
    total = sum(stages.values())
    if not total:
        return ""
    bars, legend = [], []
    for name, ms in stages.items():
        colour = charts.TIMING_COLOURS.get(name, "#98a2ac")
        label = f"{name}: {_ms(ms)} ms ({STAGES.get(name, name)})"
        bars.append(f'<i style="flex:{ms / total:.4f};background:{colour}" title="{html.escape(label)}"></i>')
        mark = f'<i style="background:{colour}"></i>{html.escape(name)} {_ms(ms)}'
        legend.append(f'<span title="{html.escape(label)}">{mark}</span>')
    return f'<div class="lvm-timing"><div>{"".join(bars)}</div><p>{"".join(legend)}<span>ms</span></p></div>'


# ---------------------------------------------------------------- checks, steps, neighbours


def _marks(prediction: Prediction) -> str:
    """Return the checks of the text that was taken, as small marks."""
    shown = prediction.decoding.shown
    if shown is None:
        return ""
    return f'<div class="lvm-marks">{"".join(_checks(shown))}</div>'


def _checks(attempt: Attempt) -> list[str]:
    verdict = attempt.verdict

    def tone(check: Check) -> str:
        return "bad" if verdict.fails(check) else "good"

    marks = [
        ui.tag(
            f"repeats {verdict.repeated_bigrams:.0%}", tone("repeats"),
            "Share of word pairs that occur more than once; at most 25 % passes by default.",
        ),
        ui.tag(
            f"entropy {verdict.entropy:.1f} bits", tone("entropy"),
            "Word entropy: how varied the words are; at least 2.8 bits passes by default.",
        ),
    ]  # fmt: skip
    if verdict.topic_cosine is not None:
        about = "Cosine of the text and the mean of the context, by the encoder; at least 0.25 passes by default."
        marks.append(ui.tag(f"topic {verdict.topic_cosine:.2f}", tone("topic"), about))
    keyword = "good" if verdict.keyword else "bad" if verdict.fails("keyword") else ""
    about = "A content word that the text shares with the context; no more than a mark, unless the settings ask for it."
    return [*marks, ui.tag(f"keyword: {verdict.keyword}" if verdict.keyword else "no keyword", keyword, about)]


def _steps(prediction: Prediction) -> str:
    """Return the text as it grew and the attempts that were rejected, as HTML that folds."""
    rejected = [a for a in prediction.decoding.attempts if not a.accepted]
    rows = [_step_row(str(h.steps), h.round_trip_cosine, h.text, "") for h in prediction.decoding.hypotheses]
    tried = [
        _step_row(
            "extractive" if a.decoded.method == "extractive" else str(a.decoded.steps),
            a.decoded.round_trip_cosine, a.decoded.text, a.reason,
        )
        for a in rejected
    ]  # fmt: skip
    parts = []
    if rows:
        parts.append(_details(f"Text by step ({len(rows)})", "step|round trip|text", rows))
    if tried:
        parts.append(_details(f"Rejected attempts ({len(tried)})", "steps|round trip|text and why not", tried))
    return "".join(parts)


def _step_row(step: str, cosine: float | None, text: str, reason: str) -> str:
    figure = f"{cosine:.3f}" if cosine is not None else "–"
    why = f'<br><span class="lvm-tag-bad lvm-why">{html.escape(reason)}</span>' if reason else ""
    return f"<tr><td>{html.escape(step)}</td><td>{figure}</td><td>{html.escape(text)}{why}</td></tr>"


def _neighbours(neighbours: Sequence[Neighbour]) -> str:
    rows = [
        f"<tr><td>{n.cosine:.3f}</td><td>{n.weight:.3f}</td>"
        f"<td><b>{html.escape(n.chunk.article)}</b> {n.chunk.position + 1}<br>{html.escape(n.chunk.text)}</td></tr>"
        for n in neighbours
    ]
    if not rows:
        return ""
    return _details(f"Neighbours ({len(rows)})", "cosine|weight|article, position, text", rows, "neighbours")


def _details(title: str, columns: str, rows: Sequence[str], colour: str = "") -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns.split("|"))
    tone = f" lvm-rows-{colour}" if colour else ""
    return (
        f'<details class="lvm-fold"><summary>{html.escape(title)}</summary>'
        f'<div class="lvm-scroll"><table class="lvm-rows{tone}"><tr>{head}</tr>{"".join(rows)}</table></div></details>'
    )
