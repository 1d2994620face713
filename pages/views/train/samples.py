"""What a run said of three validation windows after its epochs, beside what came next."""

import html

import numpy as np
import streamlit as st

from lvm_core.train.history import RunRow
from lvm_core.train.samples import Sample, read_samples
from pages.shared import state, ui
from pages.shared.ui import Cell, Heading

MOST_EPOCHS = 8
ABOUT = "The real chunk nearest to the prediction, and the cosine of the prediction to the true next chunk."


def show(row: RunRow) -> None:
    """Show the samples of one run by epoch, evenly spread where there are many; nothing where it wrote none."""
    samples = read_samples(state.workspace().run_samples(row.run))
    if not samples:
        return
    by_epoch: dict[int, list[Sample]] = {}
    for sample in samples:
        by_epoch.setdefault(sample.epoch, []).append(sample)
    epochs = sorted(by_epoch)
    spread = np.unique(np.linspace(0, len(epochs) - 1, min(MOST_EPOCHS, len(epochs))).astype(int))
    st.html(f'<p class="lvm-chart-title">What {html.escape(row.run)} says of three validation windows</p>')
    st.html(table_html([by_epoch[epochs[i]] for i in spread]))


def table_html(epochs: list[list[Sample]]) -> str:
    """Return the table of the samples of some epochs: a column a window, a line an epoch."""
    first = epochs[0]
    lines = [
        ["context ends", *(_cell(sample.context, "context") for sample in first)],
        ["true next", *(_cell(sample.truth, "target") for sample in first)],
    ]
    lines += [
        [str(samples[0].epoch), *(_cell(s.text, "prediction", f"{s.cosine:.3f}") for s in samples)]
        for samples in epochs
    ]
    heads = [Heading("epoch"), *(Heading(f"window {i}", ABOUT) for i in range(1, len(first) + 1))]
    return ui.table_html(heads, lines, scroll=True)


def _cell(text: str, colour: str, cosine: str = "") -> Cell:
    figure = f'<small class="lvm-label">{cosine}</small> ' if cosine else ""
    return Cell(figure + html.escape(text), f"lvm-{colour} lvm-flow")
