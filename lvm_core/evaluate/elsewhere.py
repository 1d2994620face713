"""Measuring one model on a worker, on the test set that whoever asks has chosen."""

import functools

from lvm_core.evaluate.candidates import choose_candidates, open_encoded
from lvm_core.evaluate.rows import Twin
from lvm_core.evaluate.run import Measured, Measuring
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.evaluate.testset import make_test_set
from lvm_core.executors.work import Desk


def measure_one(
    desk: Desk, ref: str, corpus: str, encoder_id: str, twins: list[Twin], settings: EvaluateSettings,
    ordinals: tuple[int, ...],
) -> Measured:  # fmt: skip
    """Measure `ref` on the articles `ordinals` of `corpus`; nothing is stored here."""
    measuring = _measuring(desk, corpus, encoder_id, settings, ordinals)
    measuring.candidates = choose_candidates(measuring.encoded, [ref])
    return measuring.measure(measuring.candidates[0], twins)


@functools.lru_cache(maxsize=1)
def _measuring(
    desk: Desk, corpus: str, encoder_id: str, settings: EvaluateSettings, ordinals: tuple[int, ...]
) -> Measuring:
    """Return what the models of one evaluation share, made once a worker."""
    encoded = open_encoded(desk.workspace, corpus, encoder_id, settings.split_seed)
    by_ordinal = {d.ordinal: d for d in encoded.documents("all")}
    documents = [by_ordinal[ordinal] for ordinal in ordinals]
    test = make_test_set(
        documents, encoded.matrix.rows, corpus, encoded.corpus.digest, encoder_id, str(settings.tested),
        settings.split_seed, encoded.corpus.n_chunks,
    )  # fmt: skip
    return Measuring(encoded, test, [], settings, desk.progress)
