"""Training an inverter: what it reads, that it learns, and that an interruption leaves no trace."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm_core.config import typed
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents
from lvm_core.errors import CorpusError, DecoderError, ModelError, SettingsError
from lvm_core.inverter.config import InverterConfig, arguments
from lvm_core.inverter.data import _encode, gather_texts, prepare
from lvm_core.inverter.smollm import LanguageModel
from lvm_core.inverter.train import text_batches, train_inverter
from lvm_core.types import no_progress
from lvm_core.workspace import Workspace, read_json, write_json
from tests.inverter.tiny_inverter import BagEncoder, corpus, tiny_language

CONFIG = InverterConfig(
    corpus="small", samples=48, batch_size=8, warmup=2, word_epochs=2, word_batch=32, max_tokens=60, n_soft=2,
    n_hints=4, rank=2, extra=1.0, word_share=0.3, checkpoint_s=1e9,
)  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return corpus(Workspace(tmp_path_factory.mktemp("inverter") / "work space"))


@pytest.fixture
def here(prepared: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(prepared.root, tmp_path / "copy")
    return Workspace(tmp_path / "copy")


@pytest.fixture(scope="module")
def language() -> LanguageModel:
    return tiny_language()


def train(
    workspace: Workspace, language: LanguageModel, config: InverterConfig | None, name: str, resume: bool = False
) -> dict:
    return train_inverter(workspace, config, name, resume, encoder=BagEncoder(), language=language)


def test_no_text_of_a_held_out_article_is_trained_on(prepared: Workspace) -> None:
    store = CorpusStore(prepared)
    split = split_documents(store.documents("small"), 0)
    held = {
        c.text for part in ("validation", "test") for d in split[part] for c in store.document_chunks(d.document_id)
    }
    pieces, validation, sources = gather_texts(prepared, ["small"], 0, 1.0)
    chunks = {piece.text for piece in pieces if piece.row >= 0}
    assert chunks
    assert not held & chunks
    assert not any(text in piece.text for piece in pieces for text in held)
    assert {p.text for p in validation} <= held
    assert sources[0]["n_documents"] == len(split["train"])
    assert sources[0]["digest"] == store.corpus("small").digest


def test_clauses_and_joined_neighbours_multiply_the_text(prepared: Workspace) -> None:
    plain, *_ = gather_texts(prepared, ["small"], 0, 0.0)
    more, *_ = gather_texts(prepared, ["small"], 0, 1.0)
    assert len(more) > len(plain)
    assert gather_texts(prepared, ["small"], 0, 1.0)[0] == more


def test_hints_are_learnt_from_other_articles_than_the_language_model_reads(
    prepared: Workspace, language: LanguageModel, tmp_path: Path
) -> None:
    pieces = gather_texts(prepared, ["small"], 0, 1.0)
    data = prepare(prepared, tmp_path, pieces, BagEncoder(), language.tokenizer)
    hinted, read = data.shared_out(CONFIG.word_share, 0)
    assert sorted([*hinted, *read]) == list(range(data.n_train))
    assert not set(data.articles[hinted]) & set(data.articles[read])
    batches = [batch for batch, _ in zip(text_batches(data, CONFIG, 0), range(40), strict=False)]
    assert set(np.concatenate(batches)) <= set(read)
    assert all(len(part) == data.n_train for part in data.shared_out(1.0, 0))


def test_it_learns_and_leaves_weights_config_and_card(here: Workspace, language: LanguageModel) -> None:
    before = train(here, language, dataclasses.replace(CONFIG, samples=8, word_epochs=1, lr=0.0, word_lr=0.0), "still")
    after = train(here, language, dataclasses.replace(CONFIG, lr=1e-2), "taught")
    assert after["history"][-1]["validation_loss"] < before["history"][-1]["validation_loss"] - 0.05
    assert after["finished"]
    folder = here.inverter("taught")
    assert read_json(folder / "config.json")["encoder_id"] == BagEncoder.id
    card = (folder / "card.md").read_text()
    assert CorpusStore(here).corpus("small").digest[:16] in card
    assert "python -m lvm_core train-inverter --corpus small" in card
    assert (folder / "inverter.safetensors").stat().st_size < 2 * after["n_parameters"] + 20_000


class Stopped(Exception):
    pass


def test_an_interrupted_training_ends_bit_for_bit_as_a_whole_one(here: Workspace, language: LanguageModel) -> None:
    whole = train(here, language, CONFIG, "whole")
    for at in ("word head: step 7", "24 of 48", "word head, all texts: step 5"):

        def stop(_share: float, message: str, at: str = at) -> None:
            if message.startswith(at):
                raise Stopped(message)

        name = at.translate(str.maketrans(" ", "-", ":,"))
        config = dataclasses.replace(CONFIG, checkpoint_s=0.0)
        with pytest.raises(Stopped, match=at):
            train_inverter(here, config, name, progress=stop, encoder=BagEncoder(), language=language)
        resumed = train(here, language, None, name, resume=True)
        assert resumed["history"][-1]["validation_loss"] == whole["history"][-1]["validation_loss"]
        states = [torch.load(here.inverter(n) / "state.pt", weights_only=True) for n in ("whole", name)]
        for kind in ("net", "average"):
            assert all(torch.equal(states[0][kind][k], states[1][kind][k]) for k in states[0][kind])


@pytest.mark.parametrize("junk", [b"junk", None, b"\x93NUMPY"])
def test_vectors_of_an_earlier_attempt_that_are_damaged_are_made_again(here: Workspace, junk: bytes | None) -> None:
    folder = here.inverter("x")
    folder.mkdir(parents=True)
    encoder, texts = BagEncoder(), ["one boat", "two towns", "three kings"]
    whole = np.array(_encode(folder, texts, encoder, no_progress))
    kept = folder / "derived.f16.npy"
    if junk is None:
        np.save(kept, whole[:2])  # of fewer texts than the note beside it says
    else:
        kept.write_bytes(junk)
    assert np.array_equal(_encode(folder, texts, encoder, no_progress), whole)
    write_json(folder / "derived.json", {**read_json(folder / "derived.json"), "done": "all"})
    assert np.array_equal(_encode(folder, texts, encoder, no_progress), whole)


def test_what_cannot_be_resumed_says_so(here: Workspace, language: LanguageModel) -> None:
    with pytest.raises(DecoderError, match="no training of an inverter called 'nobody'"):
        train(here, language, None, "nobody", resume=True)
    train(here, language, dataclasses.replace(CONFIG, samples=8, word_epochs=1), "taken")
    with pytest.raises(DecoderError, match="holds an inverter already"):
        train(here, language, CONFIG, "taken")
    (here.inverter("taken") / "state.pt").write_bytes(b"half a file")
    with pytest.raises(ModelError, match="cannot be resumed"):
        train(here, language, None, "taken", resume=True)


def test_bad_settings_and_corpora_are_refused(here: Workspace, language: LanguageModel) -> None:
    with pytest.raises(SettingsError, match="samples is 0; expected 1 to 1000000000 texts"):
        train(here, language, dataclasses.replace(CONFIG, samples=0), "a")
    with pytest.raises(CorpusError, match="no corpus 'nowhere'"):
        train(here, language, dataclasses.replace(CONFIG, corpus="nowhere"), "b")
    with pytest.raises(SettingsError, match=r"--run is 'a/b'; expected letters.*For example: --run a-b"):
        train(here, language, CONFIG, "a/b")
    assert not (here.root / "inverters").exists(), "what was refused leaves nothing"


def test_the_command_line_names_what_differs_from_the_defaults() -> None:
    words = typed(arguments(InverterConfig(corpus="a,b", samples=7, device="cpu")))
    assert words == "python -m lvm_core train-inverter --corpus a,b --encoder all-MiniLM-L6-v2 --samples 7"
    assert np.all([f.metadata["help"] for f in dataclasses.fields(InverterConfig)])
