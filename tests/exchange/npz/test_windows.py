"""Windows in any order, of any length and stride, are the texts that they were cut of."""

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvm_core.exchange.npz.archive import open_npz
from lvm_core.exchange.npz.reading import contents_of

DIM = 8


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=5), context=st.integers(1, 6), told=st.booleans(),
    seed=st.integers(0, 1_000),
)  # fmt: skip
def test_any_cut_in_any_order(tmp_path: Path, lengths: list[int], context: int, told: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    articles = [rng.standard_normal((context + 1 + n, DIM)).astype(np.float32) for n in lengths]
    cut = [(a, i) for a, article in enumerate(articles) for i in range(len(article) - context)]
    rng.shuffle(cut)
    path = tmp_path / "cut.npz"
    ids = {"doc_ids": np.array([a for a, _ in cut]), "positions": np.array([i for _, i in cut])} if told else {}
    np.savez(
        path, contexts=np.stack([articles[a][i : i + context] for a, i in cut]),
        targets=np.stack([articles[a][i + context] for a, i in cut]), **ids,
    )  # fmt: skip
    with open_npz(path) as arrays:
        passages = [passage.vectors.tolist() for passage in contents_of(arrays).passages]
    assert sorted(passages) == sorted(article.tolist() for article in articles)
