"""Whether a corpus goes on like a text, and how long each stage of its making took."""

import html
import math

import plotly.graph_objects as go
import streamlit as st

from lvm_core.corpus.timings import Stage, metrics
from lvm_core.dataset.order import OrderReport
from lvm_core.dataset.order_notes import figures, known_order, order_of
from lvm_core.types import CorpusInfo
from pages.shared import charts, state, ui

VERDICTS = {
    "sequential": ("good", "Chunks go on from one another as in a text: a model of the next chunk can learn from it."),
    "weak": ("", "Chunks are hardly nearer to the next one than to others: what can be learned from order is little."),
    "taxonomic": ("bad", "A list or a tree of concepts rather than a text; training on it asks for a yes."),
}
UNORDERED = "Its source gave no order of the chunks: search and snap work on it; training on it asks for a yes."
STAGES = {
    "reading": "Reading", "chunking": "Chunking", "storing": "Storing", "tmd": "TMD labels", "embedding": "Embedding",
    "index": "Index",
}  # fmt: skip
"""Stages of a corpus's making as people read them."""


def order(corpus: CorpusInfo, encoders: list[str]) -> None:
    """Show the verdict on the order of a corpus, or the button that asks for it."""
    if not corpus.ordered:
        st.html(f"<div>Order: {ui.tag('unknown', 'bad')} {UNORDERED}</div>")
    if not encoders:
        st.caption("Its order can be checked once it is encoded.")
        return
    space = state.encoder_id() if state.encoder_id() in encoders else encoders[0]
    report = known_order(state.workspace(), corpus.name, space)
    if report is None:
        if not st.button("Check its order", icon=":material/rule:", key=f"order-{corpus.corpus_id}",
                         help="Compares each chunk with the next one and with random ones of its article"):  # fmt: skip
            return
        with st.spinner("Comparing chunks"):
            report = order_of(state.workspace(), corpus.name, space)
    _verdict(corpus, report)


def pipeline(corpus: CorpusInfo) -> None:
    """Show how long each stage of the corpus's making took, where that is known."""
    timings = metrics(state.workspace(), corpus.name)
    if not timings["stages"]:
        return
    total = timings["total"]
    ui.metric_row([
        ui.Number("Made in", *_time(total["seconds"]), f"All stages together: {total['ms_per_article']:,.1f} ms an"
                  " article; also beside the corpus, as pipeline_metrics.json"),
        *(ui.Number(STAGES.get(name, name), f"{stage['ms_per_chunk']:,.2f}", "ms a chunk", _spent(stage))
          for name, stage in timings["stages"].items()),
    ])  # fmt: skip


def _spent(stage: Stage) -> str:
    by = f", by {stage['by']}" if stage["by"] else ""
    return f"{' '.join(_time(stage['seconds']))} in all, {stage['ms_per_article']:,.1f} ms an article{by}"


def _time(seconds: float) -> tuple[str, str]:
    return (f"{seconds / 60:,.1f}", "min") if seconds >= 100 else (f"{seconds:.1f}", "s")


def _verdict(corpus: CorpusInfo, report: OrderReport) -> None:
    colour, meaning = VERDICTS[report.verdict]
    left, right = st.columns([0.6, 0.4], gap="medium", vertical_alignment="center")
    with left:
        st.html(f"<div>Order: {ui.tag(report.verdict, colour)} {html.escape(meaning)}</div>")
        st.caption(ui.plain(f"Found: {'; '.join(report.reasons)}."))
        ui.metric_row([
            ui.Number("Order signal", _number(report.order_signal, "+.3f"), f"± {_number(report.order_error)}",
                      "Cosine to the next chunk less cosine to a random one of the article, with its standard error"),
            ui.Number("Next, not previous", _number(report.next_against_previous, ".2f"), "",
                      "Share of pairs nearer to the chunk after them than before them; about .5 in a text"),
            ui.Number("Converging", _number(report.converging, "+.3f"), "",
                      "How much nearer to the corpus mean an article ends than it begins"),
            ui.Number("Repeats", f"{report.duplicates:,}", "chunks", "Chunks that repeat another word for word"),
            ui.Number("Words", f"{report.words_per_chunk:.1f}", "a chunk"),
            ui.Number("Boundary leaks", f"{report.boundary_leaks:,}", "", "Articles that start as the last one ended"),
        ])  # fmt: skip
    with right:
        alt = f"Mean cosine of chunks of {corpus.name}: {figures(report)}"
        charts.show(_plot(report), f"order-plot-{corpus.corpus_id}", alt, config={"displayModeBar": False})


def _number(value: float, form: str = ".3f") -> str:
    return format(value, form) if math.isfinite(value) else "-"


def _plot(report: OrderReport) -> go.Figure:
    names = ["next chunk", "second next", "random"]
    values = [report.to_next, report.to_second, report.to_random]
    fig = go.Figure()
    fig.add_bar(
        x=names, y=values, width=0.55, text=[_number(value) for value in values], textposition="outside",
        marker={"color": [charts.COLOURS["target"], charts.COLOURS["target"], charts.COLOURS["context"]]},
        cliponaxis=False, hovertemplate="%{x} of the article: cosine %{y:.3f}<extra></extra>",
    )  # fmt: skip
    charts.style(fig, 190, legend=False)
    fig.update_yaxes(title="mean cosine", nticks=4)
    return fig
