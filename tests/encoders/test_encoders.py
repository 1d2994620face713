"""Every encoder keeps the contract; each gives the vectors of the model it is named after."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm_core.corpus.tmd import labels as tmd_labels
from lvm_core.encoders import DEFAULT_ENCODER, encoder_for, encoder_id, load_encoder
from lvm_core.encoders.batching import batches, run_batches
from lvm_core.encoders.bert import load_bert
from lvm_core.encoders.minilm import minilm_folder
from lvm_core.encoders.precision import PROBES
from lvm_core.encoders.sentence import load_sentence
from lvm_core.errors import EncoderError, SpaceMismatch
from lvm_core.types import Encoder
from lvm_core.vectors.geometry import cosine
from tests.decode import tiny_vec2text
from tests.encoders.contract import TEXTS, EncoderContract

MINILM_ID = "all-MiniLM-L6-v2@53aa51172d14"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a hub cache that holds a tiny gtr-t5-base with random weights."""
    torch.manual_seed(7)
    cache = tmp_path_factory.mktemp("hub")
    tiny_vec2text.write_embedder(tiny_vec2text.snapshot(cache, "sentence-transformers/gtr-t5-base"))
    return cache


@pytest.fixture
def on_hub(hub: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    return hub


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return load_encoder(device="cpu")


@pytest.fixture(scope="module")
def minilm_tmd() -> Encoder:
    return load_encoder(f"{DEFAULT_ENCODER}+tmd", "cpu")


class TestMiniLm(EncoderContract):
    tolerance = 2e-3

    @pytest.fixture
    def encoder(self, minilm: Encoder) -> Encoder:
        return minilm


class TestGtr(EncoderContract):
    @pytest.fixture
    def encoder(self, on_hub: Path) -> Encoder:
        return load_encoder("gtr-t5-base", "cpu")


class TestGtrSt(EncoderContract):
    tolerance = 2e-3

    @pytest.fixture
    def encoder(self, on_hub: Path) -> Encoder:
        return load_encoder("gtr-t5-base-st", "cpu")


class TestMiniLmWithTmd(EncoderContract):
    tolerance = 2e-3

    @pytest.fixture
    def encoder(self, minilm_tmd: Encoder) -> Encoder:
        return minilm_tmd


def test_tmd_adds_the_sixteen_numbers_of_the_label_to_any_encoder(minilm: Encoder, on_hub: Path) -> None:
    from lvm_core.corpus.tmd.codes import label_by_encoder, tmd_vectors

    for name in (DEFAULT_ENCODER, "gtr-t5-base"):
        base, wrapped = load_encoder(name, "cpu"), load_encoder(f"{name}+tmd", "cpu")
        vectors, plain = wrapped.encode(TEXTS), base.encode(TEXTS)
        assert vectors.shape == (4, base.dim + 16)
        labels = tmd_vectors(label_by_encoder(plain, base).tolist())
        assert cosine(vectors[:, :-16], plain).min() > 0.999
        assert cosine(vectors[:, -16:], labels).min() > 0.999
        assert np.allclose(np.linalg.norm(vectors[:, -16:], axis=1), np.sqrt(0.5), atol=1e-3)


def test_a_tmd_space_is_its_own_and_comes_back_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{DEFAULT_ENCODER}+tmd"
    identity = encoder_id(name)
    assert identity.startswith(f"{name}@")
    assert identity.partition("@")[2] != MINILM_ID.partition("@")[2]
    assert encoder_for(identity, "cpu").id == identity
    monkeypatch.setitem(tmd_labels.DOMAINS, "science", "Something else altogether.")
    assert encoder_id(name) != identity, "other descriptions give other labels, and so another space"
    with pytest.raises(EncoderError, match="There is no encoder 'nonsense'"):
        load_encoder("nonsense+tmd")


def test_minilm_is_the_published_model_and_its_id_needs_no_loading(minilm: Encoder) -> None:
    assert encoder_id(DEFAULT_ENCODER) == minilm.id == MINILM_ID
    assert (minilm.dim, minilm.unit_norm) == (384, True)


def test_minilm_gives_the_vectors_of_sentence_transformers_in_both_precisions() -> None:
    from sentence_transformers import SentenceTransformer

    texts = [*PROBES, "word " * 400, *TEXTS]
    reference = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True).encode(texts)
    precise = load_bert(minilm_folder(), "x", "cpu", torch.float32).encode(texts)
    assert np.abs(precise - reference).max() < 1e-5
    halved = load_bert(minilm_folder(), "x", "cpu", torch.bfloat16).encode(texts)
    assert cosine(halved, reference).min() >= 0.998


def test_several_threads_give_what_one_gives() -> None:
    texts = [f"{word} number {i} " + "and more " * (i % 23) for i in range(30) for word in ("river", "stone")]
    before = torch.get_num_threads()
    encoder = load_bert(minilm_folder(), "x", "cpu", torch.float32)
    try:
        torch.set_num_threads(1)
        alone = encoder.encode(texts)
        torch.set_num_threads(3)
        assert np.abs(encoder.encode(texts) - alone).max() < 1e-5
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_each_of_several_batches_is_computed_by_one_thread() -> None:
    before, seen, out = torch.get_num_threads(), set(), np.empty((4, 2), dtype=np.float32)
    torch.set_num_threads(2)

    def forward(rows: np.ndarray) -> np.ndarray:
        torch.ones(300, 300) @ torch.ones(300, 300)
        seen.add(torch.get_num_threads())
        return np.ones((len(rows), 2), dtype=np.float32)

    try:
        run_batches([np.array([row]) for row in range(4)], forward, out, 2)
        assert (seen, torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


def test_one_batch_is_computed_by_one_thread_for_others_would_only_be_waited_for() -> None:
    before, seen, out = torch.get_num_threads(), [], np.empty((1, 2), dtype=np.float32)
    torch.set_num_threads(3)

    def forward(rows: np.ndarray) -> np.ndarray:
        seen.append(torch.get_num_threads())
        return np.ones((len(rows), 2), dtype=np.float32)

    try:
        run_batches(batches([5], 3), forward, out, 3)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert (seen, out.tolist()) == ([1], [[1.0, 1.0]])


def test_texts_of_unlike_lengths_together_have_the_vectors_that_each_has_alone() -> None:
    encoder = load_encoder(device="cpu")
    exact = load_bert(minilm_folder(), encoder.id, "cpu", torch.float32)
    texts = ["word " * n for n in (1, 40, 3, 17, 90)]
    alone = np.concatenate([exact.encode([text]) for text in texts])
    np.testing.assert_allclose(exact.encode(texts), alone, atol=1e-5)


def test_the_two_gtr_spaces_differ_in_id_norm_and_direction(on_hub: Path) -> None:
    plain, st = load_encoder("gtr-t5-base", "cpu"), load_encoder("gtr-t5-base-st", "cpu")
    assert plain.id.partition("@")[0] == "gtr-t5-base"
    assert st.id.partition("@")[0] == "gtr-t5-base-st"
    assert plain.id.partition("@")[2] != st.id.partition("@")[2]
    assert (plain.unit_norm, st.unit_norm) == (False, True)
    assert np.abs(cosine(plain.encode(TEXTS), st.encode(TEXTS))).max() < 0.5


def test_gtr_is_the_masked_mean_of_t5_over_32_tokens(on_hub: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    folder = next(on_hub.glob("models--sentence-transformers--gtr-t5-base/snapshots/*"))
    net = AutoModel.from_pretrained(str(folder)).eval()
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    for text, vector in zip(TEXTS, load_encoder("gtr-t5-base", "cpu").encode(TEXTS), strict=True):
        tokens = tokenizer([text], return_tensors="pt", truncation=True, max_length=32)
        with torch.inference_mode():
            expected = net.encoder(**tokens).last_hidden_state[0].mean(dim=0)
        assert torch.allclose(torch.from_numpy(vector), expected, atol=1e-4)


def test_a_known_encoder_loads_from_a_folder_and_comes_back_by_its_id(hub: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my gtr"
    shutil.copytree(next(hub.glob("models--*/snapshots/*")), folder)
    encoder = load_encoder(f"gtr-t5-base:{folder}", "cpu")
    assert encoder_for(encoder.id, "cpu").id == encoder.id


def test_any_sentence_transformers_folder_loads_and_comes_back_by_its_id(tmp_path: Path) -> None:
    folder = tmp_path / "my-own-model"
    shutil.copytree(minilm_folder(), folder)
    encoder = load_encoder(str(folder), "cpu")
    assert encoder.id == "my-own-model@53aa51172d14"
    again = encoder_for(encoder.id, "cpu")
    assert cosine(again.encode(TEXTS), load_sentence(folder, "x", "cpu").encode(TEXTS)).min() > 0.999


def test_a_folder_that_went_away_takes_no_encoder_with_it(tmp_path: Path, cache: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(minilm_folder(), tmp_path / name / "my-own-model")
        load_encoder(str(tmp_path / name / "my-own-model"), "cpu")
        load_encoder(f"{DEFAULT_ENCODER}:{tmp_path / name / 'my-own-model'}", "cpu")
    shutil.rmtree(tmp_path / "two")
    assert encoder_for("my-own-model@53aa51172d14", "cpu").id == "my-own-model@53aa51172d14"
    shutil.rmtree(tmp_path / "one")
    with pytest.raises(EncoderError, match=r"one/my-own-model is no model folder.*where it lies now with --encoder"):
        encoder_for("my-own-model@53aa51172d14", "cpu")
    assert encoder_for(MINILM_ID, "cpu").id == MINILM_ID, "the wheel finds the built-in one"
    (cache / "encoders.json").write_text('{"all-MiniLM-L6-v2@53aa51172d14": "all-MiniLM-L6-v2:/gone"}')
    assert encoder_for(MINILM_ID, "cpu").id == MINILM_ID
    (cache / "encoders.json").write_text("damaged")
    assert encoder_for(MINILM_ID, "cpu").id == MINILM_ID


def test_other_weights_under_the_same_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpaceMismatch, match="all-MiniLM-L6-v2@000000000000"):
        encoder_for("all-MiniLM-L6-v2@000000000000")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "There is no encoder 'nonsense'; expected one of all-MiniLM-L6-v2"),
        ("nobody/nothing", "huggingface-cli download nobody/nothing"),
        ("gtr-t5-base", "huggingface-cli download sentence-transformers/gtr-t5-base"),
        ("gtr-t5-base:/nowhere at all", "is no model folder"),
        ("all-MiniLM-L6-v2:", "names no folder behind the colon; expected all-MiniLM-L6-v2:FOLDER"),
    ],
)
def test_an_encoder_that_is_not_there_says_how_to_get_it(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    with pytest.raises(EncoderError, match=message):
        load_encoder(name)


def test_damaged_weights_are_a_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(minilm_folder(), folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1_000_000])
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_encoder(str(folder), "cpu")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_encoder(f"{DEFAULT_ENCODER}:{folder}", "cpu")


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EncoderError, match="holds no weights"):
        load_encoder(str(tmp_path), "cpu")


def test_batches_hold_every_text_once_longest_first_and_few_enough_tokens() -> None:
    lengths = [3, 500, 20, 20, 7, 2000, 1]
    groups = batches(lengths, tokens=100)
    assert sorted(i for group in groups for i in group) == list(range(7))
    assert [lengths[i] for group in groups for i in group] == sorted(lengths, reverse=True)
    assert all(len(group) == 1 or lengths[group[0]] * len(group) <= 100 for group in groups)
    assert [len(group) for group in batches([30] * 5, n_threads=2)] == [3, 2]
