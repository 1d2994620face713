"""One run from settings to result: opens the corpora, fits what is fitted, trains, and writes the folder."""

import contextlib
import dataclasses
import itertools
import time
from pathlib import Path

import numpy as np
import torch

from lvm_core.baselines import BASELINES, build_baseline
from lvm_core.baselines.base import Baseline
from lvm_core.checkpoint import (
    CONFIG,
    RESULT,
    STATE,
    WEIGHTS,
    find_model,
    load_model,
    net_described_in,
    save_joined,
    save_model,
    weights_file_digest,
)
from lvm_core.config import from_dict, typed
from lvm_core.dataset import Corpora, TrainingSet, at_most_windows, open_corpora
from lvm_core.dataset.order_notes import ask_about_order
from lvm_core.device import describe_device, pick_device
from lvm_core.errors import ModelError, SettingsError
from lvm_core.json_shapes import Member, NetConfig, RunConfig, RunResult, Values
from lvm_core.model_weights import load_weights, save_weights
from lvm_core.nets import build_model
from lvm_core.nets.base import SequenceModel
from lvm_core.nets.build import from_config
from lvm_core.nets.ensemble import Ensemble
from lvm_core.nets.joined import JOINED
from lvm_core.nets.residual_memory import ResidualMemory, ResidualMemoryOptions
from lvm_core.spaces import space_to_train_in
from lvm_core.train import opening
from lvm_core.train.card import write_card
from lvm_core.train.config import TrainConfig, arguments
from lvm_core.train.loop import FINISHING, PREPARED, Trainer
from lvm_core.train.memory import fill_memory, fit_shares
from lvm_core.train.query import fit_query
from lvm_core.train.samples import sampling
from lvm_core.train.schedule import ending, part_of
from lvm_core.train.together import ALONE, Alone
from lvm_core.train.validate import Validator
from lvm_core.training_titles import save_titles, training_titles
from lvm_core.types import Progress, no_progress
from lvm_core.version import __version__
from lvm_core.workspace import Workspace, read_json, write_json

PREPARED_BY = 256
"""Batches that a net looks at before the first step, at most."""


def train_run(
    workspace: Workspace,
    config: TrainConfig | None,
    run: str | None,
    resume: bool,
    progress: Progress,
    stop_after: int | None,
    group: Alone = ALONE,
) -> RunResult:
    """See `lvm_core.train.train`; the processes of a `group` are given the same, with a name for the run."""
    config, stored = opening.settings(workspace, config, run, resume)
    device = pick_device(config.device)
    run = run or opening.new_run(workspace, config.model)
    with opening.run_lock(workspace, run) if group.leads else contextlib.nullcontext():
        folder = workspace.run(run)
        if not stored and group.leads and (folder / CONFIG).exists():
            remedy = "Choose another name, or continue it with --resume."
            raise ModelError(f"The run '{run}' exists already", "a name that no run has", remedy)
        encoder_id = stored.get("encoder_id") or space_to_train_in(workspace, config.corpora, config.encoder)
        notes = [] if stored else ask_about_order(workspace, config.corpora, encoder_id, config.yes)
        for note in notes:
            progress(0.0, f"warning: {note}")
        corpora = open_corpora(workspace, config.corpora, encoder_id, config.split_seed, config.held_out)
        chosen = at_most_windows(corpora.splits["train"], config.windows, config.split_seed)
        corpora = dataclasses.replace(corpora, splits={**corpora.splits, "train": chosen})
        opening.check_corpora(config, corpora, stored)
        with torch.random.fork_rng(enabled=True):
            torch.manual_seed(config.seed)
            training = Training(workspace, config, run, folder, corpora, device, progress, notes, group)
            if config.model in JOINED:
                return training.join_members()
            if config.model in BASELINES:
                return training.fit_baseline()
            return training.train_net(stored, stop_after)


class Training:
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
        order: list[str],
        group: Alone,
    ) -> None:
        """Keep what the steps share; `order` is what is to be said about the order of the corpora."""
        self.order, self.group = order, group
        self.workspace, self.config, self.run, self.folder = workspace, config, run, folder
        self.corpora, self.device, self.progress = corpora, device, progress
        self.tmd = opening.codes_to_tell(workspace, config)
        self.validator = Validator(
            corpora.vectors, corpora.splits["validation"], config.context, config.validation_windows, device, self.tmd
        )

    def fit_baseline(self) -> RunResult:
        """Fit a baseline and write it as a run."""
        began = time.monotonic()
        fitting = part_of(self.progress, 0.0, 1 - FINISHING)
        model = self._fitted(self.config.model, self.config.options, self.config.context, fitting)
        recall = self._fit_query(model)
        described = self._describe({})
        save_model(self.folder, model, described)
        save_titles(self.folder, [d.title for d in self.corpora.splits["train"]])
        result: RunResult = {
            **self._result_base(model),
            **({} if recall is None else {"query_recall_at_5": recall}),
            "stopped": "finished",
            "train_s": time.monotonic() - began,
            "val_cosine": self.validator.cosine(model.to(self.device)),
            "baselines": {},
            "flags": [],
        }
        self.progress(1.0, f"finished: validation cosine {result['val_cosine']:.4f}")
        return self._finish(result)

    def join_members(self) -> RunResult:
        """Write a model made of trained ones: an ensemble, or one of them with a memory."""
        began = time.monotonic()
        space, options = self.corpora.encoder_id, self.config.options
        names = opening.words(options.get("member" if self.config.model == ResidualMemory.name else "members", ""))
        models = [load_model(self.workspace, name, space, self.corpora.dim).model for name in names]
        digests = [weights_file_digest(self.workspace, name, space) for name in names]
        members: list[Member] = [{"ref": ref, "digest": digest} for ref, digest in zip(names, digests, strict=True)]
        titles = [training_titles(find_model(self.workspace, name, space)) for name in names]
        if self.config.model == ResidualMemory.name:
            model: SequenceModel = self._remembering(models)
            titles.append([d.title for d in self.corpora.splits["train"]])
        else:
            model = Ensemble(models, [float(word) for word in opening.words(options.get("weights", ""))])
        recall = self._fit_query(model)
        save_joined(self.folder, model, members, self._describe({}))
        if None not in titles:  # where one member cannot say what it has seen, neither can they together
            save_titles(self.folder, sorted({title for one in titles for title in one or []}))
        scores = self.validator.scores(model.to(self.device), recall=True)
        measured: RunResult = {"stopped": "finished", "train_s": time.monotonic() - began, "flags": []}
        measured |= {"val_cosine": scores.cosine, "val_recall_at_5": scores.recall}
        measured |= {} if recall is None else {"query_recall_at_5": recall}
        return self._finish({**self._result_base(model), **measured, "baselines": {}})

    def _remembering(self, models: list[SequenceModel]) -> ResidualMemory:
        options = from_dict(ResidualMemoryOptions, self.config.options)
        if len(models) != 1:
            given = f"option member is {options.member!r}; expected one model, such as --option member=mlp."
            raise SettingsError([given])
        model = ResidualMemory(models[0], options)
        filling = part_of(self.progress, 0.0, 0.9)
        fill_memory(model, self.corpora.vectors, self.corpora.splits["train"], self.folder, filling)
        fit_shares(model, self.corpora.vectors, self.validator.windows)
        return model

    def train_net(self, stored: RunConfig, stop_after: int | None) -> RunResult:
        """Train a net, from the start or from its last checkpoint."""
        config, corpora = self.config, self.corpora
        if stored and not (self.folder / STATE).exists():
            stored = {}
        model, baselines = self._begun(stored)
        goes_on = self.group.told(bool(stored))
        training = TrainingSet(
            corpora.vectors,
            corpora.splits["train"],
            opening.segment_length(config, model),
            config.batch_size,
            config.seed,
            group=8 if config.loss == "contrastive" else 1,
            normalise=not corpora.unit_norm,
            tmd=self.tmd,
        )
        if not goes_on and self.group.leads:
            model.prepare((b.x, b.y, b.mask) for b in itertools.islice(training.batches(0), PREPARED_BY))
        self.group.same_weights(model)
        if not self.group.leads:
            torch.manual_seed(config.seed + self.group.rank)  # each drops out others
        trainer = Trainer(
            config, model.to(self.device), training, self.validator, self.folder, self.device, baselines, self.progress,
            sampling(self.workspace, corpora, self.validator.windows, self.workspace.run_samples(self.run),
                     lambda note: self.progress(PREPARED, note)), self.group,
        )  # fmt: skip
        result = trainer.run(resume=goes_on, stop_after=stop_after)
        if not self.group.leads:
            return result
        if result["stopped"] != "paused":
            load_weights(self.folder / WEIGHTS, model)
            if (recall := self._fit_query(model)) is not None:
                result["query_recall_at_5"] = recall
            save_weights(self.folder / WEIGHTS, model)
            write_json(self.folder / CONFIG, read_json(self.folder / CONFIG) | model.config())
        self.progress(1.0, ending(result))
        return self._finish({**self._result_base(model), **result, "baselines": baselines})

    def _begun(self, stored: RunConfig) -> tuple[SequenceModel, dict[str, float]]:
        """Return the net to train and what the baselines reach; one process makes it, the others build the same."""
        if not self.group.leads:
            net, reached = self.group.told((NetConfig(), dict[str, float]()))
            return from_config(net), reached
        if stored:
            with net_described_in(self.folder):
                model, baselines = from_config(stored), stored["baselines"]
        else:
            model, baselines = self._new_net()
            save_titles(self.folder, [d.title for d in self.corpora.splits["train"]])
            described = self._describe(baselines) | model.config()
            write_json(self.folder / CONFIG, described | {"kind": "net", "n_parameters": model.n_parameters()})
        self.group.told((model.config(), baselines))
        return model, baselines

    def _fit_query(self, model: SequenceModel) -> float | None:
        if not self.config.query:
            return None
        splits, context = self.corpora.splits, min(self.config.context, 100)
        told = part_of(self.progress, 1 - FINISHING, FINISHING)
        return fit_query(
            model.to(self.device), self.corpora.vectors, splits["train"], splits["validation"], context, told
        )

    def _new_net(self) -> tuple[SequenceModel, dict[str, float]]:
        config = self.config
        options = opening.net_options(config)
        build_model(
            config.model, self.corpora.dim, None, **options
        )  # impossible sizes are refused before the long fits
        quiet = no_progress
        weighted = self._fitted("weighted-mean", {}, min(config.context, 5), quiet)
        fitting = part_of(self.progress, 0.0, PREPARED * 0.8)
        filtered = self._fitted("linear-filter", {}, min(config.context, 100), fitting)
        self.progress(PREPARED * 0.8, "measuring the baselines on the validation windows")
        baselines = {
            "weighted-mean": self.validator.cosine(weighted.to(self.device)),
            "linear-filter": self.validator.cosine(filtered.to(self.device)),
        }
        torch.manual_seed(config.seed)
        return build_model(config.model, self.corpora.dim, filtered, **options), baselines

    def _fitted(self, name: str, options: Values, context: int, progress: Progress) -> Baseline:
        has_context = BASELINES[name].Options is not None
        model = build_baseline(name, self.corpora.dim, **({"context": context, **options} if has_context else options))
        if model.needs_fit:
            model.fit(self.corpora.vectors, opening.at_most(self.corpora.splits["train"], opening.FIT_ROWS), progress)
        return model

    def _describe(self, baselines: dict[str, float]) -> RunConfig:
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
            "command": typed(arguments(config)),
            "code_version": __version__,
            "torch": torch.__version__,
            "hardware": describe_device(self.device),
            "created": time.time(),
        }  # fmt: skip

    def _result_base(self, model: SequenceModel) -> RunResult:
        train = self.corpora.splits["train"]
        return {
            "run": self.run,
            "model": self.config.model,
            "order": self.order,
            "n_parameters": model.n_parameters(),
            "n_windows": int(np.sum([max(0, d.n_chunks - 1) for d in train])),
            "n_articles": len(train),
            "n_validation_windows": len(self.validator.windows),
            "n_validation_articles": self.validator.n_articles,
        }

    def _finish(self, result: RunResult) -> RunResult:
        write_json(self.folder / RESULT, result)
        write_card(self.folder, result)
        return result
