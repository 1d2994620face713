"""`npz`: read, write, check and convert NPZ files of vectors and sequences."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from lvm_core.boundary.files import new_file
from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.wording import counted
from lvm_core.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their flags."""
    parser.add_argument(
        "action", choices=tuple(ACTIONS), help="import a file into a corpus with its vectors; export a corpus; check a"
        " file for what is wrong; convert a file with pickled objects into plain arrays",
    )  # fmt: skip
    parser.add_argument("file", type=Path, help="the NPZ file")
    parser.add_argument("target", type=Path, nargs="?", help="convert: the new file")
    parser.add_argument("--force", action="store_true", help="export, convert: overwrite a file that exists")
    parser.add_argument("--corpus", help="import: name of the corpus to make; export: corpus to write")
    parser.add_argument("--encoder", default="", help="import: encoder that made the vectors, checked where it is"
                        " installed; export: which of the corpus's vectors [the newest]")  # fmt: skip
    parser.add_argument("--replace", action="store_true", help="import: replace a corpus of that name")
    parser.add_argument("--layout", default="vectors", help="export: vectors, sequences or splits [vectors]")
    parser.add_argument("--context", type=int, default=5, help="export: chunks in a window [5]")
    parser.add_argument("--trust-pickle", action="store_true", help="convert: yes, run what the pickles in it hold")


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Do the action and return its report."""
    missing = {"import": "corpus", "export": "corpus", "convert": "target"}.get(namespace.action)
    if missing and not getattr(namespace, missing):
        name = "a target file" if missing == "target" else "--corpus NAME"
        raise SettingsError([f"npz {namespace.action} was given the file alone; expected {name} as well."])
    return {"action": namespace.action, **ACTIONS[namespace.action](namespace, workspace)}


def _import(namespace: argparse.Namespace, workspace: Workspace) -> Mapping[str, object]:
    from lvm_core.exchange.files import import_npz

    return import_npz(workspace, namespace.file, namespace.corpus, namespace.encoder, namespace.replace, ProgressLine())


def _export(namespace: argparse.Namespace, workspace: Workspace) -> Mapping[str, object]:
    from lvm_core.exchange.files import export_npz
    from lvm_core.spaces import space_of_corpus

    space = space_of_corpus(workspace, namespace.corpus, namespace.encoder)
    path = new_file(namespace.file, namespace.force, "The NPZ file")
    layout, context = namespace.layout, namespace.context
    return export_npz(workspace, path, namespace.corpus, space, layout, context, force=namespace.force)


def _check(namespace: argparse.Namespace, _: Workspace) -> Mapping[str, object]:
    from lvm_core.exchange.npz.check import check_npz

    return {"findings": [{"level": level, "text": text} for level, text in check_npz(namespace.file)]}


def _convert(namespace: argparse.Namespace, _: Workspace) -> Mapping[str, object]:
    from lvm_core.exchange.npz.convert import convert_objects

    target = new_file(namespace.target, namespace.force, "The new NPZ file")
    changed = convert_objects(namespace.file, target, namespace.trust_pickle)
    return {"path": str(target), "changed": changed}


ACTIONS = {"import": _import, "export": _export, "check": _check, "convert": _convert}


def report(result: Json) -> str:
    """Return the report for people."""
    if result["action"] == "check":
        return "\n".join(f"{f['level']}: {f['text']}" for f in result["findings"])
    if result["action"] == "convert":
        changed = ", ".join(f"{key} ({how})" for key, how in result["changed"].items()) or "nothing had to change"
        return f"{result['path']}: {changed}"
    if result["action"] == "export":
        return f"{result['path']}: layout {result['layout']}, {result['n']:,} rows of {result['encoder']}"
    lines = [
        f"Corpus '{result['corpus']}': {result['n_chunks']:,} chunks x {result['dim']} in {result['n_articles']:,}"
        f" articles, from layout '{result['layout']}'" + ("" if result["ordered"] else "; unordered"),
        f"encoder {result['encoder']}. {result['about_encoder']}",
    ]
    lines += [f"note: {note}" for note in result["notes"]]
    return "\n".join(lines + [f"left out: {counted(count, reason)}" for reason, count in result["skipped"].items()])
