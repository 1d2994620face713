"""Train a denoiser for any encoder; checkpoints that resume bit for bit."""

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lvm_core.denoiser.batches import MaskedBatch, masked_batch, token_batches
from lvm_core.denoiser.config import DenoiserConfig
from lvm_core.denoiser.net import Denoiser, DenoiserSize
from lvm_core.denoiser.pieces import WordPieces, load_pieces
from lvm_core.denoiser.spelling import FORMS, word_forms, write_forms
from lvm_core.denoiser.state import DenoiserTraining, average, checkpoint
from lvm_core.device import pick_device
from lvm_core.encoders import load_encoder
from lvm_core.encoders.precision import quick_at_bf16
from lvm_core.inverter.batches import noisy, rate_share
from lvm_core.inverter.data import TrainingTexts, gather_texts, prepare
from lvm_core.inverter.files import InverterFile, begin, training_folder, training_lock
from lvm_core.inverter.training import Place
from lvm_core.inverter.words import sampled_vocabulary, word_loss, word_texts
from lvm_core.types import Encoder, Progress, no_progress
from lvm_core.workspace import Workspace

NEGATIVES = 2_000
"""Word pieces beside those of the batch that the softmax is estimated on: all 30,522 would take most of the time."""

FORM_TEXTS = 300_000
"""Texts whose words tell how words are written."""

LENGTH_WEIGHT = 0.1
WINDOW = 200
"""Steps whose mean loss is told."""


def train_denoiser(
    workspace: Workspace,
    config: DenoiserConfig | None,
    name: str | None = None,
    resume: bool = False,
    progress: Progress = no_progress,
    encoder: Encoder | None = None,
    pieces: WordPieces | None = None,
) -> InverterFile:
    """Train a denoiser into `workspace.inverter(name)` and return its config.json.

    Args:
        workspace: where the corpora lie and the denoiser goes.
        config: the settings; None when resuming.
        name: folder of the denoiser; made of the encoder's name and the time by default.
        resume: go on from the last checkpoint of `name`.
        progress: told of each step.
        encoder: an encoder that is loaded already.
        pieces: other word pieces than those of the bundled encoder, for tests.

    Raises:
        DecoderError: if the name is taken or trained by another process, or there is nothing to resume.
        CorpusError: if a corpus is missing or has no text.
    """
    folder, config = training_folder(workspace, DenoiserConfig, config, name, resume, "denoiser")
    with training_lock(workspace, folder):
        encoder, pieces = encoder or load_encoder(config.encoder, config.device), pieces or load_pieces()
        texts = gather_texts(workspace, config.corpora, config.split_seed, config.extra, config.seed, config.held_out)
        begin(workspace, folder, config, "denoiser")
        data = prepare(workspace, folder, texts, encoder, pieces.tokenizer, progress)
        if not (folder / FORMS).exists():
            chunks = [piece.text for piece in texts[0] if piece.row >= 0]
            write_forms(folder, word_forms(chunks[:: 1 + len(chunks) // FORM_TEXTS]))
        del texts  # a million strings
        net = new_net(config, encoder.dim, pieces)
        with torch.no_grad():
            net.bias.copy_(log_frequency(data, len(pieces.words)))
        training = DenoiserTraining(folder, config, data, encoder, net, {}, [], Place(), progress, pieces)
        training.restart()
        if resume:
            training.load()
        _train_words(training)
        _train(training)
        return checkpoint(training)


def new_net(config: DenoiserConfig, dim: int, pieces: WordPieces) -> Denoiser:
    """Return a net that begins as the encoder of `pieces` where their widths are equal, in the device's best dtype."""
    torch.manual_seed(config.seed)
    device = pick_device(config.device)
    dtype = torch.bfloat16 if quick_at_bf16(device) else torch.float32
    heads = max(1, config.width // 32)
    size = DenoiserSize(dim, config.n_layers, config.width, heads, 4 * config.width, config.max_tokens)
    net = Denoiser(size, pieces.words.to(dtype))
    net.begin_as(pieces.weights, pieces.n_layers)
    return net.to(device)


def log_frequency(data: TrainingTexts, n_tokens: int) -> Tensor:
    """Return the log-frequency (V,) of each word piece in the training texts, an unseen one counted half."""
    counts = np.bincount(data.tokens[: data.offsets[data.n_train]], minlength=n_tokens).astype(np.float64)
    counts = np.maximum(counts, 0.5)
    return torch.from_numpy(np.log(counts / counts.sum())).float()


def batch_loss(net: Denoiser, batch: MaskedBatch, seen: NDArray[np.int64], seed: int) -> Tensor:
    """Return the mean loss of the scored word pieces, the softmax estimated on a sample, and of the length.

    Args:
        net: the net in training.
        batch: with word pieces hidden.
        seen: every word piece that occurs in the training texts.
        seed: of the sample.
    """
    device = net.words.device
    vectors, lengths = batch.vectors.to(device), batch.lengths.to(device)
    padded = int(batch.lengths.min()) < batch.seen.shape[1]
    hidden = net(batch.seen.to(device), net.read(vectors), lengths if padded else None)[batch.scored.to(device)]
    wanted = batch.tokens[batch.scored].numpy()
    vocabulary, raised = sampled_vocabulary(wanted, seen, NEGATIVES, torch.Generator().manual_seed(seed))
    logits = net.logits(hidden, torch.from_numpy(vocabulary).to(device)).float() + raised.to(device)
    column = torch.from_numpy(np.searchsorted(vocabulary[: len(np.unique(wanted))], wanted)).to(device)
    length_loss = F.cross_entropy(net.length_logits(vectors), lengths - 1)
    return F.cross_entropy(logits, column) + LENGTH_WEIGHT * length_loss


def _train_words(training: DenoiserTraining) -> None:
    """Learn which words a vector speaks of, wherever they stand: hundreds of times cheaper than where they stand."""
    config, place, net = training.config, training.place, training.net
    total = config.word_samples // config.word_batch
    if place.word_step >= total:
        return
    texts, device = word_texts(training.data, len(net.words)), net.words.device
    began, first = time.monotonic(), place.word_step
    n_batches = max(1, training.data.n_train // config.word_batch)
    for step in range(first, total):
        epoch, batch = divmod(step, n_batches)
        if batch == 0 or step == first:
            order = np.random.default_rng([config.seed, 1, epoch]).permutation(training.data.n_train)
        places = order[batch * config.word_batch : (batch + 1) * config.word_batch]
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        vectors = noisy(training.data.unit_vectors(places), config.noise, generator).to(device)
        lr = config.word_lr * rate_share(step, total, total // 20, 0.95)
        place.note(training.step(0, word_loss(net.word_log_p, texts, vectors, places, generator), lr), WINDOW)
        place.word_step = step + 1
        left = (total - step - 1) * (time.monotonic() - began) / (step + 1 - first)
        training.progress(0.0, f"words: step {step + 1:,} of {total:,}, loss {place.loss:.3f}, {left:,.0f} s left")
        if training.due():
            training.save()
    net.begin_with_topics(training.data.unit_vectors(np.arange(min(1024, training.data.n_train))).to(device))
    training.restart()


def _train(training: DenoiserTraining) -> None:
    config, place, data = training.config, training.place, training.data
    lengths = data.lengths()
    rows = np.flatnonzero((lengths[: data.n_train] >= 3) & (lengths[: data.n_train] <= config.max_tokens))
    seen = np.unique(data.tokens[: data.offsets[data.n_train]]).astype(np.int64)
    per_step = len(rows) / max(1.0, lengths[rows].sum() / config.batch_tokens)
    total = max(1, round(config.samples / per_step))
    began, first = time.monotonic(), place.samples
    training.net.train()
    for places in token_batches(rows, lengths, config.batch_tokens, config.seed, place.step):
        if place.samples >= config.samples:
            break
        started = time.monotonic()
        seed = config.seed * 1_000_003 + place.step
        batch = masked_batch(data, places, training.pieces.mask, config.noise, seed)
        lr = config.lr * rate_share(min(place.step, total - 1), total, config.warmup, config.decay)
        place.note(training.step(0, batch_loss(training.net, batch, seen, seed), lr), WINDOW)
        place.step, place.samples = place.step + 1, place.samples + len(places)
        average(training)
        place.seconds += time.monotonic() - started
        rate = (place.samples - first) / (time.monotonic() - began)
        left = (config.samples - place.samples) / rate
        message = (
            f"{place.samples:,} of {config.samples:,} texts, loss {place.loss:.3f}, {rate:.0f}/s, {left:,.0f} s left"
        )
        training.progress(min(1.0, place.samples / config.samples), message)
        if training.due():
            checkpoint(training)
