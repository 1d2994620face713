"""The order check of a stored corpus, done once: its report is noted beside the corpus until the corpus changes."""

import contextlib
import math

from lvm_core.corpus.details import detail, set_detail
from lvm_core.corpus.store import CorpusStore, iter_texts
from lvm_core.dataset.order import OrderReport, check_order
from lvm_core.errors import CorpusError, WorkspaceError
from lvm_core.json_shapes import Json
from lvm_core.vectors.matrix import open_matrix
from lvm_core.workspace import Workspace

KEY = "order"


def order_of(workspace: Workspace, corpus: str, encoder_id: str) -> OrderReport:
    """Return the order report of `corpus` in the space of `encoder_id`, noted or made now (texts are read once).

    Raises:
        CorpusError: if the corpus is not there or not encoded.
    """
    known = known_order(workspace, corpus, encoder_id)
    if known is not None:
        return known
    store = CorpusStore(workspace)
    digest = store.corpus(corpus).digest
    report = check_order(store.documents(corpus), iter_texts(store, corpus), open_matrix(workspace, corpus, encoder_id))
    earlier = detail(workspace, corpus, KEY) or {}
    with contextlib.suppress(WorkspaceError):  # a workspace that cannot be written can still be checked
        set_detail(workspace, corpus, KEY, {**earlier, encoder_id: {"digest": digest, "report": report.to_json()}})
    return report


def known_order(workspace: Workspace, corpus: str, encoder_id: str) -> OrderReport | None:
    """Return the report where it was made of the present chunks already."""
    stored = (detail(workspace, corpus, KEY) or {}).get(encoder_id)
    if not stored or stored["digest"] != CorpusStore(workspace).corpus(corpus).digest:
        return None
    values: Json = {key: math.nan if value is None else value for key, value in stored["report"].items()}
    try:
        return OrderReport(**values)
    except TypeError:  # noted by another version
        return None


def ask_about_order(workspace: Workspace, corpora: list[str], encoder_id: str, yes: bool = False) -> list[str]:
    """Return warnings about the order of `corpora`, before something is trained on it.

    Args:
        workspace: where they are.
        corpora: their names.
        encoder_id: the space of the training.
        yes: train on data without an order of its own all the same.

    Raises:
        CorpusError: if a corpus is taxonomic or marked as unordered and nobody said yes.
    """
    store = CorpusStore(workspace)
    warnings, objections = [], []
    for name in corpora:
        report = order_of(workspace, name, encoder_id)
        if not store.corpus(name).ordered:
            objections.append(f"the source of '{name}' gave no order of its chunks")
        if report.verdict == "taxonomic":
            objections.append(f"'{name}' is taxonomic: {'; '.join(report.reasons)} ({figures(report)})")
        if report.verdict == "weak":
            warnings.append(f"'{name}' has a weak order: {'; '.join(report.reasons)}.")
    why = "; ".join(objections)
    if objections and not yes:
        raise CorpusError(
            f"A model of the next chunk learns from order, and {why}",
            "texts in their order",
            "Add --yes to train on it all the same.",
        )
    return warnings + ([f"Trained although {why}."] if objections else [])


def figures(report: OrderReport) -> str:
    """Return the cosines that the verdict rests on, in words."""
    values = {"next": report.to_next, "second next": report.to_second, "random": report.to_random}
    cosines = ", ".join(f"{name} {value:.3f}" for name, value in values.items() if math.isfinite(value))
    return f"cosine to the {cosines}; {report.words_per_chunk:.1f} words a chunk; converging {report.converging:+.3f}"
