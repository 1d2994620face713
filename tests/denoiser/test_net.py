"""The denoiser's net against an independent BERT, and what padding and vectors do to it."""

import pytest
import torch
from torch.nn.functional import normalize
from transformers import BertConfig, BertModel

from lvm_core.denoiser.net import Denoiser, DenoiserSize, norm
from tests.denoiser.tiny_pieces import LAYERS, WIDTH, tiny_pieces

DIM = 24
SIZE = DenoiserSize(DIM, n_layers=LAYERS, width=WIDTH, n_heads=1, inner=4 * WIDTH)
TOKENS = torch.tensor([[20, 50, 33, 90, 70, 4]])


@pytest.fixture
def net() -> Denoiser:
    pieces = tiny_pieces()
    torch.manual_seed(1)
    net = Denoiser(SIZE, pieces.words)
    net.begin_as(pieces.weights, LAYERS)
    return net


def vectors(n: int) -> torch.Tensor:
    return normalize(torch.randn(n, DIM, generator=torch.Generator().manual_seed(3)), dim=-1)


@torch.no_grad()
def test_it_begins_as_the_encoder(net: Denoiser) -> None:
    pieces = tiny_pieces()
    config = BertConfig(
        vocab_size=len(pieces.words), hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=1,
        intermediate_size=4 * WIDTH,
    )  # fmt: skip
    reference = BertModel(config, add_pooling_layer=False).eval()
    assert reference.load_state_dict(pieces.weights, strict=False).unexpected_keys == []
    theirs = reference(TOKENS, position_ids=torch.arange(1, 7)[None]).last_hidden_state
    net.entry.weight.zero_()
    net.entry.bias.zero_()
    reading = net.read(vectors(1))
    before, *within, _ = reading.norms
    x = norm(net.words[TOKENS] + net.positions[:6], before)
    for i, layer in enumerate(net.layers):
        x = layer(x, within[2 * i], within[2 * i + 1], None)
    assert torch.allclose(x, theirs, atol=1e-5)


def test_training_and_reading_compute_the_same(net: Denoiser) -> None:
    trained = net(TOKENS, net.read(vectors(1)))
    with torch.no_grad():
        assert torch.allclose(net(TOKENS, net.read(vectors(1))), trained, atol=1e-5)


@torch.no_grad()
def test_what_stands_behind_a_text_changes_nothing(net: Denoiser) -> None:
    padded = torch.cat([TOKENS, torch.tensor([[11, 12]])], 1)
    alone = net(TOKENS, net.read(vectors(1)))
    assert torch.allclose(net(padded, net.read(vectors(1)), torch.tensor([6]))[:, :6], alone, atol=1e-5)


@torch.no_grad()
def test_the_vector_is_seen_at_every_position(net: Denoiser) -> None:
    one, two = net(TOKENS.expand(2, -1), net.read(vectors(2)))
    assert ((one - two).abs().amax(-1) > 1e-4).all()


def test_only_what_is_trained_is_stored(net: Denoiser) -> None:
    assert set(net.state_dict()) == {name for name, _ in net.named_parameters()}
    assert len(net.logits(net(TOKENS, net.read(vectors(1)))[0])[0]) == len(tiny_pieces().words)
