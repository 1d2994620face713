"""sentence-transformers models of any kind, in bfloat16 where that is faithful."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lvm_core.boundary.safetensors import tensors_in
from lvm_core.device import pick_device
from lvm_core.encoders.batching import batches, check_texts, cpu_threads, run_batches
from lvm_core.encoders.precision import FAITHFUL_COSINE, PROBES, quick_at_bf16
from lvm_core.encoders.weights import lacking
from lvm_core.errors import EncoderError
from lvm_core.types import Vectors
from lvm_core.vectors.geometry import cosine

if TYPE_CHECKING:
    import torch


class SentenceEncoder:
    """A sentence-transformers model behind the `Encoder` protocol; safe to call from several threads."""

    def __init__(self, model: Any, identity: str, precise: bool = True) -> None:
        """Wrap a loaded `SentenceTransformer`.

        Args:
            model: the model, on its device and in its precision.
            identity: encoder id.
            precise: whether it computes in fp32.
        """
        self.id = identity
        self.precise = precise
        self._model = model
        self._tokenizing = threading.Lock()
        self._prompt = (model.prompts or {}).get(model.default_prompt_name or "") or None
        probe = self._forward(PROBES[:2])
        self.dim = int(probe.shape[1])
        self.unit_norm = bool(np.allclose(np.linalg.norm(probe, axis=1), 1, atol=1e-2))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the embeddings (N, D) float32 in the order of `texts`; longer texts are cut at the model's limit.

        Raises:
            EncoderError: if a text is empty or not valid Unicode.
        """
        texts = check_texts(texts)
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        n_threads = cpu_threads(self._model.device.type)
        groups = batches([_guess_tokens(text, self._limit) for text in texts], n_threads)
        run_batches(groups, lambda group: self._forward([texts[i] for i in group]), out, n_threads)
        if self.unit_norm and len(out):
            out /= np.linalg.norm(out, axis=1, keepdims=True)
        return out

    @property
    def _limit(self) -> int:
        return int(self._model.max_seq_length or 512)

    def _forward(self, texts: list[str]) -> Vectors:
        import torch

        with self._tokenizing:
            features = self._model.preprocess(texts, prompt=self._prompt)
        features = {k: v.to(self._model.device) if isinstance(v, torch.Tensor) else v for k, v in features.items()}
        with torch.inference_mode():
            vectors: Vectors = self._model(features)["sentence_embedding"].float().cpu().numpy()
        return vectors[:, : self._model.truncate_dim]


def _guess_tokens(text: str, limit: int) -> int:
    """Return about how many tokens a text has: English has 4 to 5 characters a token, with its space."""
    return min(limit, len(text) // 4 + 3)


def load_sentence(folder: Path, identity: str, device: str = "auto") -> SentenceEncoder:
    """Return the model in `folder`, in bfloat16 where the hardware is quick at it and the vectors stay the same.

    Raises:
        EncoderError: if the folder's model cannot be loaded, or lacks weights.
    """
    torch_device = pick_device(device)
    model = _load(folder, torch_device)
    with _of_a_text_model(folder, "asked for a vector"):
        precise = SentenceEncoder(model, identity)
    missing = _missing_weights(model, folder)
    if missing and not _same_twice(precise, SentenceEncoder(_load(folder, torch_device, seed=1), identity)):
        raise lacking(folder, missing)
    if not quick_at_bf16(torch_device):
        return precise
    return _halved(precise, folder, torch_device)


def _missing_weights(model: Any, folder: Path) -> list[str]:
    """Return the parameters of the transformer that no tensor of the folder is called like; its pooler is not used.

    Names are a hint only, since libraries rename tensors: what is missing is filled with random numbers, and whether
    it was shows in the vectors of a second loading.
    """
    net = getattr(model[0], "auto_model", None)
    weights = sorted(folder.glob("model*.safetensors"))
    if net is None or not weights:
        return []
    tensors = {name.removeprefix(f"{net.base_model_prefix}.") for path in weights for name in tensors_in(path)}
    names = [name for name, _ in net.named_parameters() if not name.startswith("pooler.")]
    return [name for name in names if name not in tensors]


def _same_twice(one: SentenceEncoder, other: SentenceEncoder) -> bool:
    return bool(np.allclose(one.encode(PROBES), other.encode(PROBES), atol=1e-3))


def _halved(precise: SentenceEncoder, folder: Path, device: "torch.device") -> SentenceEncoder:
    """Return the encoder in bfloat16, or in fp32 again where that bends the vectors."""
    import torch

    reference = precise.encode(PROBES)
    model = precise._model.to(torch.bfloat16)
    halved = SentenceEncoder(model, precise.id, precise=False)
    vectors = halved.encode(PROBES)
    if halved.unit_norm == precise.unit_norm and cosine(reference, vectors).min() >= FAITHFUL_COSINE:
        return halved
    return SentenceEncoder(_load(folder, device), precise.id)


def _load(folder: Path, device: "torch.device", seed: int = 0) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer

    with _of_a_text_model(folder, "loaded"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SentenceTransformer(str(folder), device=str(device), local_files_only=True)
    return model.eval()


@contextlib.contextmanager
def _of_a_text_model(folder: Path, done: str) -> Iterator[None]:
    """Say that the model in `folder` cannot be `done`: its settings may say anything, and libraries find out late."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise EncoderError(
            f"The model in {folder} cannot be {done}: {error}",
            "a sentence-transformers or transformers text model",
            "Download it again, or give the folder of such a model.",
        ) from error
