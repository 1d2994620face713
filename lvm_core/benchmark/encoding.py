"""Texts a second of the embedded encoder against sentence-transformers' own fp32 `encode`, and the cosine between."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from lvm_core.benchmark.measure import Bench, Row, alternate, rate, sample_texts
from lvm_core.encoders import load_encoder
from lvm_core.encoders.minilm import minilm_folder
from lvm_core.encoders.precision import FAITHFUL_COSINE
from lvm_core.vectors.geometry import cosine


def encode(bench: Bench) -> list[Row]:
    """Return the pair; twice the speed is asked where the CPU multiplies bfloat16, no loss elsewhere."""
    import torch
    from sentence_transformers import SentenceTransformer

    texts, source = sample_texts(bench.workspace, 32 if bench.small else 768)
    encoder: Any = load_encoder(device="cpu")
    reference = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True)
    least_cosine = float(cosine(encoder.encode(texts[:256]), reference.encode(texts[:256])).min())
    ways = {"ours": _rate(encoder.encode, texts), "theirs": _rate(reference.encode, texts)}
    found = alternate(ways, bench.n_rounds)
    quick = encoder.dtype == torch.bfloat16
    note = f"{source}; {encoder.dtype}, least cosine {least_cosine:.5f}, {torch.get_num_threads()} threads"
    speed = rate("encode", "encoding", found["ours"], found["theirs"], "texts/s", 2.0 if quick else 1.0, note)
    same = Row(
        "encode", "least cosine to fp32", least_cosine, 1.0, "", f"at least {FAITHFUL_COSINE}",
        least_cosine >= FAITHFUL_COSINE,
    )  # fmt: skip
    return [speed, same]


def _rate(work: Callable[[Sequence[str]], object], texts: Sequence[str]) -> Callable[[], float]:
    def measure() -> float:
        begun = time.perf_counter()
        work(texts)
        return len(texts) / (time.perf_counter() - begun)

    return measure
