"""A model folder is data: it runs no code, and its id says what besides its weights makes its vectors."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm_core.encoders import DEFAULT_ENCODER, encoder_id, load_encoder
from lvm_core.encoders.minilm import minilm_folder
from lvm_core.encoders.model_folder import check_model_folder, configuration_of
from lvm_core.errors import EncoderError, LvmError
from tests.encoders.contract import TEXTS

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *sorted({w for t in TEXTS for w in t.replace(",", "").replace(".", "").split()}),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny BERT with random weights."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("base")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def save(
    base: Path, folder: Path, pooling: str = "mean", normalize: bool = True, max_tokens: int = 64, **more: Any
) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    parts = [modules.Transformer(str(base)), modules.Pooling(48, pooling_mode=pooling)]
    model = SentenceTransformer(modules=parts + [modules.Normalize()] * normalize, device="cpu", **more)
    model.max_seq_length = max_tokens
    model.save(str(folder / "enc"), create_model_card=False)
    return folder / "enc"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "cache"))


def test_the_same_weights_used_otherwise_are_another_space(base: Path, tmp_path: Path) -> None:
    folders = {
        "usual": save(base, tmp_path / "a"),
        "cls": save(base, tmp_path / "b", pooling="cls"),
        "not normalised": save(base, tmp_path / "c", normalize=False),
        "prompted": save(base, tmp_path / "d", prompts={"passage": "river stone "}, default_prompt_name="passage"),
        "cut": save(base, tmp_path / "e", truncate_dim=16),
        "short": save(base, tmp_path / "f", max_tokens=8),
    }
    ids = {name: encoder_id(str(folder)) for name, folder in folders.items()}
    assert len(set(ids.values())) == len(ids)
    assert encoder_id(str(save(base, tmp_path / "again"))) == ids["usual"]
    vectors = {name: load_encoder(str(folder), "cpu").encode(TEXTS) for name, folder in folders.items()}
    assert vectors["cut"].shape == (4, 16)
    for name in ("cls", "prompted"):
        assert not np.allclose(vectors[name], vectors["usual"], atol=1e-2), name


def test_vectors_are_those_of_the_library_with_prompt_and_cut(base: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    more = {"prompts": {"passage": "river stone "}, "default_prompt_name": "passage", "truncate_dim": 16}
    folder = save(base, tmp_path, normalize=False, **more)
    expected = SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(TEXTS)
    encoder = load_encoder(str(folder), "cpu")
    assert np.allclose(encoder.encode(TEXTS), expected, atol=2e-2)
    assert encoder.dim == 16


def test_shipped_encoders_keep_their_ids(tmp_path: Path) -> None:
    assert encoder_id(DEFAULT_ENCODER) == "all-MiniLM-L6-v2@53aa51172d14"
    assert configuration_of(minilm_folder(), "53aa51172d14").differences() == {}
    shutil.copytree(minilm_folder(), tmp_path / "copy")
    assert encoder_id(str(tmp_path / "copy")) == "copy@53aa51172d14"
    beside = tmp_path / "copy" / "1_Pooling" / "config.json"
    beside.write_text(beside.read_text().replace("true", "false").replace('cls_token": false', 'cls_token": true'))
    assert encoder_id(str(tmp_path / "copy")) != "copy@53aa51172d14"


EVIL = """
from pathlib import Path
Path({mark!r}).write_text("ran")
class Evil: pass
"""


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("modules.json", "type", "evil.Evil"),
        ("modules.json", "type", "subprocess.Popen"),
        ("modules.json", "type", "sentence_transformers.util.misc.import_from_string"),
        ("modules.json", "path", "../../elsewhere"),
        ("config.json", "auto_map", {"AutoModel": "evil.Evil"}),
        ("tokenizer_config.json", "auto_map", {"AutoTokenizer": ["evil.Evil", None]}),
        ("1_Pooling/config.json", "activation_function", "evil.Evil"),
        ("1_Pooling/config.json", "activation_function", "torch.hub.load"),
        ("sentence_bert_config.json", "modality_config", {"text": {"method": "save_pretrained"}}),
    ],
)
def test_a_folder_that_names_code_is_refused_before_it_is_loaded(
    base: Path, tmp_path: Path, file: str, key: str, value: Any
) -> None:
    folder = save(base, tmp_path)
    (folder / "evil.py").write_text(EVIL.format(mark=str(tmp_path / "ran")))
    settings = json.loads((folder / file).read_text())
    (settings[1] if isinstance(settings, list) else settings)[key] = value
    (folder / file).write_text(json.dumps(settings))
    for name in (str(folder), f"gtr-t5-base-st:{folder}", f"gtr-t5-base:{folder}", f"{DEFAULT_ENCODER}:{folder}"):
        with pytest.raises(EncoderError, match=r"names .*(expected|leads out of)"):
            load_encoder(name, "cpu")
    assert not (tmp_path / "ran").exists()


def test_missing_weights_are_refused_and_never_filled_with_noise(base: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save(base, tmp_path)
    weights = load_file(folder / "model.safetensors")
    for left in ({}, {n: t for n, t in weights.items() if "layer.1" not in n}):
        save_file(left, folder / "model.safetensors")
        with pytest.raises(EncoderError, match=r"lacks .* of its weights .*Download it again"):
            load_encoder(str(folder), "cpu")
    no_pooler = {n: t for n, t in weights.items() if not n.startswith("pooler")}
    save_file(no_pooler, folder / "model.safetensors")
    assert load_encoder(str(folder), "cpu").dim == 48, "the pooler is not used"


def test_weights_that_are_a_pipe_are_refused_at_once(base: Path, tmp_path: Path) -> None:
    folder = save(base, tmp_path)
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")
    with pytest.raises(EncoderError, match="is a pipe; expected a regular file"):
        load_encoder(str(folder), "cpu")


@pytest.mark.parametrize(
    ("name", "values"),
    [("1_Pooling/config.json", {"pooling_mode": []}), ("config.json", {"hidden_act": []})],
)
def test_what_a_library_finds_wrong_only_at_work_is_found_at_the_start(
    base: Path, tmp_path: Path, name: str, values: dict[str, Any]
) -> None:
    folder = save(base, tmp_path)
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    with pytest.raises(EncoderError, match=r"cannot be (loaded|asked for a vector)"):
        load_encoder(str(folder), "cpu")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
    | st.sampled_from(["", "mean", "x.Y", "evil.Evil"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["type", "path", "idx", "prompts", "auto_map", "pooling_mode", "max_seq_length", "truncate_dim",
                         "default_prompt_name", "modality_config", "activation_function", "model_max_length"]),
        inner, max_size=4,
    ),
    max_leaves=10,
)  # fmt: skip
FILES = ("modules.json", "config.json", "tokenizer_config.json", "config_sentence_transformers.json",
         "sentence_bert_config.json", "1_Pooling/config.json")  # fmt: skip


@given(st.sampled_from(FILES), JSON)
@settings(max_examples=400, deadline=None)
def test_any_settings_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, base: Path, file: str, value: Any
) -> None:
    folder = tmp_path_factory.getbasetemp() / "mutant-model"
    if not (folder / "enc").exists():
        save(base, folder)
    path = folder / "enc" / file
    former = path.read_bytes()
    path.write_text(json.dumps(value))
    try:
        check_model_folder(folder / "enc")
        configuration_of(folder / "enc", "0" * 64).differences()
    except LvmError as error:
        assert file.rpartition("/")[2] in str(error)  # noqa: PT017
    finally:
        path.write_bytes(former)
