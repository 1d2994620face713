"""One run from settings to result: opens the corpora, fits what is fitted, trains, and writes the folder."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lvm_core import __version__
from lvm_core.baselines import BASELINES, build_baseline
from lvm_core.baselines.base import Baseline, RowSource
from lvm_core.checkpoint import CARD, CONFIG, RESULT, STATE, save_model, save_titles
from lvm_core.config import check, from_dict
from lvm_core.dataset import Corpora, TrainingSet, open_corpora
from lvm_core.device import describe_device, pick_device
from lvm_core.errors import CorpusError, ModelError, SettingsError
from lvm_core.nets import MODELS, build_model
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.build import from_config
from lvm_core.train.card import card
from lvm_core.train.config import TrainConfig, command_line
from lvm_core.train.loop import Trainer
from lvm_core.train.validate import Validator
from lvm_core.types import DocumentInfo, Progress, no_progress
from lvm_core.workspace import Workspace, read_json, write_json, write_text

FIT_ROWS = 300_000
"""Chunks that a closed form is fitted to at most: more change nothing that can be measured."""


def train_run(
    workspace: Workspace,
    config: TrainConfig | None,
    run: str | None,
    resume: bool,
    progress: Progress,
    stop_after: int | None,
) -> dict[str, Any]:
    """See `lvm_core.train.train`."""
    stored: dict[str, Any] = {}
    if resume:
        if not run:
            raise SettingsError(["--resume needs the name of a run: add --run NAME."])
        stored = _stored(workspace, run)
        config = from_dict(TrainConfig, stored["train"])
    if config is None:
        raise SettingsError(["There is nothing to train: give the settings, or a run to resume."])
    check(config)
    device = pick_device(config.device)
    run = run or new_run(workspace, config.model)
    folder = workspace.run(run)
    if not resume and (folder / CONFIG).exists():
        raise ModelError(f"The run '{run}' exists already. Choose another name, or continue it with --resume.")
    encoder_id = stored.get("encoder_id") or choose_encoder(workspace, config)
    corpora = open_corpora(workspace, config.corpora, encoder_id, config.split_seed)
    _check_corpora(config, corpora, stored)
    with torch.random.fork_rng(enabled=True):
        torch.manual_seed(config.seed)
        job = Job(workspace, config, run, folder, corpora, device, progress)
        if config.model in BASELINES:
            return job.fit_baseline()
        return job.train_net(stored, stop_after)


def _stored(workspace: Workspace, run: str) -> dict[str, Any]:
    path = workspace.run(run) / CONFIG
    if not path.exists():
        raise ModelError(f"There is no run '{run}' to resume in {workspace.runs}.")
    stored: dict[str, Any] = read_json(path)
    if "train" not in stored:
        raise ModelError(f"The run '{run}' was not made by a training and cannot be resumed.")
    return stored


def new_run(workspace: Workspace, model: str) -> str:
    """Return a name that no run has yet, such as amn-20261121-101500."""
    stem = f"{model}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not workspace.run(name).exists())


def choose_encoder(workspace: Workspace, config: TrainConfig) -> str:
    """Return the id of the encoder to train in the space of.

    Raises:
        CorpusError: if the corpora share no encoder, or not the one asked for.
        SettingsError: if they share several and none was named.
    """
    from lvm_core.corpus.store import CorpusStore
    from lvm_core.encoders import DEFAULT_ENCODER
    from lvm_core.vectors.matrix import encoded_with

    if not config.corpora:
        raise SettingsError(["corpus is empty; expected the name of at least one corpus."])
    store = CorpusStore(workspace)
    have = [set(encoded_with(workspace, store.corpus(name).name)) for name in config.corpora]
    shared = sorted(set.intersection(*have))
    wanted = [i for i in shared if config.encoder in (i, i.split("@")[0])] if config.encoder else shared
    if len(wanted) > 1:
        wanted = [i for i in wanted if i.startswith(f"{DEFAULT_ENCODER}@")] or wanted
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        raise SettingsError([f"The corpora are encoded with {', '.join(wanted)}: choose one with --encoder."])
    missing = [name for name, ids in zip(config.corpora, have, strict=True) if not ids] or config.corpora
    asked = f" with '{config.encoder}'" if config.encoder else ""
    raise CorpusError(
        f"{', '.join(missing)}: not encoded{asked} (encoders there: {', '.join(shared) or 'none'})."
        f" Run: python -m lvm_core encode --corpus {missing[0]}"
    )


def _check_corpora(config: TrainConfig, corpora: Corpora, stored: dict[str, Any]) -> None:
    longest = max(d.n_chunks for d in corpora.splits["train"])
    if config.context >= longest and config.model not in BASELINES:
        raise SettingsError(
            [
                f"context is {config.context} chunks, and the longest training article of {config.corpus} has {longest}"
                f" chunks, of which one is the target; expected at most {longest - 1}."
            ]
        )
    before = {c["name"]: c["digest"] for c in stored.get("corpora", [])}
    changed = [info.name for info in corpora.infos if before.get(info.name, info.digest) != info.digest]
    if changed:
        raise ModelError(
            f"The corpus {', '.join(changed)} has changed since this run began, so it cannot go on with the same"
            " articles. Start a new run with the same settings."
        )


class Job:
    """One training or fit, with everything it needs opened."""

    def __init__(
        self,
        workspace: Workspace,
        config: TrainConfig,
        run: str,
        folder: Path,
        corpora: Corpora,
        device: torch.device,
        progress: Progress,
    ) -> None:
        """Keep what the steps share."""
        self.workspace, self.config, self.run, self.folder = workspace, config, run, folder
        self.corpora, self.device, self.progress = corpora, device, progress
        self.validator = Validator(
            corpora.vectors, corpora.splits["validation"], config.context, config.validation_windows, device
        )

    def fit_baseline(self) -> dict[str, Any]:
        """Fit a baseline and write it as a run."""
        began = time.monotonic()
        model = self._fitted(self.config.model, self.config.options, self.config.context, self.progress)
        described = self._describe({})
        save_model(self.folder, model, described)
        save_titles(self.folder, [d.title for d in self.corpora.splits["train"]])
        result = {
            **self._result_base(model),
            "stopped": "finished",
            "train_s": time.monotonic() - began,
            "val_cosine": self.validator.cosine(model.to(self.device)),
            "baselines": {},
            "flags": [],
        }
        return self._finish(result)

    def train_net(self, stored: dict[str, Any], stop_after: int | None) -> dict[str, Any]:
        """Train a net, from the start or from its last checkpoint."""
        config, corpora = self.config, self.corpora
        if stored and not (self.folder / STATE).exists():
            stored = {}
        if stored:
            model, baselines = from_config(stored), stored["baselines"]
        else:
            model, baselines = self._new_net()
            save_titles(self.folder, [d.title for d in corpora.splits["train"]])
            described = self._describe(baselines) | model.config()
            write_json(self.folder / CONFIG, described | {"kind": "net", "n_parameters": model.n_parameters()})
        training = TrainingSet(
            corpora.vectors,
            corpora.splits["train"],
            segment_length(config, model),
            config.batch_size,
            config.seed,
            group=8 if config.loss == "contrastive" else 1,
            normalise=not corpora.unit_norm,
        )
        trainer = Trainer(
            config, model.to(self.device), training, self.validator, self.folder, self.device, baselines, self.progress
        )
        result = trainer.run(resume=bool(stored), stop_after=stop_after)
        return self._finish({**self._result_base(model), **result, "baselines": baselines})

    def _new_net(self) -> tuple[SequenceModel, dict[str, float]]:
        config = self.config
        if config.model not in MODELS:
            raise SettingsError([f"model is {config.model!r}; expected one of {', '.join([*MODELS, *BASELINES])}."])
        options = {**self._net_options(), **config.options}
        build_model(config.model, self.corpora.dim, **options)  # impossible sizes are refused before the long fits
        quiet = no_progress
        weighted = self._fitted("weighted-mean", {}, min(config.context, 5), quiet)
        filtered = self._fitted("linear-filter", {}, min(config.context, 100), self.progress)
        baselines = {
            "weighted-mean": self.validator.cosine(weighted.to(self.device)),
            "linear-filter": self.validator.cosine(filtered.to(self.device)),
        }
        torch.manual_seed(config.seed)
        return build_model(config.model, self.corpora.dim, filter=filtered, **options), baselines

    def _net_options(self) -> dict[str, Any]:
        found: dict[str, Any] = {"residual": self.config.residual}
        if MODELS[self.config.model].sliding:
            found["context"] = min(self.config.context, 100)
        return found

    def _fitted(self, name: str, options: dict[str, Any], context: int, progress: Progress) -> Baseline:
        has_context = BASELINES[name].Options is not None
        model = build_baseline(name, self.corpora.dim, **({"context": context, **options} if has_context else options))
        if model.needs_fit:
            source: RowSource = self.corpora.vectors
            model.fit(source, at_most(self.corpora.splits["train"], FIT_ROWS), progress)
        return model

    def _describe(self, baselines: dict[str, float]) -> dict[str, Any]:
        config, corpora = self.config, self.corpora
        return {
            "run": self.run,
            "context": config.context,
            "encoder_id": corpora.encoder_id,
            "mean_norm": corpora.mean_norm,
            "split_seed": config.split_seed,
            "corpora": [
                {"name": i.name, "digest": i.digest, "source": i.source, "licence": i.licence, "chunker": i.chunker,
                 "n_documents": i.n_documents, "n_chunks": i.n_chunks}
                for i in corpora.infos
            ],
            "n_articles": {split: len(documents) for split, documents in corpora.splits.items()},
            "n_left_out": corpora.n_left_out,
            "train": {f: getattr(config, f) for f in config.__dataclass_fields__},
            "baselines": baselines,
            "command": command_line(config),
            "code_version": __version__,
            "torch": torch.__version__,
            "hardware": describe_device(self.device),
            "created": time.time(),
        }  # fmt: skip

    def _result_base(self, model: SequenceModel) -> dict[str, Any]:
        train = self.corpora.splits["train"]
        return {
            "run": self.run,
            "model": self.config.model,
            "n_parameters": model.n_parameters(),
            "n_windows": int(np.sum([max(0, d.n_chunks - 1) for d in train])),
            "n_articles": len(train),
            "n_validation_windows": len(self.validator.windows),
            "n_validation_articles": self.validator.n_articles,
        }

    def _finish(self, result: dict[str, Any]) -> dict[str, Any]:
        write_json(self.folder / RESULT, result)
        write_text(self.folder / CARD, card(read_json(self.folder / CONFIG), result))
        return result


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
