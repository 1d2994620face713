"""The points chosen in the map, to read: context, true next chunk, and what each prediction is near to and says."""

import html

import numpy as np
import streamlit as st

from lvm_core.study.map import Layer, MapData
from lvm_core.types import Chunk, Rows, Vectors
from pages.shared import decoding, state, ui
from pages.views.vectors import figure as map_figure
from pages.views.vectors.look import Chosen

MOST_SHOWN = 6
CONTEXT = 5
NEIGHBOURS = 5
SAID = "map_said"


def show(found: MapData, chosen: Chosen) -> None:
    """Show what was chosen, each window once whichever of its points was hit."""
    if not chosen:
        st.html('<p class="lvm-section">Points</p>')
        st.caption("Click a point, or drag a lasso around some (tools at the top right of the map), to read them here.")
        return
    windows = list(dict.fromkeys(place for name, place in chosen if name != "corpus"))
    points = [place for name, place in chosen if name == "corpus"]
    st.html(f'<p class="lvm-section">{_count(len(windows), "window")}{_count(len(points), "corpus chunk")}</p>')
    for place in windows[:MOST_SHOWN]:
        own = [name for name, other in chosen if other == place and name != "corpus"]
        _window(found, place, own)
    for place in points[: MOST_SHOWN - len(windows[:MOST_SHOWN])]:
        _corpus_point(found, int(found.corpus_rows[place]))
    if len(windows) + len(points) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of {len(windows) + len(points):,} are shown.")


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' if n != 1 else ''} chosen" if n else ""


def _window(found: MapData, place: int, groups: list[str]) -> None:
    corpus, row = found.settings.corpus, int(found.target_rows[place])
    (target,) = state.store().chunks(corpus, [row])
    first = row - min(CONTEXT, target.position)
    with st.container(border=True, key=f"card-window-{row}"):
        st.html(_head(target) + _context(state.store().chunks(corpus, range(first, row))) + _true(target))
        for ref, layer in found.layers.items():
            kinds = [kind for kind in ("raw", "snapped") if kind == "raw" or found.settings.snap]
            st.html("".join(_vector(found, layer, f"{ref} {kind}", place, target, groups) for kind in kinds))
        left, right = st.columns(2)
        with left:
            _say(found, place, row)
        if right.button("Send to Predict", key=f"send-{row}", type="tertiary", icon=":material/arrow_forward:",
                        help="The five chunks before it as the context, this chunk as the target."):  # fmt: skip
            state.send_to_predict(corpus, range(first, row))
        for name, text, echo in st.session_state.get(SAID, {}).get((found.settings, row), []):
            kind = map_figure.kind_of(name)
            colour = "snapped" if kind == "snapped" else "prediction"
            st.html(f'<div class="lvm-label">{html.escape(name)}, in words; its text has cosine {echo:.3f} to it</div>')
            ui.copy_text(text, f"{name}-{row}".replace(" ", "-"), colour)


def _head(chunk: Chunk) -> str:
    place = html.escape(f"chunk {chunk.position + 1}" + (f", {chunk.section}" if chunk.section else ""))
    return f'<div><b>{html.escape(chunk.article)}</b> <span class="lvm-label">{place}</span></div>'


def _context(chunks: list[Chunk]) -> str:
    lines = "".join(f"<li>{html.escape(chunk.text)}</li>" for chunk in chunks)
    return f'<ul class="lvm-context-list lvm-context" style="list-style:none;padding-left:0">{lines}</ul>'


def _true(chunk: Chunk) -> str:
    return (
        '<div class="lvm-label" style="margin-top:.4rem">true next chunk</div>'
        f'<div class="lvm-target">{html.escape(chunk.text)}</div>'
    )


def _vector(found: MapData, layer: Layer, name: str, place: int, target: Chunk, groups: list[str]) -> str:
    """Return one vector as HTML: its cosine to the target and the real chunks nearest to it, more if it was hit."""
    kind = map_figure.kind_of(name)
    cosine = (layer.snapped_cosine if kind == "snapped" else layer.cosine)[place]
    hits = state.index(found.settings.corpus, found.encoder_id).search(
        vector_of(layer, kind, place)[None], NEIGHBOURS if name in groups else 1, _own(target)
    )[0]
    near = state.store().chunks(found.settings.corpus, [hit.row for hit in hits])
    colour = "snapped" if kind == "snapped" else "prediction"
    rows = "".join(
        f'<tr><td class="lvm-neighbours">{hit.cosine:.3f}</td><td style="white-space:normal">{html.escape(chunk.text)}'
        f' <span class="lvm-label">{html.escape(chunk.article)}</span></td></tr>'
        for hit, chunk in zip(hits, near, strict=True)
    )
    mark = " style='font-weight:600'" if name in groups else ""
    return (
        f'<div class="lvm-{colour}"{mark}>{html.escape(name)}<span class="lvm-label"> · cosine to the true chunk'
        f" {cosine:.3f} · nearest real {'chunks' if len(hits) > 1 else 'chunk'}:</span></div>"
        f'<table class="lvm-rows">{rows}</table>'
    )


def vector_of(layer: Layer, kind: str, place: int) -> Vectors:
    """Return one vector (D,) of a layer."""
    found: Vectors = (layer.snapped if kind == "snapped" else layer.raw)[place]
    return found


def _own(chunk: Chunk) -> Rows:
    return state.store().document(chunk.document_id).rows


def _say(found: MapData, place: int, row: int) -> None:
    writers = decoding.writers()
    if not writers or not found.layers:
        return
    if st.button("Put into words", key=f"say-{row}", type="tertiary", icon=":material/notes:",
                 help=f"Decode these vectors by {decoding.title(writers[0])}; about a second each."):  # fmt: skip
        names = [f"{ref} raw" for ref in found.layers]
        if found.settings.snap:
            names += [f"{ref} snapped" for ref in found.layers]
        vectors = [vector_of(found.layers[n.rpartition(" ")[0]], map_figure.kind_of(n), place) for n in names]
        said = decoding.say(np.stack(vectors), writers[0], 0, found.settings.corpus)
        texts = [(name, text.text, text.round_trip_cosine) for name, text in zip(names, said, strict=True)]
        st.session_state.setdefault(SAID, {})[(found.settings, row)] = texts


def _corpus_point(found: MapData, row: int) -> None:
    (chunk,) = state.store().chunks(found.settings.corpus, [row])
    with st.container(border=True, key=f"card-chunk-{row}"):
        st.html(_head(chunk) + f'<div class="lvm-context">{html.escape(chunk.text)}</div>')
        if chunk.position and st.button("Send to Predict", key=f"send-chunk-{row}", type="tertiary",
                                        icon=":material/arrow_forward:",
                                        help="The chunks before it as the context, it as the target."):  # fmt: skip
            state.send_to_predict(found.settings.corpus, range(row - min(CONTEXT, chunk.position), row))
