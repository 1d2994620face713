"""Linformer: attention to a fixed number of mixtures of the window, for a whole window at a time."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lvm_core.config import setting
from lvm_core.nets.base import NetOptions, SequenceModel
from lvm_core.nets.heads import heads


@dataclass
class LinformerOptions(NetOptions):
    """Sizes of the Linformer."""

    context: int = setting(5, "chunks of the window it reads", "chunks", low=1, high=100)
    d_model: int = setting(0, "width of the layers; 0: as wide as the vectors", unit="units", low=0, high=8192)
    n_layers: int = setting(2, "layers", low=1, high=128)
    n_heads: int = setting(0, "attention heads, which must divide d_model; 0: about 64 units each", low=0, high=128)
    k: int = setting(32, "mixtures that a window is summed up in", low=1, high=1024, label="mixtures")
    d_ff: int = setting(0, "width of the feed-forward nets; 0: twice d_model", unit="units", low=0, high=65536)


class LinformerLayer(nn.Module):
    """Self-attention to learned mixtures of keys and values (Wang et al. 2020, "Linformer", section 4, equation 7)."""

    def __init__(self, width: int, n_heads: int, window: int, k: int, d_ff: int, dropout: float) -> None:
        """Make the layer for windows of at most `window` positions."""
        super().__init__()
        self.n_heads, self.d_head = n_heads, width // n_heads
        self.attention_norm, self.net_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.mix_keys = nn.Parameter(torch.empty(window, k).uniform_(-(k**-0.5), k**-0.5))
        self.mix_values = nn.Parameter(torch.empty(window, k).uniform_(-(k**-0.5), k**-0.5))
        self.out = nn.Linear(width, width)
        self.net = nn.Sequential(nn.Linear(width, d_ff), nn.GELU(), nn.Linear(d_ff, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, real: Tensor) -> Tensor:
        """Return (N, L, M) for windows `h` (N, L, M); `real` (N, L, 1) is 0 where a window has no chunk."""
        x = self.attention_norm(h)
        inside = x * real  # what is not there has no part in any mixture
        q = self._heads(self.query(x))
        k = self._heads(torch.einsum("nlm,lk->nkm", self.key(inside), self.mix_keys[: h.shape[1]]))
        v = self._heads(torch.einsum("nlm,lk->nkm", self.value(inside), self.mix_values[: h.shape[1]]))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        h = h + self.dropout(self.out(mixed))
        out: Tensor = h + self.dropout(self.net(self.net_norm(h)))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-1], self.n_heads, self.d_head).transpose(1, 2)


class Linformer(SequenceModel):
    """Reads the window of chunks that ends at a position, whole, and predicts what follows it.

    Its mixtures run over the whole window, so no mask makes the layers causal (nor do the packages that promise it):
    a text of T chunks is cut into the T windows that end at each of them, which costs `context` times the work.
    """

    name = "linformer"
    sliding = True
    Options = LinformerOptions

    def __init__(self, dim: int, options: LinformerOptions) -> None:
        """Make the net for vectors of `dim` numbers.

        Raises:
            SettingsError: if the heads do not divide d_model.
        """
        super().__init__(dim, options)
        width, window = options.d_model or dim, options.context
        n_heads = heads(width, options.n_heads)
        self.input = nn.Linear(dim, width)
        self.places = nn.Parameter(0.02 * torch.randn(window, width))
        d_ff = options.d_ff or 2 * width
        self.layers = nn.ModuleList(
            LinformerLayer(width, n_heads, window, options.k, d_ff, options.dropout) for _ in range(options.n_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, dim)

    @property
    def reach(self) -> int:
        """The number of chunks that a position sees at most."""
        own: int = self.options.context
        return max(own, int(getattr(self.filter, "reach", own)))

    def last_layer(self) -> nn.Linear:
        return self.head

    def correction(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        window = min(self.options.context, length)
        # the window that ends at t starts at the first chunk there is: short windows lie on the left
        place = torch.arange(length, device=x.device)
        rows = (place - window + 1).clamp(min=0)[:, None] + torch.arange(window, device=x.device)  # (T, L)
        real = (rows <= place[:, None])[..., None].to(x.dtype)  # (T, L, 1)
        h = self.input(x * self.dim**0.5)[:, rows.clamp(max=length - 1)] + self.places[:window]  # (B, T, L, M)
        h, real = h.flatten(0, 1), real.repeat(batch, 1, 1)
        for layer in self.layers:
            h = layer(h, real)
        last = (place.clamp(max=window - 1)).repeat(batch)  # where each window's newest chunk lies
        out: Tensor = self.head(self.norm(h[torch.arange(len(h), device=x.device), last]))
        return out.view(batch, length, -1)
