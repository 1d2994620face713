"""Training a denoiser: what it reads, that it learns, and that an interruption leaves no trace."""

import argparse
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm_core.commands import train_inverter as command
from lvm_core.corpus.ingest import IngestSettings, ingest
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents, title_key
from lvm_core.denoiser.batches import masked_batch, token_batches
from lvm_core.denoiser.config import DenoiserConfig
from lvm_core.denoiser.spelling import plain, read_forms
from lvm_core.denoiser.train import train_denoiser
from lvm_core.errors import CorpusError, DecoderError, ModelError, SettingsError
from lvm_core.inverter.data import TrainingTexts, gather_texts
from lvm_core.inverter.files import DENOISER, find_inverter
from lvm_core.workspace import Workspace, read_json
from tests.denoiser.tiny_pieces import tiny_pieces
from tests.inverter.tiny_inverter import SOURCE, BagEncoder, corpus

CONFIG = DenoiserConfig(
    corpus="small", samples=300, word_samples=600, word_batch=32,
    batch_tokens=600, warmup=5, n_layers=2, width=32, extra=1.0, max_tokens=64,
    checkpoint_s=1e9, device="cpu",
)  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return corpus(Workspace(tmp_path_factory.mktemp("denoiser") / "work space"))


@pytest.fixture
def here(prepared: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(prepared.root, tmp_path / "copy")
    return Workspace(tmp_path / "copy")


def train(workspace: Workspace, config: DenoiserConfig | None, name: str, resume: bool = False, **options: object):
    return train_denoiser(workspace, config, name, resume, encoder=BagEncoder(), pieces=tiny_pieces(), **options)


@pytest.fixture
def texts() -> TrainingTexts:
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 40, 400)
    offsets = np.cumsum([0, *lengths]).astype(np.int64)
    tokens = rng.integers(5, 400, offsets[-1]).astype(np.uint16)
    vectors = rng.standard_normal((400, 24)).astype(np.float16)
    return TrainingTexts(vectors, tokens, offsets, np.zeros(400, dtype=np.int64), 0, [])


def test_batches_hold_each_text_once_and_go_on_anywhere(texts: TrainingTexts) -> None:
    lengths, rows = texts.lengths(), np.arange(400)
    batches = []
    for batch in token_batches(rows, lengths, 300, 0, 0):
        batches.append(batch)
        assert len(batch) * lengths[batch].max() <= 300
        if sum(map(len, batches)) == 400:
            break
    assert sorted(np.concatenate(batches)) == list(rows)
    assert np.array_equal(next(token_batches(rows, lengths, 300, 0, 7)), batches[7])


def test_some_pieces_are_hidden_and_no_padding_counts(texts: TrainingTexts) -> None:
    batch = masked_batch(texts, np.arange(50), mask=4, noise=0.5, seed=1)
    is_text = torch.arange(batch.tokens.shape[1]) < batch.lengths[:, None]
    hidden = batch.seen == 4
    assert (hidden.sum(1) >= 1).all()
    assert not (batch.scored & ~is_text).any()
    assert (batch.scored & hidden).sum() == hidden.sum()
    assert (batch.seen[~batch.scored] == batch.tokens[~batch.scored]).all()
    changed = batch.scored & ~hidden & (batch.seen != batch.tokens)
    assert 0 < changed.sum() < (batch.scored & ~hidden).sum(), (
        "some in sight are replaced, some looked over as they are"
    )
    again = masked_batch(texts, np.arange(50), mask=4, noise=0.5, seed=1)
    assert torch.equal(again.seen, batch.seen)
    assert torch.equal(again.vectors, batch.vectors)
    assert masked_batch(texts, np.arange(50), 4, 0.0, 1, share=1.0).scored.equal(is_text)


def test_articles_held_out_elsewhere_are_not_read_either(here: Workspace) -> None:
    read = {d.title for d in split_documents(CorpusStore(here).documents("small"), 0)["train"]}
    lines = [line for line in SOURCE.read_text("utf-8").splitlines() if json.loads(line)["title"] in read]
    (here.root / "other.jsonl").write_text("\n".join(lines[:3]), "utf-8")
    ingest(here, str(here.root / "other.jsonl"), "other", IngestSettings(licence="CC BY-SA 4.0"))
    store = CorpusStore(here)
    split = split_documents(store.documents("other"), 0)
    held = {title_key(d.title) for part in ("validation", "test") for d in split[part]}
    chunks = {
        chunk.text
        for d in store.documents("small")
        if title_key(d.title) in held
        for chunk in store.document_chunks(d.document_id)
    }
    apart = {piece.text for piece in gather_texts(here, ["small"], 0, 0.0, hold_out=["other"])[0]}
    assert chunks & {piece.text for piece in gather_texts(here, ["small"], 0, 0.0)[0]}
    assert not chunks & apart


def test_it_learns_and_leaves_weights_config_card_and_forms(here: Workspace) -> None:
    before = train(here, dataclasses.replace(CONFIG, word_samples=0, samples=10, lr=0.0), "still")
    after = train(here, dataclasses.replace(CONFIG, samples=3000, lr=2e-3), "taught")
    assert after["history"][-1]["train_loss"] < before["history"][-1]["train_loss"] - 0.3
    assert after["finished"]
    assert after["samples"] >= 3000
    folder = here.inverter("taught")
    card = (folder / "card.md").read_text()
    assert CorpusStore(here).corpus("small").digest[:16] in card
    assert "python -m lvm_core train-inverter --kind denoiser --corpus small" in card
    assert (folder / "inverter.safetensors").stat().st_size < 2 * after["n_parameters"] + 20_000
    forms = read_forms(folder)
    assert forms
    assert all(plain(form) == word != form for word, form in forms.items())


class Stopped(Exception):
    pass


def test_an_interrupted_training_ends_bit_for_bit_as_a_whole_one(here: Workspace) -> None:
    def stop(at: str) -> Callable[[float, str], None]:
        def told(_share: float, message: str) -> None:
            if message.startswith(at) or (at in message and int(message.split(" ")[0]) > 150):
                raise Stopped(message)

        return told

    whole = train(here, CONFIG, "whole")
    with pytest.raises(Stopped, match="words: step 7"):
        train(here, dataclasses.replace(CONFIG, checkpoint_s=0.0), "parts", progress=stop("words: step 7"))
    with pytest.raises(Stopped, match="of 300 texts"):
        train(here, None, "parts", resume=True, progress=stop("of 300 texts"))
    resumed = train(here, None, "parts", resume=True)
    assert resumed["history"][-1]["all_hidden"] == whole["history"][-1]["all_hidden"]
    states = [torch.load(here.inverter(n) / "state.pt", weights_only=True) for n in ("whole", "parts")]
    for kind in ("net", "average"):
        assert all(torch.equal(states[0][kind][k], states[1][kind][k]) for k in states[0][kind])


def test_what_cannot_be_resumed_says_so(here: Workspace) -> None:
    with pytest.raises(DecoderError, match="no training of an inverter called 'nobody'"):
        train(here, None, "nobody", resume=True)
    train(here, dataclasses.replace(CONFIG, samples=10), "taken")
    with pytest.raises(DecoderError, match="holds an inverter already"):
        train(here, CONFIG, "taken")
    (here.inverter("taken") / "state.pt").write_bytes(b"half a file")
    with pytest.raises(ModelError, match="cannot be resumed"):
        train(here, None, "taken", resume=True)


def test_what_is_refused_leaves_nothing(here: Workspace) -> None:
    with pytest.raises(CorpusError, match="no corpus 'nowhere'"):
        train(here, dataclasses.replace(CONFIG, corpus="nowhere"), "refused")
    assert not here.inverter("refused").exists()


def test_a_denoiser_is_no_inverter_and_the_other_way_round(here: Workspace) -> None:
    train(here, dataclasses.replace(CONFIG, samples=10), "mine")
    assert read_json(here.inverter("mine") / "config.json")["kind"] == DENOISER
    assert find_inverter(here, BagEncoder.id, DENOISER) == here.inverter("mine")
    assert find_inverter(here, BagEncoder.id) is None


def test_a_flag_of_the_other_kind_is_refused(here: Workspace) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = ["--kind", "denoiser", "--corpus", "small", "--rank", "4", "--n-soft", "2"]
    with pytest.raises(SettingsError, match=r"--n-soft is no setting of --kind denoiser.*--rank is no setting"):
        command.run(parser.parse_args(words), here)
    with pytest.raises(SettingsError, match="--width is no setting of --kind inverter"):
        command.run(parser.parse_args(["--corpus", "small", "--width", "32"]), here)
