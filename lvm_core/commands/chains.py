"""`chains`: make concept chains of WordNet, read chains into a corpus, train on them from end to end."""

import argparse
from pathlib import Path

from lvm_core import config
from lvm_core.boundary.files import new_file
from lvm_core.errors import SettingsError
from lvm_core.json_shapes import Json
from lvm_core.progress import ProgressLine
from lvm_core.wording import counted
from lvm_core.workspace import Workspace

ACTIONS = ("make", "import", "train")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their flags."""
    from lvm_core.study.chain_settings import ChainSettings

    parser.add_argument(
        "action", choices=ACTIONS, help="make: write chains of WordNet to a file; import: read a file of chains"
        " into a corpus; train: make, import, encode, train and test in one go",
    )  # fmt: skip
    parser.add_argument("file", type=Path, nargs="?", help="JSONL, an object with a list 'concepts' a line")
    parser.add_argument("--file", type=Path, dest="given", help="the same, as a flag")
    parser.add_argument("--wordnet", help="folder of a WordNet 3.x, with data.noun [where Debian puts it]")
    parser.add_argument("--force", action="store_true", help="make: overwrite the file where it exists")
    parser.add_argument("--corpus", help="import: name of the corpus to make; train: the same [wordnet]")
    parser.add_argument("--replace", action="store_true", help="import, train: replace a corpus of that name")
    config.add_arguments(parser, ChainSettings)


def run(namespace: argparse.Namespace, workspace: Workspace) -> Json:
    """Do the action and return its report."""
    from lvm_core.exchange.files import import_chains
    from lvm_core.study.chain_settings import ChainSettings
    from lvm_core.study.chain_training import make_chains, train_on_chains

    action, file, corpus = namespace.action, namespace.given or namespace.file, namespace.corpus
    problems = []
    if action != "train" and not file:
        problems.append(f"chains {action} was given no file; expected chains {action} FILE.")
    if action == "import" and not corpus:
        problems.append("chains import was given no corpus; expected --corpus NAME as well as the file.")
    if problems:
        raise SettingsError(problems)
    settings = config.from_namespace(ChainSettings, namespace)
    if action == "make":
        file = new_file(file, namespace.force, "The file of chains")
        return {"action": action, **make_chains(file, settings, namespace.wordnet)}
    if action == "import":
        return {"action": action, **import_chains(workspace, file, corpus, namespace.replace)}
    return {
        "action": action,
        **train_on_chains(
            workspace, settings, corpus or "wordnet", file, namespace.replace, namespace.wordnet, ProgressLine()
        ),
    }


def report(result: Json) -> str:
    """Return the report for people."""
    if result["action"] == "make":
        return (f"{result['path']}: {result['n_chains']:,} chains, {result['n_concepts']:,} concepts, such as"
                f" {' -> '.join(result['example'])}")  # fmt: skip
    if result["action"] == "import":
        lines = [f"Corpus '{result['corpus']}': {result['n_chains']:,} chains, {result['n_concepts']:,} concepts"]
        return "\n".join(lines + [f"left out: {counted(count, reason)}" for reason, count in result["skipped"].items()])
    sizes = result["n_chains"]
    first = next(iter(result["scores"].values()))
    lines = [
        f"{result['run']}: {result['n_parameters']:,} parameters, D = {result['dim']} ({result['encoder']}),"
        f" {result['seconds']:.0f} s in all",
        f"Corpus '{result['corpus']}': {sizes['train']:,} training, {sizes['validation']:,} validation and"
        f" {sizes['test']:,} test chains",
        f"It is {result['verdict']}: {result['order']}. chains train says yes to that; train asks.",
        f"Of {first['test']['n']:,} test steps {result['n_unseen']:,} are in no training chain (unseen).",
        "", f"{'MSE a dimension':<16}" + "".join(f"{split:>12}" for split in first),
    ]  # fmt: skip
    lines += [
        f"  {name:<14}" + "".join(f"{score['mse']:12.6f}" for score in scores.values())
        for name, scores in result["scores"].items()
    ]
    lines += ["", f"{'cosine':<16}" + "".join(f"{split:>12}" for split in first)]
    lines += [
        f"  {name:<14}" + "".join(f"{score['cosine']:12.4f}" for score in scores.values())
        for name, scores in result["scores"].items()
    ]
    limit = 2 / result["dim"]
    return "\n".join([*lines, "", f"Unrelated unit vectors have an MSE of {limit:.6f} a dimension: compare the rows."])
