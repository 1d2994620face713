"""The two spaces of gtr-t5-base: the sentence-transformers model, and the T5 encoder's bare mean.

The mean, without Dense layer and not normalised, is what vec2text's jxm models know (Morris et al., "Text Embeddings
Reveal (Almost) As Much As Text", 2023, section 4). Normalising it, or taking the sentence-transformers model of the
same name, gives another space.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lvm_core.device import pick_device
from lvm_core.encoders.batching import batches, check_texts, cpu_threads, run_batches
from lvm_core.encoders.hub import hub_folder, in_hub_cache
from lvm_core.encoders.kind import EncoderKind
from lvm_core.encoders.weights import lacking
from lvm_core.errors import EncoderError
from lvm_core.types import Vectors

REPOSITORY = "sentence-transformers/gtr-t5-base"
MAX_TOKENS = 32
"""The length at which the jxm models were trained and re-embed their own guesses."""


class GtrEncoder:
    """Masked mean of the last hidden state of T5's encoder, (N, 768), of no fixed norm."""

    unit_norm = False

    def __init__(self, net: Any, tokenizer: Any, identity: str) -> None:
        """Wrap a loaded T5 encoder and its tokenizer."""
        self.id = identity
        self.dim = int(net.config.d_model)
        self._net = net
        self._tokenizer = tokenizer
        self._tokenizing = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the embeddings (N, D) float32 in the order of `texts`; only the first 32 tokens count.

        Raises:
            EncoderError: if a text is empty or not valid Unicode.
        """
        texts = check_texts(texts)
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        n_threads = cpu_threads(self._net.device.type)
        groups = batches([min(MAX_TOKENS, len(text) // 4 + 2) for text in texts], n_threads)
        run_batches(groups, lambda group: self._forward([texts[i] for i in group]), out, n_threads)
        return out

    def _forward(self, texts: list[str]) -> Vectors:
        import torch

        with self._tokenizing:
            tokens = self._tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=MAX_TOKENS)
        tokens = tokens.to(self._net.device)
        with torch.inference_mode():
            hidden = self._net(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).last_hidden_state
            mask = tokens.attention_mask[..., None].to(hidden.dtype)  # (B, T, 1)
            means = (hidden * mask).sum(dim=1) / mask.sum(dim=1)  # (B, D)
        vectors: Vectors = means.float().cpu().numpy()
        return vectors


def load_gtr(folder: Path, identity: str, device: str = "auto") -> GtrEncoder:
    """Return the encoder in `folder`, in fp32: its decoder rebuilds words from small differences.

    Raises:
        EncoderError: if the folder holds no T5.
    """
    from safetensors import SafetensorError
    from transformers import AutoTokenizer, T5EncoderModel

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        net, report = T5EncoderModel.from_pretrained(str(folder), local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise EncoderError(
            f"The model in {folder} cannot be loaded as a T5 encoder: {error}",
            "sentence-transformers/gtr-t5-base",
            "Fetch that model again, or give its folder.",
        ) from error
    missing = [name for name in report["missing_keys"] if not name.endswith("embed_tokens.weight")]
    if missing or report["mismatched_keys"]:
        raise lacking(folder, missing)
    return GtrEncoder(net.eval().to(pick_device(device)), tokenizer, identity)


ST_KIND = EncoderKind(
    about="the sentence-transformers model with its Dense layer, unit norm; from the hub",
    languages="English",
    dim=768,
    install=f"huggingface-cli download {REPOSITORY}",
    is_here=lambda: in_hub_cache(REPOSITORY),
    find=lambda: hub_folder(REPOSITORY),
)

KIND = EncoderKind(
    about="the T5 encoder's mean as vec2text's jxm models know it, not normalised; from the hub",
    languages="English",
    dim=768,
    install=f"huggingface-cli download {REPOSITORY}",
    is_here=lambda: in_hub_cache(REPOSITORY),
    find=lambda: hub_folder(REPOSITORY),
    implementation="lvm_core.encoders.gtr:load_gtr",
    modules=False,
    configured=False,
)
