"""`doctor`: check the workspace, a corpus or a file, and say what to mend."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from lvm_core.errors import WorkspaceError
from lvm_core.json_shapes import Json
from lvm_core.workspace import Workspace

Finding = tuple[str, str]
"""Level ("ok", "warning", "error") and a sentence."""

SERVE = "Other programs can ask it too, once it serves: python -m lvm_core serve"
ANSWER_S = 5.0
"""The longest silence of a service that is asked whether it is there."""

JOB = None
"""It answers at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("file", type=Path, nargs="?", help="an NPZ file to check instead of the workspace")
    parser.add_argument("--corpus", help="check one corpus closely: its vectors, its order, its repeats")
    parser.add_argument(
        "--remove-left-over", action="store_true", help="remove the temporary files that killed processes left"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before removing them")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Check what was asked for and return the findings."""
    from lvm_core.checkup import check_workspace

    details: Json = {}
    if namespace.file:
        from lvm_core.exchange.npz.check import check_npz

        findings = list(check_npz(namespace.file))
    elif namespace.corpus:
        findings, details = _corpus(workspace, namespace.corpus)
    elif getattr(namespace, "remove_left_over", False):
        findings = list(_removed(workspace, namespace.yes))
    else:
        findings = [(finding.level, finding.text) for finding in check_workspace(workspace)]
        findings.append(_service())
    return {"findings": [{"level": level, "text": text} for level, text in findings], **details}


def _service() -> Finding:
    """Return who answers Predict, and how others can ask this machine."""
    from lvm_core.boundary.values import from_environment
    from lvm_core.errors import LvmError
    from lvm_core.library import Studio

    address = from_environment("LVM_SERVICE_URL", "")
    if not address:
        return "ok", f"Predict is answered by this machine. {SERVE}"
    try:
        studio = Studio(address, key=os.environ.get("LVM_SERVICE_KEY", ""), timeout_s=ANSWER_S)
        space = studio.space()
    except LvmError as error:
        return "error", str(error)
    n_models = len(space.models)
    return "ok", f"Predict is answered by {studio.place}: encoder {space.encoder}, {n_models} models."


def _removed(workspace: Workspace, without_asking: bool) -> Iterator[Finding]:
    from lvm_core.checkup import remove_left_over

    files = workspace.left_over()
    if files and not without_asking:
        try:
            answer = input("\n".join([*map(str, files), f"Remove these {len(files):,} files? [y/N] "]))
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise WorkspaceError("The left-over files were kept", "a yes to remove them", "Answer y, or give --yes.")
    for path in remove_left_over(workspace):
        yield "ok", f"Removed {path}."
    if not files:
        yield "ok", "There are no left-over files."


def _corpus(workspace: Workspace, name: str) -> tuple[list[Finding], Json]:
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.corpus.timings import metrics, sentence
    from lvm_core.dataset.order_notes import order_of
    from lvm_core.spaces import space_of_corpus

    store = CorpusStore(workspace)
    info = store.corpus(name)
    order = order_of(workspace, name, space_of_corpus(workspace, name, None))
    level = "ok" if order.verdict == "sequential" else "warning"
    findings = [
        (level, f"Corpus '{name}' is {order.verdict}: {'; '.join(order.reasons)}."),
        ("ok", f"Cosine to the next chunk {order.to_next:.3f}, to the second next {order.to_second:.3f}, to a random"
         f" one of the article {order.to_random:.3f}."),
        ("ok", f"Order signal {order.order_signal:+.3f} ± {order.order_error:.3f} (standard error over articles);"
         f" next against previous {order.next_against_previous:.2f}; converging {order.converging:+.3f}."),
        ("ok", f"{order.chunks_per_article:.1f} chunks an article, {order.words_per_chunk:.1f} words a chunk."),
        ("warning" if order.duplicates else "ok", f"{order.duplicates:,} chunks repeat another word for word."),
        ("warning" if order.boundary_leaks else "ok", f"{order.boundary_leaks:,} articles start as the last ended."),
    ]  # fmt: skip
    pipeline = metrics(workspace, name)
    if pipeline["stages"]:
        findings.append(("ok", f"Its making took: {sentence(pipeline)}."))
    if not info.ordered:
        findings.append(("warning", "The source gave no order: models must not be trained on it as if it had one."))
    return findings, {"order": order.to_json(), "pipeline": pipeline}


def report(result: Json) -> str:
    """Return the report for people."""
    return "\n".join(f"{finding['level']:8} {finding['text']}" for finding in result["findings"])
