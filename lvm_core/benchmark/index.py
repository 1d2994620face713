"""Search by inverted lists and by codes against every vector, and against lists nobody measured."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lvm_core.benchmark.measure import Bench, Row, alternate, median_ms
from lvm_core.benchmark.synthetic import clustered
from lvm_core.errors import CorpusError
from lvm_core.types import Index, Vectors, VectorSource
from lvm_core.vectors.flat import FlatIndex
from lvm_core.vectors.geometry import unit_rows
from lvm_core.vectors.ivf import IvfIndex, build_ivf
from lvm_core.vectors.ivf_pq import CODE_BYTES, IvfPqIndex, build_ivf_pq
from lvm_core.vectors.probe import CONTEXT, K, Probe, Samples, held_out, recall

N_ROWS, SMALL = 60_000, 3_000
BLIND_PROBE = 16
"""Lists looked into where nobody measured; with 512 lists it is what is often written down."""

MOST_MS = 5.0
LEAST_RECALL = 0.95
N_QUERIES = 50


class _Corpus(NamedTuple):
    """Vectors of a corpus and what they are, in words."""

    source: VectorSource
    n_rows: int
    dim: int
    about: str


def index(bench: Bench) -> list[Row]:
    """Return recall, time and memory of the kinds of index over the same rows, in pairs.

    Raises:
        CorpusError: if no corpus of the workspace is large enough.
    """
    corpus = _Corpus(clustered(SMALL, 32), SMALL, 32, "made-up vectors") if bench.small else _largest(bench)
    source, n_rows, dim, about = corpus
    exact = FlatIndex.from_vectors(source.slice(0, n_rows), "bench")
    began = time.process_time()
    lists = build_ivf(source, n_rows, dim, "bench")
    lists_s, began = time.process_time() - began, time.process_time()
    codes = build_ivf_pq(source, n_rows, dim, "bench")
    codes_s = time.process_time() - began
    blind = IvfIndex(lists.faiss_index, "bench", Probe(BLIND_PROBE, 0.0))
    samples = held_out(source, n_rows)
    what = f"{n_rows:,} x {dim}"
    queries = _queries(corpus)
    ms = alternate(
        {name: _ms(found, queries) for name, found in (("exact", exact), ("lists", lists), ("codes", codes))},
        bench.n_rounds,
    )
    return [
        _recall(f"inverted lists, recall@{K}", lists, blind, samples, f"{lists.probe.n_probe} of {lists.n_lists} lists"
                f" by measure against {BLIND_PROBE}; {about}; built in {lists_s:.1f} CPU s"),
        _recall(f"codes, recall@{K}", codes, blind, samples, f"{codes.probe.n_probe} of {codes.n_lists} lists,"
                f" {codes.probe.n_candidates} candidates; built in {codes_s:.1f} CPU s"),
        Row("index", f"a search by lists, {what}", ms["lists"], ms["exact"], "ms", "", None, "against every vector"),
        Row("index", f"a search by codes, {what}", ms["codes"], ms["exact"], "ms", f"at most {MOST_MS:g} ms",
            ms["codes"] <= MOST_MS, "against every vector"),
        _memory(codes, dim),
    ]  # fmt: skip


def _largest(bench: Bench) -> _Corpus:
    """Return the first rows of the workspace's largest encoded corpus."""
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.vectors.matrix import encoded_with, open_matrix

    for info in sorted(CorpusStore(bench.workspace).corpora(), key=lambda info: -info.n_chunks):
        for space in encoded_with(bench.workspace, info.name)[:1]:
            matrix = open_matrix(bench.workspace, info.name, space)
            n_rows = min(matrix.n_rows, N_ROWS)
            if n_rows >= SMALL:
                return _Corpus(matrix, n_rows, matrix.dim, f"the first rows of {info.name} by {space}")
    raise CorpusError(
        f"No corpus of {bench.workspace.root} has so many vectors",
        f"at least {SMALL:,}",
        "Encode one with: python -m lvm_core encode --corpus NAME",
    )


def _queries(corpus: _Corpus) -> Vectors:
    """Return means (n, D) of a few chunks in a row, which predictions are like."""
    starts = np.random.default_rng(1).integers(0, corpus.n_rows - CONTEXT, N_QUERIES).tolist()
    return unit_rows(np.stack([corpus.source.slice(start, start + CONTEXT).mean(axis=0) for start in starts]))


def _ms(index: Index, queries: Vectors) -> Callable[[], float]:
    def measure() -> float:
        turn = iter(np.tile(queries, (2, 1)))
        return median_ms(lambda: index.search(next(turn)[None], K), N_QUERIES)

    return measure


def _recall(what: str, ours: Index, theirs: Index, samples: Samples, note: str) -> Row:
    found = recall(ours, samples.to_state)
    bar = f"at least {LEAST_RECALL:g}"
    return Row("index", what, found, recall(theirs, samples.to_state), "", bar, found >= LEAST_RECALL, note)


def _memory(codes: IvfPqIndex, dim: int) -> Row:
    ours, theirs = codes.n_rows * (CODE_BYTES + 8) / 1e6, codes.n_rows * (dim * 4 + 8) / 1e6
    bar = "at most 0.1 of the vectors" if dim >= 256 else ""
    return Row("index", "memory of the codes", ours, theirs, "MB", bar, ours <= 0.1 * theirs if bar else None)
