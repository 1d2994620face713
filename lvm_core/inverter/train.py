"""Train an inverter for any encoder: texts, word head, language model; checkpoints that resume bit for bit."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lvm_core.device import pick_device
from lvm_core.encoders import load_encoder
from lvm_core.inverter.batches import Batch, length_batches, make_batch, noisy, rate_share
from lvm_core.inverter.config import InverterConfig
from lvm_core.inverter.data import TrainingTexts, gather_texts, prepare
from lvm_core.inverter.files import InverterFile, begin, training_folder, training_lock
from lvm_core.inverter.net import InverterNet, NetSize
from lvm_core.inverter.smollm import LanguageModel, load_smollm
from lvm_core.inverter.state import InverterTraining, average, checkpoint, text_losses
from lvm_core.inverter.training import Place
from lvm_core.inverter.words import WordTexts, word_loss, word_texts
from lvm_core.types import Encoder, Progress, no_progress
from lvm_core.workspace import Workspace

WINDOW = 100
"""Steps whose mean loss is told."""


def train_inverter(
    workspace: Workspace,
    config: InverterConfig | None,
    name: str | None = None,
    resume: bool = False,
    progress: Progress = no_progress,
    encoder: Encoder | None = None,
    language: LanguageModel | None = None,
) -> InverterFile:
    """Train an inverter into `workspace.inverter(name)` and return its config.json.

    Args:
        workspace: where the corpora lie and the inverter goes.
        config: the settings; None when resuming.
        name: folder of the inverter; made of the encoder's name and the time by default.
        resume: go on from the last checkpoint of `name`.
        progress: told of each step.
        encoder: an encoder that is loaded already.
        language: another Llama than SmolLM2, for tests.

    Raises:
        DecoderError: if the name is taken or trained by another process, or there is nothing to resume.
        CorpusError: if a corpus is missing or has no text.
    """
    folder, config = training_folder(workspace, InverterConfig, config, name, resume)
    with training_lock(workspace, folder):
        encoder = encoder or load_encoder(config.encoder, config.device)
        language = language or load_smollm(progress)
        pieces = gather_texts(workspace, config.corpora, config.split_seed, config.extra, config.seed)
        begin(workspace, folder, config)
        data = prepare(workspace, folder, pieces, encoder, language.tokenizer, progress)
        training = _start(folder, config, data, encoder, language, progress)
        if resume:
            training.load()
        texts = word_texts(data, language.tokenizer.get_vocab_size())
        _train_words(training, texts)
        _train_language(training)
        _train_last_words(training, texts)
        return checkpoint(training)


def word_optimizer(net: InverterNet, config: InverterConfig) -> torch.optim.Optimizer:
    """Return a fresh optimizer of the word head."""
    return torch.optim.AdamW(net.words.parameters(), lr=config.word_lr, weight_decay=0.01)


def _start(
    folder: Path,
    config: InverterConfig,
    data: TrainingTexts,
    encoder: Encoder,
    language: LanguageModel,
    progress: Progress,
) -> InverterTraining:
    torch.manual_seed(config.seed)
    size = NetSize(encoder.dim, config.n_soft, config.n_hints, config.rank)
    net = InverterNet(language, size).to(pick_device(config.device))
    rest = [p for n, p in net.named_parameters() if not n.startswith("words.")]
    adam = torch.optim.AdamW(rest, lr=config.lr, weight_decay=0.0, betas=(0.9, 0.98))
    average = {k: v.detach().clone() for k, v in net.state_dict().items()}
    optimizers = [word_optimizer(net, config), adam]
    return InverterTraining(folder, config, data, encoder, net, average, optimizers, Place(), progress, language)


def _train_words(training: InverterTraining, texts: WordTexts) -> None:
    training.net.words.prior.copy_(texts.log_frequency)
    hinted, _ = training.data.shared_out(training.config.word_share, training.config.seed)
    _word_steps(training, texts, hinted, last=False)


def _train_last_words(training: InverterTraining, texts: WordTexts) -> None:
    """Train the head that ships on all texts: no language model learns from its hints any more."""
    config, net, place = training.config, training.net, training.place
    if len(training.data.shared_out(config.word_share, config.seed)[0]) == training.data.n_train:
        return
    if place.last_step == 0:
        place.losses = []
        torch.manual_seed(config.seed + 1)
        net.words.restart()
        training.optimizers[0] = word_optimizer(net, config)
    _word_steps(training, texts, np.arange(training.data.n_train), last=True)
    training.average.update({f"words.{k}": v.detach().clone() for k, v in net.words.state_dict().items()})


def _word_steps(training: InverterTraining, texts: WordTexts, rows: NDArray[np.int64], last: bool) -> None:
    config, net, place = training.config, training.net, training.place
    n_batches = max(1, len(rows) // config.word_batch)
    total = n_batches * config.word_epochs
    order = np.empty(0, dtype=np.int64)
    net.words.train()
    began, first = time.monotonic(), place.last_step if last else place.word_step
    for step in range(first, total):
        epoch, batch = divmod(step, n_batches)
        if batch == 0 or not len(order):
            order = np.random.default_rng([config.seed, 1, epoch]).permutation(rows)
        places = order[batch * config.word_batch : (batch + 1) * config.word_batch]
        torch.manual_seed(config.seed * 1_000_003 + step)
        share = rate_share(step, total, total // 20, 0.95)
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        vectors = noisy(training.data.unit_vectors(places), config.noise, generator)
        loss = word_loss(net.words, texts, vectors.to(net.embedding.device), places, generator)
        place.note(training.step(0, loss, config.word_lr * share), WINDOW)
        if last:
            place.last_step = step + 1
        else:
            place.word_step = step + 1
        left = (total - step - 1) * (time.monotonic() - began) / (step + 1 - first)
        training.progress(
            0.9 + step / total * 0.1 if last else step / total * 0.1,
            f"word head{', all texts' if last else ''}: step {step + 1:,} of {total:,}, loss {place.loss:.3f},"
            f" {left:,.0f} s left",
        )
        if training.due():
            training.save()
    net.words.eval()


def _train_language(training: InverterTraining) -> None:
    config, place = training.config, training.place
    if place.step == 0:
        place.losses = []
        training.restart_average()
    total = -(-config.samples // config.batch_size)
    began, first = time.monotonic(), place.samples
    for places in text_batches(training.data, config, place.step):
        if place.step >= total:
            break
        started = time.monotonic()
        lr = config.lr * rate_share(place.step, total, config.warmup, config.decay)
        loss = language_loss(training.net, make_batch(training.data, places), config, place.step)
        place.note(training.step(1, loss, lr), WINDOW)
        place.step += 1
        place.samples += len(places)
        average(training)
        place.seconds += time.monotonic() - started
        rate = (place.samples - first) / (time.monotonic() - began)
        left = (config.samples - place.samples) / rate
        message = (
            f"{place.samples:,} of {config.samples:,} texts, loss {place.loss:.3f}, {rate:.1f}/s, {left:,.0f} s left"
        )
        training.progress(0.1 + 0.8 * place.step / total, message)
        if training.due():
            checkpoint(training)


def text_batches(data: TrainingTexts, config: InverterConfig, first: int) -> Iterator[NDArray[np.int64]]:
    """Yield the places of the language model's batches from step `first` on, without end."""
    lengths = data.lengths()
    _, read = data.shared_out(config.word_share, config.seed)
    fit = read[(lengths[read] >= 4) & (lengths[read] <= config.max_tokens)]
    return length_batches(fit, lengths, config.batch_size, config.seed, first)


def language_loss(net: InverterNet, batch: Batch, config: InverterConfig, step: int) -> torch.Tensor:
    """Return the mean loss of the text tokens of one training batch."""
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    vectors = noisy(batch.vectors, config.noise, generator)
    return text_losses(net, Batch(vectors, batch.tokens, batch.lengths)).mean()
