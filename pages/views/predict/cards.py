"""One prediction as a card: a sentence, its figures in one line, and how it came about behind them."""

import difflib
import html
from collections.abc import Sequence

import streamlit as st

from lvm_core.decode.agreement import Word, agreement
from lvm_core.decode.checks import Attempt, Check
from lvm_core.decode.decoders import DECODERS
from lvm_core.predict import Prediction
from lvm_core.predict.prediction import Neighbour, Remembered, Timings
from lvm_core.types import Decoded
from pages.shared import charts, ui
from pages.shared.glossary import term

NO_TEXT = "No text: neither a decoder nor a corpus is there yet."
STAGES = {
    "encode": "text to vectors",
    "predict": "vectors to the next vector",
    "snap": "neighbours searched, and blended where the snap is on",
    "decode": "vector to text, with all corrections and checks",
    "smooth": "rewritten by the language model",
}
WAIT = "being written …"


def card(prediction: Prediction, key: str, raw: Prediction | None = None) -> None:
    """Show a prediction whose text is final; `raw` is the same model's without the snap, to compare words with."""
    st.html(head(prediction.model, prediction.snap_on))
    ui.copy_text(prediction.text or "(no text)", key, "snapped" if prediction.snap_on else "prediction")
    if prediction.smoothed:
        st.html(f'<div class="lvm-label">smoothed by {html.escape(prediction.smoothed_by)}</div>')
        ui.copy_text(prediction.smoothed, f"{key}-smoothed", "context")
    st.html(figures(prediction) + certainty(prediction.decoding.decoded) + behind(prediction, raw))


def unfinished(prediction: Prediction | None, model: str, snap_on: bool, wait: str = WAIT) -> str:
    """Return a card whose text is not final as HTML: the best text so far, or the nearest real chunk until there is."""
    waiting = f'<span class="lvm-wait">{html.escape(wait)}</span>' if wait else ""
    body = ""
    if prediction is not None and prediction.text:
        body = f'<p class="lvm-growing">{words_html(prediction.decoding.decoded)}</p>'
    elif prediction is not None and prediction.neighbours and not snap_on:
        near = prediction.neighbours[0].chunk
        body = (
            f'<p class="lvm-growing lvm-near"><span class="lvm-label">nearest real chunk, {html.escape(near.article)}'
            f"</span><br>{html.escape(near.text)}</p>"
        )
    line = figures(prediction) if prediction is not None else ""
    return head(model, snap_on, waiting) + body + line


def head(model: str, snap_on: bool, more: str = "") -> str:
    """Return the first line of a card as HTML: whose prediction, raw or snapped."""
    colour = "snapped" if snap_on else "prediction"
    kind = f'<span class="lvm-tag lvm-tag-{colour}">{term("snap", "snapped") if snap_on else term("raw")}</span>'
    name = html.escape(model)
    return f'<div class="lvm-card-head">{dot(model)}<b title="{name}">{name}</b><span>{kind}{more}</span></div>'


def dot(model: str) -> str:
    """Return the colour of a model as HTML."""
    return f'<span class="lvm-dot" style="background:{charts.model_colour(model)}"></span>'


def seconds(ms: float) -> str:
    """Return a time as people say it: 0.4 ms, 84 ms, 1.5 s, 102 s."""
    if ms < 1000:
        return f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 100_000 else f"{ms / 1000:.0f} s"


# ---------------------------------------------------------------- the one line


def figures(prediction: Prediction) -> str:
    """Return the figures of a card in one line, as HTML; what is not known has no place in it."""
    parts = []
    if prediction.cosine_to_target is not None:
        parts.append(_figure("to true next", f"{prediction.cosine_to_target:.3f}", "target"))
    if prediction.done and prediction.round_trip_cosine is not None:
        parts.append(_figure("round trip", f"{prediction.round_trip_cosine:.3f}"))
    if prediction.drift_clamped:
        parts.append(f'<span class="lvm-bad">{term("drift clamp")}</span>')
    if prediction.done:
        parts += [_how(prediction), _figure("ready after", _ready(prediction.timings), text="after")]
    return f'<p class="lvm-figures">{"".join(parts)}</p>'


def _figure(label: str, value: str, colour: str = "", text: str = "") -> str:
    tone = f" lvm-{colour}" if colour else ""
    return f'<span>{term(label, text)} <b class="lvm-figure{tone}">{html.escape(value)}</b></span>'


def _how(prediction: Prediction) -> str:
    decoded = prediction.decoding.decoded
    kind = next((kind for kind in DECODERS.values() if kind.method == decoded.method), None)
    if kind is None or not kind.writes:
        return f"<span>{html.escape(kind.title if kind else 'no text')}</span>"
    steps = f"{decoded.steps} correction{'' if decoded.steps == 1 else 's'}"
    return f"<span>{term('corrections', steps)}</span>"


def _ready(timings: Timings) -> str:
    return seconds(timings.waited) + (" (cache)" if timings.cached else "")


# ---------------------------------------------------------------- which words are certain


def certainty(decoded: Decoded) -> str:
    """Return how many words all texts share that the decoder weighed, and the text by that, as HTML that folds."""
    words = agreement(decoded.text, decoded.others)
    if not decoded.others or not words:
        return ""
    firm = sum(word.firm for word in words)
    return (
        f'<details class="lvm-fold"><summary>{firm} of {len(words)} words are certain</summary>'
        f'<p class="lvm-weighed">{words_html(decoded)}</p><p class="lvm-label">The decoder weighed'
        f" {len(decoded.others)} other texts: words that all of them share are firm, the others faint. Point at a faint"
        " word, or go to it with the Tab key, to read what else could stand there.</p></details>"
    )


def words_html(decoded: Decoded) -> str:
    """Return a text as HTML: words on which the decoder's texts agree as they are, the others faint."""
    return " ".join(_word(word) for word in agreement(decoded.text, decoded.others))


def _word(word: Word) -> str:
    if word.firm:
        return html.escape(word.text)
    told = html.escape(f"{word.share:.0%} of the other texts agree; else: {', '.join(word.instead) or 'another order'}")
    return f'<span class="lvm-unsure" tabindex="0" title="{told}" data-else="{told}">{html.escape(word.text)}</span>'


# ---------------------------------------------------------------- behind it


def behind(prediction: Prediction, raw: Prediction | None = None) -> str:
    """Return how a prediction came about, as HTML that folds."""
    origins = {kind.method: kind.origin for kind in DECODERS.values()}
    origin = origins.get(prediction.decoding.decoded.method, NO_TEXT)
    parts = [f'<p class="lvm-label">{html.escape(origin)}</p>', marks(prediction), timing_html(prediction.timings)]
    if prediction.neighbours and not prediction.snap_on:
        near = _figure("nearest chunk", f"{prediction.neighbours[0].cosine:.3f}", "neighbours")
        parts.append(f'<p class="lvm-figures">{near}</p>')
    if raw is not None and raw.text and prediction.text:
        changed = word_differences(raw.text, prediction.text)
        parts.append(f'<p class="lvm-label">words beside the raw text</p><p class="lvm-words">{changed}</p>')
    parts += [_remembered(prediction.remembered), _steps(prediction), _neighbours(prediction.neighbours)]
    return f'<details class="lvm-fold"><summary>How it came about</summary>{"".join(parts)}</details>'


def word_differences(before: str, after: str) -> str:
    """Return `after` as HTML, the words that are not in `before` marked, and those that are gone struck out."""
    old, new = before.split(), after.split()
    parts = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(html.escape(" ".join(new[k:m])))
            continue
        if j > i:
            parts.append(f"<del>{html.escape(' '.join(old[i:j]))}</del>")
        if m > k:
            parts.append(f"<ins>{html.escape(' '.join(new[k:m]))}</ins>")
    return " ".join(parts)


def timing_html(timings: Timings) -> str:
    """Return the stages as one bar with its legend, as HTML; widths are shares of their sum."""
    stages = {name: ms for name, ms in timings.stages().items() if name != "total" and ms > 0}
    total = sum(stages.values())
    if not total:
        return ""
    bars, legend = [], []
    for name, ms in stages.items():
        colour = charts.TIMING_COLOURS.get(name, "#98a2ac")
        bars.append(f'<i style="flex:{ms / total:.4f};background:{colour}"></i>')
        word = ui.explained(html.escape(name), STAGES.get(name, ""))
        legend.append(f'<span><i style="background:{colour}"></i>{word} {seconds(ms)}</span>')
    return (
        f'<div class="lvm-timing"><div>{"".join(bars)}</div><p>{"".join(legend)}</p>'
        f'<p class="lvm-label">{html.escape(time_notes(timings))}</p></div>'
    )


def time_notes(timings: Timings) -> str:
    """Return what the figures of time do not say by themselves."""
    notes = []
    if timings.cached:
        notes.append("The text came from the cache: it was written before.")
    elif timings.batch > 1:
        notes.append(f"decode is this text's share: {timings.batch} were written together.")
    if timings.load >= 100:
        notes.append(f"Before it, models and decoder were loaded in {seconds(timings.load)}, once.")
    notes.append(f"Ready {seconds(timings.waited)} after the question.")
    return " ".join(notes)


def marks(prediction: Prediction) -> str:
    """Return the checks of the text that is shown, as small marks."""
    shown = prediction.decoding.shown
    return f'<div class="lvm-marks">{"".join(_checks(shown))}</div>' if shown is not None else ""


def _checks(attempt: Attempt) -> list[str]:
    verdict = attempt.verdict

    def tone(check: Check) -> str:
        return "bad" if verdict.fails(check) else "good"

    parts = [
        _mark("repeats", f"repeats {verdict.repeated_bigrams:.0%}", tone("repeats")),
        _mark("entropy", f"entropy {verdict.entropy:.1f} bits", tone("entropy")),
    ]
    if verdict.topic_cosine is not None:
        parts.append(_mark("topic", f"topic {verdict.topic_cosine:.2f}", tone("topic")))
    keyword = "good" if verdict.keyword else "bad" if verdict.fails("keyword") else ""
    return [*parts, _mark("keyword", f"keyword: {verdict.keyword}" if verdict.keyword else "no keyword", keyword)]


def _mark(name: str, text: str, colour: str) -> str:
    tone = f" lvm-tag-{colour}" if colour else ""
    return f'<span class="lvm-tag{tone}">{term(name, text)}</span>'


def _steps(prediction: Prediction) -> str:
    """Return the text as it grew and the attempts that are not shown, as HTML that folds."""
    shown = prediction.decoding.shown
    others = [a for a in prediction.decoding.attempts if a is not shown]
    rows = [_step_row(str(h.steps), h.round_trip_cosine, h.text, "") for h in prediction.decoding.hypotheses]
    tried = [
        _step_row(
            "extractive" if a.decoded.method == "extractive" else str(a.decoded.steps),
            a.decoded.round_trip_cosine, a.decoded.text, a.reason,
        )
        for a in others
    ]  # fmt: skip
    parts = []
    if rows:
        parts.append(_details(f"Text by step ({len(rows)})", "step|round trip|text", rows))
    if tried:
        parts.append(_details(f"Other attempts ({len(tried)})", "steps|round trip|text and why not", tried))
    return "".join(parts)


def _step_row(step: str, cosine: float | None, text: str, reason: str) -> str:
    figure = f"{cosine:.3f}" if cosine is not None else "–"
    why = f'<br><span class="lvm-tag-bad lvm-why">{html.escape(reason)}</span>' if reason else ""
    return f"<tr><td>{html.escape(step)}</td><td>{figure}</td><td>{html.escape(text)}{why}</td></tr>"


def _remembered(places: Sequence[Remembered]) -> str:
    """Return the places of the model's memory that were like this one, and what came next there, as HTML that folds."""
    rows = [
        f"<tr><td>{p.cosine:.3f}</td><td>{p.weight:.3f}</td><td><b>{html.escape(p.next.article)}</b>"
        f" {p.next.position + 1}<br>{html.escape(p.last.text)}<br><b>then</b> {html.escape(p.next.text)}</td></tr>"
        for p in places
    ]
    if not rows:
        return ""
    title = f"When a text went like this before ({len(rows)})"
    return _details(title, "cosine|share|article, position, what came next", rows)


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
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in columns.split("|"))
    tone = f" lvm-rows-{colour}" if colour else ""
    return (
        f'<details class="lvm-fold"><summary>{html.escape(title)}</summary>'
        f'<div class="lvm-scroll"><table class="lvm-rows{tone}"><tr>{heads}</tr>{"".join(rows)}</table></div></details>'
    )
