"""`chains`: make concept chains of WordNet, read chains into a corpus, train on them from end to end."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvm_core.errors import SettingsError
from lvm_core.progress import ProgressLine
from lvm_core.workspace import Workspace, write_text

if TYPE_CHECKING:
    from lvm_core.dataset import Corpora

HELD_OUT = 0.15
"""Share of the chains that validate, and again that test: 70/15/15."""

CONTEXT = 5
BEST, BUILT_IN = "all-mpnet-base-v2+tmd", "all-MiniLM-L6-v2+tmd"
BASELINES = ("copy-last", "corpus-mean", "context-mean", "weighted-mean", "linear-filter")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their flags."""
    parser.add_argument(
        "action", choices=tuple(ACTIONS), help="make: write chains of WordNet to a file; import: read a file of chains"
        " into a corpus; train: make, import, encode, train and test in one go",
    )  # fmt: skip
    parser.add_argument("file", type=Path, nargs="?", help="JSONL, an object with a list 'concepts' a line")
    parser.add_argument("--file", type=Path, dest="given", help="the same, as a flag")
    parser.add_argument("--wordnet", help="folder of a WordNet 3.x, with data.noun [where Debian puts it]")
    parser.add_argument("--n", type=int, default=2000, help="make, train: how many chains [2000]")
    parser.add_argument("--seed", type=int, default=0, help="which chains, and which weights a net begins with [0]")
    parser.add_argument("--corpus", help="import: name of the corpus to make; train: the same [wordnet]")
    parser.add_argument("--replace", action="store_true", help="import, train: replace a corpus of that name")
    parser.add_argument("--encoder", help="train: encoder of the concepts; +tmd behind a name adds the 16 dimensions of"
                        f" domain, task and modifier [{BEST} where it is installed, else {BUILT_IN}]")  # fmt: skip
    parser.add_argument("--model", default="latent-mamba", help="train: the net [latent-mamba]")
    parser.add_argument("--epochs", type=int, default=20, help="train: passes over the training chains [20]")
    parser.add_argument("--plain", action="store_true", help="train: the net alone, not on top of the linear filter")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="train: an option of the net"
    )


def run(namespace: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    """Do the action and return its report."""
    namespace.file = namespace.given or namespace.file
    problems = []
    if namespace.action != "train" and not namespace.file:
        problems.append(f"chains {namespace.action} needs a file: chains {namespace.action} FILE.")
    if namespace.action == "import" and not namespace.corpus:
        problems.append("chains import needs --corpus NAME as well as the file.")
    if not 1 <= namespace.n <= 1_000_000:
        problems.append(f"--n is {namespace.n}; expected 1 to 1000000 chains.")
    if problems:
        raise SettingsError(problems)
    return {"action": namespace.action, **ACTIONS[namespace.action](namespace, workspace)}


def _make(namespace: argparse.Namespace, _: Workspace) -> dict[str, Any]:
    return _made(namespace, namespace.file)


def _made(namespace: argparse.Namespace, path: Path) -> dict[str, Any]:
    from lvm_core.exchange.chains import chains_jsonl, wordnet_chains

    chains = wordnet_chains(namespace.wordnet, namespace.n, namespace.seed)
    write_text(path, chains_jsonl(chains))
    return {"path": str(path), "n_chains": len(chains), "n_concepts": sum(map(len, chains)), "example": chains[0]}


def _import(namespace: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    from lvm_core.exchange.files import import_chains

    return import_chains(workspace, namespace.file, namespace.corpus, namespace.replace)


def _train(namespace: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    from lvm_core.dataset import open_corpora
    from lvm_core.dataset.order_notes import figures, order_of
    from lvm_core.encoders import load_encoder
    from lvm_core.spaces import first_installed
    from lvm_core.vectors.encode import encode_corpus

    began, progress = time.monotonic(), ProgressLine()
    encoder = load_encoder(namespace.encoder or first_installed((BEST, BUILT_IN)))
    corpus = _corpus(namespace, workspace)
    encode_corpus(workspace, corpus, encoder, progress)
    order = order_of(workspace, corpus, encoder.id)
    result = _trained(namespace, workspace, corpus, encoder.id)
    corpora = open_corpora(workspace, [corpus], encoder.id, held_out=HELD_OUT)
    scores, n_unseen = _scores(workspace, corpus, corpora, result["run"], namespace.model)
    return {
        "corpus": corpus, "encoder": encoder.id, "dim": encoder.dim, "verdict": order.verdict, "order": figures(order),
        "n_chains": {split: len(chains) for split, chains in corpora.splits.items()}, "run": result["run"],
        "n_parameters": result["n_parameters"], "epochs": result.get("epochs"), "scores": scores,
        "n_unseen": n_unseen, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _corpus(namespace: argparse.Namespace, workspace: Workspace) -> str:
    """Return the corpus to train on: the one there is, or one made now."""
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.exchange.files import import_chains

    name: str = namespace.corpus or "wordnet"
    there = any(info.name == name for info in CorpusStore(workspace).corpora())
    if there and not namespace.file and not namespace.replace:
        return name
    path = namespace.file
    if path is None:
        path = workspace.upload(f"wordnet-{namespace.n}-{namespace.seed}.jsonl")
        _made(namespace, path)
    import_chains(workspace, path, name, namespace.replace)
    return name


def _trained(namespace: argparse.Namespace, workspace: Workspace, corpus: str, encoder_id: str) -> dict[str, Any]:
    """Train the net on whole chains; yes is said here to data that is a tree, since that is what was asked for."""
    from lvm_core.config import check, named_values
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.dataset import split_documents
    from lvm_core.train import TrainConfig, train

    documents = CorpusStore(workspace).documents(corpus)
    longest = max(d.n_chunks for d in documents)
    validation = max((d.n_chunks for d in split_documents(documents, 0, HELD_OUT)["validation"]), default=longest)
    config = TrainConfig(
        model=namespace.model, corpus=corpus, encoder=encoder_id, context=max(1, min(CONTEXT, validation - 1)),
        segment=longest - 1, residual=not namespace.plain, epochs=namespace.epochs, seed=namespace.seed,
        held_out=HELD_OUT, yes=True, options=named_values(namespace.option),
    )  # fmt: skip
    return train(workspace, check(config), progress=ProgressLine())


def _scores(
    workspace: Workspace, corpus: str, corpora: "Corpora", run_id: str, net: str
) -> tuple[dict[str, dict[str, Any]], int]:
    """Return the scores of the net and the baselines by split, and how many test steps no training chain makes."""
    from dataclasses import asdict

    from lvm_core.baselines import BASELINES as KINDS
    from lvm_core.baselines import build_baseline
    from lvm_core.checkpoint import load_model
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.evaluate.chains import score_chains, unseen_rows

    train, test = corpora.splits["train"], corpora.splits["test"]
    unseen = unseen_rows(CorpusStore(workspace).texts(corpus), train, test)
    models: dict[str, Any] = {net: load_model(workspace, run_id, corpora.encoder_id).model}
    for name in BASELINES:
        options = {"context": CONTEXT} if KINDS[name].Options is not None else {}
        models[name] = build_baseline(name, corpora.dim, **options)
        if models[name].needs_fit:
            models[name].fit(corpora.vectors, train)
    found: dict[str, dict[str, Any]] = {}
    for name, model in models.items():
        found[name] = {s: asdict(score_chains(model, corpora.vectors, d)) for s, d in corpora.splits.items()}
        found[name]["unseen"] = asdict(score_chains(model, corpora.vectors, test, unseen))
    return found, len(unseen)


ACTIONS = {"make": _make, "import": _import, "train": _train}


def report(result: dict[str, Any]) -> str:
    """Return the report for people."""
    if result["action"] == "make":
        return (f"{result['path']}: {result['n_chains']:,} chains, {result['n_concepts']:,} concepts, such as"
                f" {' -> '.join(result['example'])}")  # fmt: skip
    if result["action"] == "import":
        lines = [f"Corpus '{result['corpus']}': {result['n_chains']:,} chains, {result['n_concepts']:,} concepts"]
        return "\n".join(lines + [f"left out: {count:,} {reason}" for reason, count in result["skipped"].items()])
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
