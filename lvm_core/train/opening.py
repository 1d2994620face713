"""What is settled before a training starts: its name, its encoder, and whether the corpora will do."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from lvm_core.baselines import BASELINES
from lvm_core.boundary.json_values import from_json
from lvm_core.checkpoint import CONFIG, Described
from lvm_core.config import check, from_dict
from lvm_core.dataset import Corpora
from lvm_core.dataset.labelling import tmd_rows
from lvm_core.errors import ModelError, SettingsError
from lvm_core.json_shapes import RunConfig, Values
from lvm_core.locks import held
from lvm_core.nets import MODELS
from lvm_core.nets.base import SequenceModel
from lvm_core.train.config import TrainConfig
from lvm_core.types import DocumentInfo, Vectors
from lvm_core.workspace import Workspace, own_name, read_json

ROWS_AT_ONCE = 16_384

FIT_ROWS = 300_000
"""Chunks that a closed form is fitted to at most: more change nothing that can be measured."""


def settings(
    workspace: Workspace, config: TrainConfig | None, run: str | None, resume: bool
) -> tuple[TrainConfig, RunConfig]:
    """Return the settings to train with, and what is stored of the run to go on with, {} where it is a new one.

    Raises:
        SettingsError: if nothing was given, or what cannot be.
        ModelError: if there is no such run, or it cannot go on.
    """
    stored: RunConfig = {}
    if resume and not run:
        raise SettingsError(["--resume was given without a run; expected its name. Add --run NAME."])
    if resume and run and (config is None or workspace.run_config(run).exists()):
        stored = stored_config(workspace, run)
        config = from_dict(TrainConfig, stored["train"])
    if config is None:
        raise SettingsError(["Nothing was given to train; expected settings, or a run to resume."])
    return check(config), stored


@dataclass(frozen=True, slots=True)
class _Begun(Described):
    """What config.json must say of a run that is to go on."""

    train: Values | None = None
    baselines: dict[str, float] = field(default_factory=dict)


def stored_config(workspace: Workspace, run: str) -> RunConfig:
    """Return the config.json of a run that can be resumed.

    Raises:
        ModelError: if there is no such run, or its config.json is damaged.
    """
    path = workspace.run(run) / CONFIG
    if not path.exists():
        raise ModelError(
            f"There is no run '{run}' to resume",
            f"one in {workspace.runs}",
            "Name it with --run, or start one without --resume.",
        )
    stored: RunConfig = read_json(path)
    begun = from_json(_Begun, stored, str(path), "Restore it from a copy, or start a new run.", True, ModelError)
    if begun.train is None:
        raise ModelError(
            f"The run '{run}' cannot be resumed", "one that was made by a training", "Start a new one without --resume."
        )
    return stored


def new_run(workspace: Workspace, model: str) -> str:
    """Return a name that no run has yet, such as amn-20261121-101500."""
    stem = f"{model}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not workspace.run(name).exists())


@contextlib.contextmanager
def run_lock(workspace: Workspace, run: str) -> Iterator[None]:
    """Hold the right to train the run.

    Raises:
        SettingsError: if its folder would be called otherwise.
        ModelError: if another process trains it.
    """
    own_name(run, "--run")
    refusal = ModelError(
        f"Another process trains the run '{run}' right now",
        "one process at a time",
        "Wait until it is done, stop it, or choose another name with --run.",
    )
    with held(workspace.lock("run", run), refusal):
        yield


def check_corpora(config: TrainConfig, corpora: Corpora, stored: RunConfig) -> None:
    """Refuse corpora that are too short for the settings, hold no numbers, or changed since the run began.

    Raises:
        SettingsError: if no training article is longer than the context.
        ModelError: if a run is to go on and a corpus is no longer the one it began with, or vectors hold NaN.
    """
    longest = max(d.n_chunks for d in corpora.splits["train"])
    if config.context >= longest and config.model not in BASELINES:
        raise SettingsError(
            [
                f"context is {config.context} chunks, and the longest training article of {config.corpus} has {longest}"
                f" chunks, of which one is the target; expected at most {longest - 1}."
            ]
        )
    for start in range(0, corpora.n_rows, ROWS_AT_ONCE):
        block = corpora.vectors.slice(start, min(start + ROWS_AT_ONCE, corpora.n_rows))
        if not np.isfinite(block).all():
            raise ModelError(
                f"Some vectors of {config.corpus} hold NaN or infinite numbers",
                "finite ones, since nothing can be learned of others",
                "See which with: python -m lvm_core doctor; then delete that matrix and encode the corpus again.",
            )
    before = {c["name"]: c["digest"] for c in stored.get("corpora", [])}
    changed = [info.name for info in corpora.infos if before.get(info.name, info.digest) != info.digest]
    if changed:
        raise ModelError(
            f"The corpus {', '.join(changed)} has changed since this run began",
            "the same articles",
            "Start a new run with the same settings.",
        )


def net_options(config: TrainConfig) -> Values:
    """Return what the net is built with.

    Raises:
        SettingsError: if there is no such net, or it is to be told TMD codes and takes none.
    """
    if config.model not in MODELS:
        raise SettingsError([f"model is {config.model!r}; expected one of {', '.join([*MODELS, *BASELINES])}."])
    options: Values = {"residual": config.residual}
    if MODELS[config.model].sliding:
        options["context"] = max(1, min(config.context, 100))
    if config.tmd:
        takers = [name for name, cls in MODELS.items() if "tmd" in getattr(cls.Options, "__dataclass_fields__", {})]
        if config.model not in takers:
            raise SettingsError(
                [f"tmd is on, and {config.model} takes no TMD code; expected one of {', '.join(takers)}, or --no-tmd."]
            )
        options["tmd"] = True
    return options | config.options


def codes_to_tell(workspace: Workspace, config: TrainConfig) -> Vectors | None:
    """Return the TMD vectors (n_rows, 16) that the net is told, None where it is told nothing.

    Raises:
        SettingsError: if it takes none.
        CorpusError: if a corpus is not labelled.
    """
    if not (config.tmd or config.options.get("tmd")):
        return None
    net_options(config)
    return tmd_rows(workspace, config.corpora)


def segment_length(config: TrainConfig, model: SequenceModel) -> int:
    """Return how many chunks are predicted in one stretch.

    A net that slides over the text sees whole contexts nearly everywhere in a long stretch; one whose state begins
    with the stretch is trained on the lengths it will be asked for.
    """
    if config.segment:
        return config.segment
    return max(32, 4 * config.context) if model.sliding else config.context


def at_most(documents: Sequence[DocumentInfo], n_rows: int) -> list[DocumentInfo]:
    """Return `documents`, thinned evenly to about `n_rows` chunks where they have more."""
    total = sum(d.n_chunks for d in documents)
    step = max(1, -(-total // n_rows))
    return list(documents[::step])


def words(given: object) -> list[str]:
    """Return the names in an option that lists some."""
    return [word.strip() for word in str(given).strip("()[]").split(",") if word.strip()]
