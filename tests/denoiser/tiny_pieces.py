"""Word pieces of the test articles with a random BERT of two layers, 32 wide: a denoiser's parts in a second."""

from functools import cache

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from lvm_core.denoiser.pieces import WordPieces
from tests.inverter.tiny_inverter import SOURCE

WIDTH, LAYERS = 32, 2


@cache
def tiny_pieces() -> WordPieces:
    """Return 400 word pieces, others in each process, and the weights of a random BERT by their Hugging Face names."""
    torch.manual_seed(0)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([SOURCE.read_text("utf-8")], trainer)
    shapes = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (4 * WIDTH, WIDTH),
        "output.dense": (WIDTH, 4 * WIDTH),
    }
    weights = {
        "embeddings.word_embeddings.weight": torch.randn(tokenizer.get_vocab_size(), WIDTH) * 0.1,
        "embeddings.position_embeddings.weight": torch.randn(512, WIDTH) * 0.02,
        "embeddings.token_type_embeddings.weight": torch.randn(2, WIDTH) * 0.02,
    }
    norms = ["embeddings.LayerNorm"]
    for i in range(LAYERS):
        base = f"encoder.layer.{i}."
        norms += [f"{base}attention.output.LayerNorm", f"{base}output.LayerNorm"]
        for name, shape in shapes.items():
            weights[f"{base}{name}.weight"] = torch.randn(shape) * 0.1
            weights[f"{base}{name}.bias"] = torch.randn(shape[0]) * 0.1
    for name in norms:
        weights |= {f"{name}.weight": 1 + 0.1 * torch.randn(WIDTH), f"{name}.bias": 0.1 * torch.randn(WIDTH)}
    return WordPieces(tokenizer, weights, LAYERS)
