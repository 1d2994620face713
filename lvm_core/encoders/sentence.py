"""sentence-transformers models: the embedded default and every other one, by bfloat16 where that is faithful."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lvm_core.device import has_fast_bf16, pick_device
from lvm_core.encoders.batching import batches, check_texts
from lvm_core.errors import EncoderError
from lvm_core.types import Vectors

if TYPE_CHECKING:
    import torch

FAITHFUL_COSINE = 0.998
"""At or above this cosine to the fp32 vector, a bfloat16 vector counts as the same space."""

PROBES = [
    "The Moon is Earth's only natural satellite.",
    "In 1905 he published four papers, on the photoelectric effect, Brownian motion, special relativity and energy.",
    "gravity",
    "Its population was 3,645,218 at the census, and the city's port handled 40 % of the country's trade that year.",
]


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
        for places in batches([_guess_tokens(text, self._limit) for text in texts]):
            out[places] = self._forward([texts[i] for i in places])
        if self.unit_norm and len(out):
            out /= np.linalg.norm(out, axis=1, keepdims=True)
        return out

    @property
    def _limit(self) -> int:
        return int(self._model.max_seq_length or 512)

    def _forward(self, texts: list[str]) -> Vectors:
        import torch

        with self._tokenizing:
            features = self._model.preprocess(texts)
        features = {k: v.to(self._model.device) if isinstance(v, torch.Tensor) else v for k, v in features.items()}
        with torch.inference_mode():
            vectors: Vectors = self._model(features)["sentence_embedding"].float().cpu().numpy()
        return vectors


def _guess_tokens(text: str, limit: int) -> int:
    """Return about how many tokens a text has: English has 4 to 5 characters a token, with its space."""
    return min(limit, len(text) // 4 + 3)


def load_sentence(folder: Path, identity: str, device: str = "auto") -> SentenceEncoder:
    """Return the model in `folder`, in bfloat16 where the hardware is quick at it and the vectors stay the same.

    Raises:
        EncoderError: if the folder's model cannot be loaded.
    """
    place = pick_device(device)
    precise = SentenceEncoder(_load(folder, place), identity)
    if not _quick_at_bf16(place):
        return precise
    return _halved(precise, folder, place)


def _halved(precise: SentenceEncoder, folder: Path, place: "torch.device") -> SentenceEncoder:
    """Return the encoder in bfloat16, or in fp32 again where that bends the vectors."""
    import torch

    reference = precise.encode(PROBES)
    model = precise._model.to(torch.bfloat16)
    halved = SentenceEncoder(model, precise.id, precise=False)
    vectors = halved.encode(PROBES)
    norms = np.linalg.norm(reference, axis=1) * np.linalg.norm(vectors, axis=1)
    cosines = (reference * vectors).sum(axis=1) / np.maximum(norms, 1e-12)
    if halved.unit_norm == precise.unit_norm and cosines.min() >= FAITHFUL_COSINE:
        return halved
    return SentenceEncoder(_load(folder, place), precise.id)


def _quick_at_bf16(place: "torch.device") -> bool:
    import torch

    return has_fast_bf16() if place.type == "cpu" else place.type == "cuda" and torch.cuda.is_bf16_supported()


def _load(folder: Path, place: "torch.device") -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(str(folder), device=str(place), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EncoderError(
            f"The model in {folder} cannot be loaded: {error}."
            " Expected a sentence-transformers or transformers text model."
        ) from error
    return model.eval()
