"""A tiny Llama with a tokenizer of its own, a tiny encoder, and a corpus: the inverter's parts in a second."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from lvm_core.corpus.ingest import IngestSettings, ingest
from lvm_core.inverter.smollm import LanguageModel
from lvm_core.types import Vectors
from lvm_core.workspace import Workspace

SOURCE = Path(__file__).resolve().parent.parent / "data" / "wikipedia.jsonl"
DIM = 24


class BagEncoder:
    """Each word has a random direction; a text is their normalised sum."""

    id = "bag@000000000000"
    dim = DIM
    unit_norm = True

    def encode(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), DIM), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()) or ["nothing"]:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
                row += np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
            row /= np.linalg.norm(row)
        return found


def corpus(workspace: Workspace) -> Workspace:
    """Read the beginnings of twelve articles into `workspace` as corpus "small"."""
    ingest(workspace, str(SOURCE), "small", IngestSettings(licence="CC BY-SA 4.0"))
    return workspace


def tiny_language() -> LanguageModel:
    """Return a random Llama of two layers, W = 32, and a tokenizer of 300 entries."""
    torch.manual_seed(0)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<{i}>" for i in range(14))]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([SOURCE.read_text("utf-8")], trainer)
    width, inner, n_vocab = 32, 48, tokenizer.get_vocab_size()
    config = {
        "hidden_size": width, "intermediate_size": inner, "num_attention_heads": 4, "num_key_value_heads": 2,
        "num_hidden_layers": 2, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "vocab_size": n_vocab,
    }  # fmt: skip
    shapes = {
        "self_attn.q_proj": (32, 32), "self_attn.k_proj": (16, 32), "self_attn.v_proj": (16, 32),
        "self_attn.o_proj": (32, 32), "mlp.gate_proj": (48, 32), "mlp.up_proj": (48, 32), "mlp.down_proj": (32, 48),
    }  # fmt: skip
    weights = {"model.embed_tokens.weight": torch.randn(n_vocab, width) * 0.3, "model.norm.weight": torch.ones(width)}
    for i in range(2):
        start = f"model.layers.{i}."
        weights |= {f"{start}{k}.weight": torch.randn(*shape) * 0.1 for k, shape in shapes.items()}
        weights |= {f"{start}{k}.weight": torch.ones(width) for k in ("input_layernorm", "post_attention_layernorm")}
    return LanguageModel("tiny", config, {k: v.bfloat16() for k, v in weights.items()}, tokenizer)
