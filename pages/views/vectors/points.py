"""The points chosen in the map, to read: context, true next chunk, and what each prediction is near to and says."""

import html
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from lvm_core.study.map import CORPUS, Group, Layer, MapData
from lvm_core.types import Chunk, Rows
from pages.shared import decoding, state, ui
from pages.views.vectors.look import Point

MOST_SHOWN = 6
CONTEXT = 5
NEIGHBOURS = 5
WORDS = "map_words"


def show(data: MapData, chosen: Sequence[Point], clear: Callable[[], None]) -> None:
    """Show what was chosen, each window once whichever of its points was hit; `clear` chooses none."""
    if not chosen:
        st.html('<p class="lvm-section">Points</p>')
        st.caption("Click a point, or drag a lasso around some (tools at the top right of the map), to read them here.")
        return
    if st.button("Choose none", type="tertiary", icon=":material/close:", key="map-none"):
        clear()
        st.rerun()
    windows = list(dict.fromkeys(point.place for point in chosen if point.group != CORPUS))
    points = [point.place for point in chosen if point.group == CORPUS]
    st.html(f'<p class="lvm-section">{_count(len(windows), "window")}{_count(len(points), "corpus chunk")}</p>')
    for place in windows[:MOST_SHOWN]:
        _window(data, place, [point.group for point in chosen if point.place == place and point.group != CORPUS])
    for place in points[: MOST_SHOWN - len(windows[:MOST_SHOWN])]:
        _corpus_point(data, int(data.corpus_rows[place]))
    if len(windows) + len(points) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of {len(windows) + len(points):,} are shown.")


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' if n != 1 else ''} chosen" if n else ""


def _window(data: MapData, place: int, groups: list[Group]) -> None:
    corpus, row = data.settings.corpus, int(data.target_rows[place])
    (target,) = state.store().chunks(corpus, [row])
    first = row - min(CONTEXT, target.position)
    with st.container(border=True, key=f"card-window-{row}"):
        st.html(_head(target) + _context(state.store().chunks(corpus, range(first, row))) + _true(target))
        for ref, layer in data.layers.items():
            shown = [Group(kind, ref) for kind in ("raw", "snapped") if kind == "raw" or data.settings.snap]
            st.html("".join(_vector(data, layer, group, place, target, groups) for group in shown))
        left, right = st.columns(2)
        with left:
            _say(data, place, row)
        if right.button("Send to Predict", key=f"send-{row}", type="tertiary", icon=":material/arrow_forward:",
                        help="The five chunks before it as the context, this chunk as the target."):  # fmt: skip
            state.send_to_predict(corpus, range(first, row))
        for group, text, round_trip in state.recent(WORDS).get((data.settings, row), []):
            name = html.escape(str(group))
            st.html(f'<div class="lvm-label">{name}, in words; its text has cosine {round_trip:.3f} to it</div>')
            ui.copy_text(text, f"{group}-{row}".replace(" ", "-"), _colour(group))


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


def _colour(group: Group) -> str:
    return "snapped" if group.kind == "snapped" else "prediction"


def _vector(data: MapData, layer: Layer, group: Group, place: int, target: Chunk, groups: list[Group]) -> str:
    """Return one vector as HTML: its cosine to the target and the real chunks nearest to it, more if it was hit."""
    hits = state.index(data.settings.corpus, data.encoder_id).search(
        layer.vectors(group.kind)[place][None], NEIGHBOURS if group in groups else 1, _own(target)
    )[0]
    near = state.store().chunks(data.settings.corpus, [hit.row for hit in hits])
    lines = "".join(
        f'<li><span class="lvm-neighbours">{hit.cosine:.3f}</span> {html.escape(chunk.text)}'
        f' <span class="lvm-label">{html.escape(chunk.article)}</span></li>'
        for hit, chunk in zip(hits, near, strict=True)
    )
    mark = " style='font-weight:600'" if group in groups else ""
    nearest = f"nearest real {'chunks' if len(hits) > 1 else 'chunk'}"
    about = f"cosine to the true chunk {layer.cosines(group.kind)[place]:.3f} · {nearest}"
    return (
        f'<div class="lvm-{_colour(group)}"{mark}>{html.escape(str(group))}'
        f'<span class="lvm-label"> · {about}:</span></div>'
        f'<ul class="lvm-context-list" style="list-style:none;padding-left:0">{lines}</ul>'
    )


def _own(chunk: Chunk) -> Rows:
    return state.store().document(chunk.document_id).rows


def _say(data: MapData, place: int, row: int) -> None:
    writers = decoding.writers()
    if not writers or not data.layers:
        return
    if st.button("Put into words", key=f"say-{row}", type="tertiary", icon=":material/notes:",
                 help=f"Decode these vectors by {decoding.title(writers[0])}; about a second each."):  # fmt: skip
        kinds = ("raw", "snapped") if data.settings.snap else ("raw",)
        groups = [Group(kind, ref) for kind in kinds for ref in data.layers]
        vectors = [data.layers[group.model].vectors(group.kind)[place] for group in groups]
        decoded = decoding.say(np.stack(vectors), writers[0], 0, data.settings.corpus)
        texts = [(group, one.text, one.round_trip_cosine) for group, one in zip(groups, decoded, strict=True)]
        state.recent(WORDS)[(data.settings, row)] = texts


def _corpus_point(data: MapData, row: int) -> None:
    (chunk,) = state.store().chunks(data.settings.corpus, [row])
    with st.container(border=True, key=f"card-chunk-{row}"):
        st.html(_head(chunk) + f'<div class="lvm-context">{html.escape(chunk.text)}</div>')
        if chunk.position and st.button("Send to Predict", key=f"send-chunk-{row}", type="tertiary",
                                        icon=":material/arrow_forward:",
                                        help="The chunks before it as the context, it as the target."):  # fmt: skip
            state.send_to_predict(data.settings.corpus, range(row - min(CONTEXT, chunk.position), row))
