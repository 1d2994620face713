"""Ordered concept chains: WordNet's hypernym paths, and chains as JSONL.

A chain goes from the specific to the general: ormer -> abalone -> gastropod -> mollusk -> invertebrate.
Such chains are taxonomic, not sequential: `coherence` says so, and training on them asks for a yes.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from lvm_core.boundary.files import quoted
from lvm_core.boundary.json_values import parse_json
from lvm_core.boundary.values import one_line
from lvm_core.corpus.sources.compressed import reading
from lvm_core.errors import SourceError

WORDNET_FOLDERS = ("/usr/share/wordnet", "/usr/local/share/wordnet", "/opt/homebrew/share/wordnet/dict")
MIN_LENGTH, MAX_LENGTH = 4, 12
MOST_LINE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Chains:
    """Chains that can be used, and what was left out and why (reason to count)."""

    chains: list[list[str]]
    skipped: dict[str, int]


def wordnet_folder(folder: str | Path | None = None) -> Path:
    """Return the folder that holds WordNet's `data.noun`.

    Raises:
        SourceError: if there is none, with the command that installs it.
    """
    for candidate in [folder] if folder else WORDNET_FOLDERS:
        if candidate and (Path(candidate) / "data.noun").is_file():
            return Path(candidate)
    raise SourceError(
        f"There is no WordNet database at {folder or ', '.join(WORDNET_FOLDERS)}",
        "a folder with data.noun",
        "Install Debian's package wordnet-base, or give the folder of an unpacked WordNet 3.x with --wordnet.",
    )


def _synsets(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (offset, first lemma, offsets of hypernyms) of each line of a data file (format: wndb(5WN))."""
    with path.open(encoding="latin-1") as file:
        for line in file:
            if line.startswith("  "):  # the licence at the top
                continue
            fields = line.split("|", 1)[0].split()
            n_words = int(fields[3], 16)
            n_pointers = int(fields[4 + 2 * n_words])
            pointers = fields[5 + 2 * n_words : 5 + 2 * n_words + 4 * n_pointers]
            hypernyms = [pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")]
            yield fields[0], fields[4].replace("_", " "), hypernyms


def wordnet_chains(folder: str | Path | None = None, n_chains: int = 2000, seed: int = 0) -> list[list[str]]:
    """Return `n_chains` hypernym paths of 4 to 12 concepts, each from a different leaf, drawn at random.

    Raises:
        SourceError: if the database is missing or damaged.
    """
    path = wordnet_folder(folder) / "data.noun"
    try:
        table = {offset: (lemma, hypernyms) for offset, lemma, hypernyms in _synsets(path)}
    except (IndexError, ValueError) as error:
        raise SourceError(
            f"{path} is not a WordNet data file ({error})",
            "the data.noun of WordNet 3.x",
            "Install wordnet-base again.",
        ) from error
    parents = {parent for _, hypernyms in table.values() for parent in hypernyms}
    leaves = sorted(set(table) - parents)
    random.Random(seed).shuffle(leaves)
    chains: list[list[str]] = []
    for leaf in leaves:
        chain = _climb(table, leaf)
        if len(chain) >= MIN_LENGTH:
            chains.append(chain)
        if len(chains) == n_chains:
            break
    return chains


def _climb(table: dict[str, tuple[str, list[str]]], leaf: str) -> list[str]:
    chain: list[str] = []
    offset: str | None = leaf
    while offset in table and len(chain) < MAX_LENGTH:
        lemma, hypernyms = table[offset]
        if lemma not in chain:
            chain.append(lemma)
        offset = hypernyms[0] if hypernyms else None
    return chain


def read_chains(path: Path, vocabulary: Sequence[str] | None = None) -> Chains:
    """Return the chains of a JSONL file, one object with a list `concepts` a line, packed by gzip or bzip2 or not.

    Args:
        path: the file.
        vocabulary: concepts that have a vector; others are left out of their chain and counted by name.

    Raises:
        SourceError: if the file cannot be read, a line is not such an object, or no chain of 2 concepts is left.
    """
    usable_concepts = set(vocabulary) if vocabulary is not None else None
    chains: list[list[str]] = []
    skipped: dict[str, int] = {}
    for number, concepts in _concept_lists(path):
        usable = []
        for concept in concepts:
            if usable_concepts is not None and concept not in usable_concepts:
                skipped[f"unknown concept {concept!r}"] = skipped.get(f"unknown concept {concept!r}", 0) + 1
            else:
                usable.append(concept)
        if len(usable) < 2:
            reason = f"chain of fewer than 2 concepts, first at line {number}"
            earlier = next((r for r in skipped if r.startswith("chain of fewer")), reason)
            skipped[earlier] = skipped.get(earlier, 0) + 1
            continue
        chains.append(usable)
    if not chains:
        raise SourceError(
            f"{path} holds no chain of at least 2 known concepts",
            'lines such as {"concepts": ["ormer", "abalone", "gastropod"]}',
            "Write it so.",
        )
    return Chains(chains, skipped)


def _concept_lists(path: Path) -> Iterator[tuple[int, list[str]]]:
    with reading(path) as opened:
        for number in count(1):
            line = opened.stream.readline(MOST_LINE_BYTES + 1)
            if not line:
                return
            if len(line) > MOST_LINE_BYTES:
                raise SourceError(
                    f"{path}, line {number} is longer than {MOST_LINE_BYTES:,} bytes",
                    "one chain a line",
                    "Put each chain on a line of its own.",
                )
            if line.strip():
                yield number, _concepts(f"{path}, line {number}", line)


def _concepts(where: str, line: bytes) -> list[str]:
    try:
        text = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{where} is not UTF-8 text: {error}", "text in UTF-8", "Convert it with iconv and try again."
        ) from error
    try:
        value = parse_json(text, where, remedy="Write one chain a line.")
    except SourceError as error:
        given, _, remedy = error.parts
        expected = "an object with a list 'concepts'"
        raise SourceError(f"{given} ({quoted(text)})", expected, remedy) from error
    if not isinstance(value, dict) or "concepts" not in value:
        raise SourceError(
            f"{where}: {quoted(text)}", "an object with a list 'concepts'", "Mend the line, or take it out."
        )
    concepts = value["concepts"]
    if not isinstance(concepts, list) or not all(isinstance(c, str) and one_line(c) for c in concepts):
        raise SourceError(
            f"{where}: {quoted(text)}", "a list of texts under 'concepts'", "Mend the line, or take it out."
        )
    return [one_line(c) for c in concepts]


def chains_jsonl(chains: Sequence[Sequence[str]]) -> str:
    """Return `chains` as JSONL."""
    return "".join(json.dumps({"concepts": list(chain)}, ensure_ascii=False) + "\n" for chain in chains)
