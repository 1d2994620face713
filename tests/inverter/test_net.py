"""The Llama of the inverter against an independent one, and how texts are written from it."""

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lvm_core.inverter.generate import Generator
from lvm_core.inverter.net import END, InverterNet, NetSize, packed
from lvm_core.inverter.score import alternatives, fluencies
from lvm_core.inverter.smollm import LanguageModel
from lvm_core.inverter.words import N_COMMON, UNSEEN
from tests.inverter.tiny_inverter import DIM, tiny_language

SIZE = NetSize(DIM, n_soft=2, n_hints=4, rank=2, hidden=16, word_hidden=16)


@pytest.fixture(scope="module")
def language() -> LanguageModel:
    return tiny_language()


@pytest.fixture
def net(language: LanguageModel) -> InverterNet:
    torch.manual_seed(1)
    net = InverterNet(language, SIZE)
    for block in net.blocks:
        for low in (block.qkv, block.out, block.gate_up, block.down):
            torch.nn.init.normal_(low.up, std=0.05)
    net.words.prior.copy_(torch.linspace(-8, -2, len(net.words.prior)))
    return net.eval()


def targets(n: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(n, DIM, generator=torch.Generator().manual_seed(3)), dim=-1)


def test_it_computes_what_transformers_computes(language: LanguageModel) -> None:
    exact = LanguageModel("exact", language.config, {k: v.float() for k, v in language.weights.items()}, None)
    reference = LlamaForCausalLM(LlamaConfig(**language.config, tie_word_embeddings=True))
    missing = reference.load_state_dict(exact.weights, strict=False)
    assert missing.missing_keys == ["lm_head.weight"]
    reference.tie_weights()
    net, tokens = InverterNet(exact, SIZE), torch.tensor([[20, 50, 33, 90, 70]])
    with torch.no_grad():
        ours = net.logits(net.hidden(net.embedding[tokens]))
        assert torch.allclose(ours, reference(tokens).logits, atol=1e-4)


def test_only_what_is_trained_is_stored(net: InverterNet) -> None:
    stored = set(net.state_dict())
    trained = {name for name, p in net.named_parameters() if p.requires_grad}
    assert stored == trained | {"words.prior"}
    assert not any("embedding" in name or ("weight" in name and "blocks" in name) for name in stored)


def test_a_text_behind_the_padding_never_changes_a_loss(net: InverterNet) -> None:
    hints, tokens = torch.full((2, 4), 30), torch.tensor([[40, 41, END, END], [50, 51, 52, END]])
    lengths = torch.tensor([3, 4])
    both = net.losses(targets(2), hints, tokens, lengths)
    alone = net.losses(targets(2)[:1], hints[:1], tokens[:1, :3], lengths[:1])
    assert torch.allclose(both[:3], alone, atol=2e-2)


def test_written_with_a_cache_is_what_the_whole_text_gives(net: InverterNet, language: LanguageModel) -> None:
    generator = Generator(net, language.tokenizer)
    prompts = generator.read(targets(3))
    written = generator.write(prompts, [0, 1, 2], [-1, -1, 7], max_tokens=12)
    for i, text in enumerate(written):
        ended = len(text.tokens) < 12
        again = fluencies(generator, prompts, i, [text.tokens])[0]
        if ended:
            assert again == pytest.approx(text.fluency, abs=0.05)
        else:
            assert np.isfinite(again)


def test_layers_packed_one_by_one_write_what_all_at_once_do(net: InverterNet, language: LanguageModel) -> None:
    state = {name: value.clone() for name, value in net.state_dict().items()}
    reading, layers = packed(language, SIZE, state)
    assert len(reading.blocks) == 0
    texts = []
    for generator in (Generator(net, language.tokenizer), Generator(reading, language.tokenizer, layers)):
        prompts = generator.read(targets(3))
        texts.append(generator.write(prompts, [0, 1, 2], [-1, 5, 6]))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("change", ["one too few", "one too many"])
def test_a_state_of_another_net_is_refused(net: InverterNet, language: LanguageModel, change: str) -> None:
    state = dict(net.state_dict())
    state.pop("blocks.1.qkv.up") if change == "one too few" else state.update({"blocks.2.qkv.up": state["soft_scale"]})
    with pytest.raises(RuntimeError, match=r"qkv\.up"):
        packed(language, SIZE, state)


def test_a_text_does_not_depend_on_its_neighbours(net: InverterNet, language: LanguageModel) -> None:
    generator = Generator(net, language.tokenizer)
    together = generator.write(generator.read(targets(5)), [0, 1, 2, 3, 4], [9, 8, 7, 6, -1], bias=0.3, max_tokens=16)
    for i, seed in enumerate([9, 8, 7, 6, -1]):
        alone = generator.write(generator.read(targets(5)[i : i + 1]), [0], [seed], bias=0.3, max_tokens=16)
        assert alone == [together[i]]


def test_a_text_goes_on_from_its_given_start(net: InverterNet, language: LanguageModel) -> None:
    generator = Generator(net, language.tokenizer)
    start = tuple(language.tokenizer.encode(" Moon is", add_special_tokens=False).ids)
    (written,) = generator.write(generator.read(targets(1)), [0], [5], starts=[start], max_tokens=10)
    assert written.tokens[: len(start)] == start
    assert written.text.startswith("Moon is")


def test_hints_are_never_the_commonest_tokens_or_unknown_ones(net: InverterNet) -> None:
    net.words.prior[40:60] = UNSEEN
    hints = net.words.hints(net.words(targets(4)), 8)
    common = set(net.words.prior.topk(min(N_COMMON, len(net.words.prior) // 4)).indices.tolist())
    assert not common & set(hints.flatten().tolist())
    assert not set(range(40, 60)) & set(hints.flatten().tolist())


def test_alternatives_differ_in_one_word(net: InverterNet, language: LanguageModel) -> None:
    generator = Generator(net, language.tokenizer)
    prompts = generator.read(targets(1))
    tokens = tuple(language.tokenizer.encode(" The Moon is round", add_special_tokens=False).ids)
    found = alternatives(generator, prompts, 0, tokens, prompts.lean[0], 3, 999)
    assert len({option.tokens for option in found}) > 5
    assert all(option.tokens != tokens for option in found)
    assert all(option.tokens[: option.start] == tokens[: option.start] for option in found)
    assert alternatives(generator, prompts, 0, (), prompts.lean[0], 3, 9) == []
    few = alternatives(generator, prompts, 0, tokens, prompts.lean[0], 3, 5)
    assert few == found[:5]  # the most promising first
