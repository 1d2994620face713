"""The training loop: no wait for the device inside a step, a checkpoint that resumes bit for bit."""

import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from lvm_core.checkpoint import METRICS, RESULT, STATE, WEIGHTS
from lvm_core.dataset import Batch, TrainingSet
from lvm_core.errors import ModelError
from lvm_core.executors.work import stopping
from lvm_core.json_shapes import MetricsLine, RunResult
from lvm_core.losses import dominating
from lvm_core.model_weights import load_weights, save_weights
from lvm_core.nets.base import SequenceModel
from lvm_core.train.config import TrainConfig
from lvm_core.train.events import EventFiles
from lvm_core.train.objective import objective_of, trained
from lvm_core.train.schedule import learning_rate, verdict
from lvm_core.train.state import Position, load_state, save_state, trim_metrics
from lvm_core.train.together import ALONE, Alone
from lvm_core.train.validate import Scores, Validator
from lvm_core.types import Progress
from lvm_core.workspace import disk_errors, write_json

SCALES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
"""Shares of a residual net's correction to choose from each epoch: of few articles a tenth may help where all hurts."""

PREPARED, FINISHING = 0.08, 0.02
"""Share of the one progress bar that stands for fitting the filter and measuring the baselines."""


class Trainer:
    """Trains one net into one folder."""

    def __init__(
        self,
        config: TrainConfig,
        model: SequenceModel,
        training: TrainingSet,
        validator: Validator,
        folder: Path,
        device: torch.device,
        baselines: dict[str, float],
        progress: Progress,
        after_epoch: Callable[[SequenceModel, int], None] = lambda _model, _epoch: None,
        group: Alone = ALONE,
    ) -> None:
        """Set up optimizer and loss; `model` is on `device` already. Of a `group` one process writes and measures."""
        self.config, self.model, self.training, self.validator = config, model, training, validator
        self.folder, self.device, self.baselines, self.progress = folder, device, baselines, progress
        self.after_epoch, self.group = after_epoch, group
        self.parameters = trained(model)
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)
        bf16 = config.precision == "bf16" or (config.precision == "auto" and device.type == "cuda")
        self.objective = objective_of(config, model, bf16, group)
        self.at = Position()
        self.told: float | None = None
        self.pending: list[tuple[Tensor, Tensor, Tensor]] = []
        self.stop = threading.Event()
        self.events = EventFiles(folder if config.tensorboard else None)
        self.began = self.saved = self.logged = time.monotonic()
        self.before_s = 0.0
        self.logged_windows = 0

    def run(self, resume: bool, stop_after: int | None = None) -> RunResult:
        """Train to the end of the schedule, an early stop, or `stop_after` epochs; return the result.

        Raises:
            ModelError: if a loss or gradient is no longer a number.
            KeyboardInterrupt: after SIGTERM or SIGINT, with a checkpoint written.
        """
        if resume:
            self.at, self.objective.norms = load_state(
                self.folder / STATE, self.model, self.optimizer, self.device, self.group.rank
            )
            if self.group.leads:
                trim_metrics(self.folder / METRICS, self.at.step, self.at.batch > 0)
        else:
            self._first()
        self.before_s, self.logged_windows = self.at.seconds, self.at.windows
        stopped = "finished"
        with stopping(self.stop):
            while self.at.epoch < self.config.epochs:
                if self.at.waited >= self.config.patience:
                    stopped = "early"
                    break
                if stop_after is not None and self.at.epoch >= stop_after:
                    stopped = "paused"
                    break
                self._epoch()
        self.events.close()
        return self._result(stopped)

    def _first(self) -> None:
        """A residual net is worth its filter before the first step; that counts as the epoch to beat."""
        if self.group.leads:
            (self.folder / METRICS).unlink(missing_ok=True)
        if self.model.filter is not None:
            self.at.best_score = self._validate((0.0,))
            self.at.best_cosine, self.at.best_recall = self.at.val_cosine, self.at.val_recall
            self._keep()
            self._append({"step": 0, "epoch": 0, "val_cosine": self.at.val_cosine, "baselines": self.baselines})
            self._show(0)
        self._save()

    def _epoch(self) -> None:
        self.model.train()
        if self.model.filter is not None:
            self.model.scale.fill_(1.0)  # whatever it was measured best at: at 0 no weight would learn
        n_batches = self.training.n_batches(self.at.epoch)
        for batch in self.training.batches(self.at.epoch, first=self.at.batch):
            self._step(batch, (self.at.epoch + self.at.batch / n_batches) / self.config.epochs)
            self.at.batch += 1
            self.at.step += 1
            self.at.windows += int(batch.mask.sum())
            if self.at.step % self.config.log_steps == 0:
                self._log(n_batches)
            late = time.monotonic() - self.saved >= self.config.checkpoint_s
            stop, save = self.group.any_of(self.stop.is_set(), late)
            if stop or save:
                self._flush()
                self._save()
            if stop:
                raise KeyboardInterrupt
        self._end_epoch()

    def _step(self, batch: Batch, share: float) -> None:
        lr = learning_rate(self.config, share)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        x = batch.x.to(self.device, non_blocking=True)
        y = batch.y.to(self.device, non_blocking=True)
        tmd = None if batch.tmd is None else batch.tmd.to(self.device, non_blocking=True)
        values, norms = self.objective.backward(self.model, Batch(x, y, batch.mask, tmd))
        limit = self.config.clip or math.inf
        total = torch.nn.utils.clip_grad_norm_(self.parameters, limit, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.pending.append((values, norms, total))

    def _flush(self) -> MetricsLine | None:
        """Read the losses of the steps since the last time, and stop at the first that is no number."""
        if not self.pending:
            return None
        values = torch.stack([v for v, _, _ in self.pending]).cpu()
        norms = torch.stack([n for _, n, _ in self.pending]).cpu()
        totals = torch.stack([t for _, _, t in self.pending]).cpu()
        first = self.at.step - len(self.pending)
        self.pending = []
        bad = ~(values.isfinite().all(1) & norms.isfinite().all(1) & totals.isfinite())
        if bad.any():
            self._diverged(first + 1 + int(bad.nonzero()[0]))
        names = self.objective.names
        sums = norms.sum(0).tolist()
        self.at.epoch_norms = {n: self.at.epoch_norms.get(n, 0.0) + s for n, s in zip(names, sums, strict=True)}
        self.at.epoch_steps += len(values)
        return {
            "loss": dict(zip(names, values.mean(0).tolist(), strict=True)),
            "grad_norm": dict(zip(names, norms.mean(0).tolist(), strict=True)),
            "grad_norm_total": float(totals.mean()),
        }

    def _diverged(self, step: int) -> None:
        diverged = ModelError(
            f"The training diverged: the loss or its gradient was no longer a number at step {step}"
            f" (epoch {self.at.epoch + 1}, learning rate {self.optimizer.param_groups[0]['lr']:g})",
            "finite numbers",
            f"Weights of the best epoch before it are kept. Start again with a smaller --lr than {self.config.lr:g}.",
        )
        if self.group.leads:
            write_json(self.folder / RESULT, {**self._numbers("nan"), "nan_step": step, "message": str(diverged)})
        self.events.close()
        raise diverged

    def _log(self, n_batches: int) -> None:
        means = self._flush()
        if means is None:
            return
        done = self.at.epoch + self.at.batch / n_batches
        rate = self._write({**means, "val_cosine": None}, done)
        self._tell(done, rate)

    def _write(self, measured: MetricsLine, done: float) -> float:
        now = time.monotonic()
        rate = (self.at.windows - self.logged_windows) / max(now - self.logged, 1e-9)
        line: MetricsLine = {
            "step": self.at.step,
            "epoch": self.at.epoch + 1,
            **measured,
            "baselines": self.baselines,
            "lr": self.optimizer.param_groups[0]["lr"],
            "windows_per_s": rate,
            "seconds": self._seconds(),
            "left_s": self._left(done),
        }
        self._append(line)
        self.logged, self.logged_windows = now, self.at.windows
        return rate

    def _append(self, line: MetricsLine) -> None:
        if not self.group.leads:
            return
        with disk_errors(self.folder / METRICS), (self.folder / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.events.write(line)

    def _left(self, done: float) -> float:
        """Return the seconds left after `done` epochs, at the pace so far; an early stop takes less."""
        return self._seconds() / max(done, 1e-9) * (self.config.epochs - done)

    def _tell(self, done: float, rate: float) -> None:
        cosine = "-" if self.at.val_cosine is None else f"{self.at.val_cosine:.4f}"
        self.progress(
            PREPARED + (1 - PREPARED - FINISHING) * min(done / self.config.epochs, 1.0),
            f"epoch {math.ceil(max(done, 1e-9))} of {self.config.epochs}, {rate:,.0f} windows/s,"
            f" {self._left(done):,.0f} s left;"
            f" validation cosine {cosine} (weighted mean {self.baselines['weighted-mean']:.4f})",
        )

    def _end_epoch(self) -> None:
        losses = self._flush() or {}
        at = self.at
        score = self._validate()
        self._show(at.epoch + 1)
        means = {name: total / max(at.epoch_steps, 1) for name, total in at.epoch_norms.items()}
        warning = dominating(means)
        if warning:
            at.flags.append(f"epoch {at.epoch + 1}: {warning}")
        if score > at.best_score:
            at.best_score, at.best_cosine, at.best_epoch, at.waited = score, at.val_cosine, at.epoch + 1, 0
            at.best_recall = at.val_recall
            self._keep()
        else:
            at.waited += 1
        line: MetricsLine = {"val_cosine": at.val_cosine, "val_recall_at_5": at.val_recall, "flag": warning}
        if self.told is not None:
            line["val_cosine_told"] = self.told
        if self.model.filter is not None:
            line["scale"] = float(self.model.scale)
        rate = self._write({**losses, **line}, float(at.epoch + 1))
        at.epoch, at.batch, at.epoch_norms, at.epoch_steps = at.epoch + 1, 0, {}, 0
        self._tell(float(at.epoch), rate)
        self._save()

    def _keep(self) -> None:
        if self.group.leads:
            save_weights(self.folder / WEIGHTS, self.model)

    def _show(self, epoch: int) -> None:
        if self.group.leads:
            self.after_epoch(self.model, epoch)

    def _validate(self, scales: Sequence[float] = SCALES) -> float:
        """Measure the net and return the number that epochs are chosen by; a residual net is left at its best scale."""
        recall = self.config.select == "cosine+recall"
        measured = self.validator.at_best(self.model, scales, recall) if self.group.leads else (Scores(0.0), 1.0)
        scores, scale = self.group.told(measured)
        if self.model.filter is not None:
            self.model.scale.fill_(scale)
        self.at.val_cosine, self.at.val_recall = scores.cosine, scores.recall
        self.told = scores.told
        return scores.both if recall else scores.worth

    def _save(self) -> None:
        self.at.seconds = self._seconds()
        save_state(self.folder / STATE, self.at, self.model, self.optimizer, self.objective.norms, self.group)
        self.saved = time.monotonic()

    def _seconds(self) -> float:
        return self.before_s + time.monotonic() - self.began

    def _numbers(self, stopped: str) -> RunResult:
        seconds = self._seconds()
        return {
            "stopped": stopped,
            "epochs": self.at.epoch,
            "steps": self.at.step,
            "windows": self.at.windows,
            "train_s": seconds,
            "windows_per_s": self.at.windows / max(seconds, 1e-9),
            "val_cosine": self.at.best_cosine,
            "best_epoch": self.at.best_epoch,
            "flags": self.at.flags,
        }

    def _result(self, stopped: str) -> RunResult:
        result = self._numbers(stopped)
        if self.model.filter is not None and stopped != "paused" and self.group.leads:
            load_weights(self.folder / WEIGHTS, self.model)
            result["scale"], result["val_recall_at_5"] = float(self.model.scale), self.at.best_recall
            result["verdict"] = verdict(result["best_epoch"], result["val_cosine"], self.baselines["linear-filter"])
        return result
