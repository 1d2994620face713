"""Nets against independent implementations: the same weights give the same numbers, and the same gradients."""

import math
import warnings

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor, nn

from lvm_core.nets import MODELS, build_model
from lvm_core.nets.attention import LlamaLayer
from lvm_core.nets.decay import decay_attention
from lvm_core.nets.hyena import HyenaMixer
from lvm_core.nets.linformer import LinformerLayer
from lvm_core.nets.performer import FavorAttention
from lvm_core.nets.retnet import Retention
from lvm_core.nets.s4d import S4dMixer
from lvm_core.nets.scan import linear_scan
from lvm_core.nets.stack import Stack

WIDTH, LENGTH = 48, 70


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def layers(name: str, **options) -> tuple[Stack, Tensor]:
    """A net of width 48 and an input for its layers, with weights that are not at their start."""
    net = build_model(name, WIDTH, d_model=WIDTH, n_layers=2, dropout=0.0, **options)
    assert isinstance(net, Stack)
    for parameter in net.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return net, torch.randn(2, LENGTH, WIDTH)


def through(net: Stack, h: Tensor) -> Tensor:
    for layer in net.layers:
        h = layer(h)
    return net.norm(h)


def copy(reference: nn.Module, names: dict[str, Tensor]) -> None:
    """Give `reference` these weights; each of its parameters must be named."""
    state = reference.state_dict()
    assert set(names) == {n for n, _ in reference.named_parameters()}
    reference.load_state_dict({**state, **{n: t.detach().reshape(state[n].shape) for n, t in names.items()}})


def assert_alike(ours, theirs, x: Tensor, tolerance: float = 1e-4) -> None:
    """Outputs and the gradient with respect to the input agree."""
    results = []
    for f in (ours, theirs):
        given = x.clone().requires_grad_()
        out = f(given)
        weights = torch.linspace(0.5, 1.5, out[0].numel()).view_as(out[0])
        (out * weights).sum().backward()
        results.append((out.detach(), given.grad / given.grad.abs().max()))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=tolerance, atol=tolerance)


def test_mamba2_is_that_of_transformers() -> None:
    from transformers import Mamba2Config, Mamba2Model

    net, x = layers("mamba2", d_state=8, d_head=12)
    config = Mamba2Config(
        hidden_size=WIDTH, num_hidden_layers=2, state_size=8, head_dim=12, num_heads=8, n_groups=1, expand=2,
        conv_kernel=4, vocab_size=3, chunk_size=32, use_cache=False,
    )  # fmt: skip
    reference = Mamba2Model(config)
    names = {"embeddings.weight": reference.embeddings.weight, "norm_f.weight": net.norm.weight}
    for i, layer in enumerate(net.layers):
        at, m = f"layers.{i}.", layer.mixer
        names |= {at + "norm.weight": layer.norm.weight, at + "mixer.in_proj.weight": m.in_proj.weight}
        names |= {at + "mixer.conv1d.weight": m.conv.conv.weight, at + "mixer.conv1d.bias": m.conv.conv.bias}
        names |= {at + "mixer.dt_bias": m.dt_bias, at + "mixer.A_log": m.a_log, at + "mixer.D": m.skip}
        names |= {at + "mixer.norm.weight": m.norm.weight, at + "mixer.out_proj.weight": m.out_proj.weight}
    # the projection of the reference has x, B, C in the order x, B, C as ours: x, key, query
    copy(reference, names)
    assert_alike(lambda h: through(net, h), lambda h: reference(inputs_embeds=h).last_hidden_state, x)


def test_mamba_is_that_of_transformers() -> None:
    from transformers import MambaConfig, MambaModel

    net, x = layers("mamba", d_state=8)
    config = MambaConfig(
        hidden_size=WIDTH, num_hidden_layers=2, state_size=8, expand=2, conv_kernel=4, vocab_size=3, use_cache=False
    )
    reference = MambaModel(config)
    names = {"embeddings.weight": reference.embeddings.weight, "norm_f.weight": net.norm.weight}
    for i, layer in enumerate(net.layers):
        at, m = f"layers.{i}.", layer.mixer
        names |= {at + "norm.weight": layer.norm.weight, at + "mixer.in_proj.weight": m.in_proj.weight}
        names |= {at + "mixer.conv1d.weight": m.conv.conv.weight, at + "mixer.conv1d.bias": m.conv.conv.bias}
        names |= {at + "mixer.x_proj.weight": m.x_proj.weight, at + "mixer.A_log": m.a_log, at + "mixer.D": m.skip}
        names |= {at + "mixer.dt_proj.weight": m.dt_proj.weight, at + "mixer.dt_proj.bias": m.dt_proj.bias}
        names |= {at + "mixer.out_proj.weight": m.out_proj.weight}
    copy(reference, names)
    assert_alike(lambda h: through(net, h), lambda h: reference(inputs_embeds=h).last_hidden_state, x)


def test_rwkv_is_that_of_transformers() -> None:
    from transformers import RwkvConfig, RwkvModel

    net, x = layers("rwkv")
    config = RwkvConfig(hidden_size=WIDTH, num_hidden_layers=2, vocab_size=3, rescale_every=0, use_cache=False)
    reference = RwkvModel(config)
    names = {"embeddings.weight": reference.embeddings.weight}
    names |= {"ln_out.weight": net.norm.weight, "ln_out.bias": net.norm.bias}
    for i in range(2):
        time, channel = net.layers[2 * i], net.layers[2 * i + 1]
        at, t, c = f"blocks.{i}.", time.mixer, channel.mixer
        names |= {at + "ln1.weight": time.norm.weight, at + "ln1.bias": time.norm.bias}
        names |= {at + "ln2.weight": channel.norm.weight, at + "ln2.bias": channel.norm.bias}
        names |= {at + "attention.time_decay": t.decay, at + "attention.time_first": t.first}
        for number, what in enumerate(("key", "value", "receptance")):
            names |= {at + f"attention.time_mix_{what}": t.mix[number]}
            names |= {at + f"attention.{what}.weight": getattr(t, what).weight}
        names |= {at + "attention.output.weight": t.output.weight}
        names |= {at + "feed_forward.time_mix_key": c.mix[0], at + "feed_forward.time_mix_receptance": c.mix[1]}
        for what in ("key", "value", "receptance"):
            names |= {at + f"feed_forward.{what}.weight": getattr(c, what).weight}
    # the reference normalises once more before its first block, which a stack of ours has no need of
    first = reference.blocks[0].pre_ln
    names |= {"blocks.0.pre_ln.weight": first.weight, "blocks.0.pre_ln.bias": first.bias}
    copy(reference, names)
    reference.eval()
    assert_alike(lambda h: through(net, first(h)), lambda h: reference(inputs_embeds=h).last_hidden_state, x)


def test_gpt2_is_that_of_transformers() -> None:
    from transformers import GPT2Config, GPT2Model

    net, x = layers("gpt2", n_heads=4, n_positions=96)
    config = GPT2Config(n_embd=WIDTH, n_layer=2, n_head=4, n_positions=96, vocab_size=3, use_cache=False)
    reference = GPT2Model(config).eval()
    names = {"wte.weight": reference.wte.weight, "wpe.weight": net.layers[0].wpe}
    names |= {"ln_f.weight": net.norm.weight, "ln_f.bias": net.norm.bias}
    for i, layer in enumerate(net.layers[1:]):
        at = f"h.{i}."
        pairs = {"attn.c_attn": layer.c_attn, "attn.c_proj": layer.attn_proj}
        pairs |= {"mlp.c_fc": layer.c_fc, "mlp.c_proj": layer.mlp_proj}
        for name, linear in pairs.items():  # the published weights lie the other way round
            names |= {at + name + ".weight": linear.weight.T, at + name + ".bias": linear.bias}
        for name in ("ln_1", "ln_2"):
            norm = getattr(layer, name)
            names |= {at + name + ".weight": norm.weight, at + name + ".bias": norm.bias}
    copy(reference, names)
    assert_alike(lambda h: through(net, h), lambda h: reference(inputs_embeds=h).last_hidden_state, x)


@pytest.mark.parametrize("n_kv_heads", [4, 2])
def test_the_layer_of_the_lcm_is_that_of_llama(n_kv_heads: int) -> None:
    from transformers import LlamaConfig, LlamaModel

    layer, norm = LlamaLayer(WIDTH, 4, 96, n_kv_heads), nn.RMSNorm(WIDTH, eps=1e-5)
    config = LlamaConfig(
        hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4, rms_norm_eps=1e-5,
        num_key_value_heads=n_kv_heads, vocab_size=3, max_position_embeddings=128, use_cache=False,
    )  # fmt: skip
    reference = LlamaModel(config).eval()
    at, a, n = "layers.0.", layer.attention, layer.net
    names = {"embed_tokens.weight": reference.embed_tokens.weight, "norm.weight": norm.weight}
    names |= {at + "input_layernorm.weight": layer.attention_norm.weight}
    names |= {at + "post_attention_layernorm.weight": layer.net_norm.weight}
    for name, linear in (("q", a.query), ("k", a.key), ("v", a.value), ("o", a.out)):
        names |= {at + f"self_attn.{name}_proj.weight": linear.weight}
    for name in ("gate", "up", "down"):
        names |= {at + f"mlp.{name}_proj.weight": getattr(n, name).weight}
    copy(reference, names)
    x = torch.randn(2, LENGTH, WIDTH)
    assert_alike(lambda h: norm(layer(h)), lambda h: reference(inputs_embeds=h).last_hidden_state, x)


def test_retention_is_that_of_yet_another_retnet() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package records its graph when it is imported
        from yet_another_retnet.retention import MultiScaleRetention

    ours, reference = Retention(WIDTH, 3), MultiScaleRetention(WIDTH, 3, bias=False)
    pairs = {"q_proj": ours.query, "k_proj": ours.key, "v_proj": ours.value, "g_proj": ours.gate, "out_proj": ours.out}
    copy(reference, {f"{name}.weight": linear.weight for name, linear in pairs.items()})
    x = torch.randn(2, LENGTH, WIDTH)
    assert_alike(ours, lambda h: reference.forward_parallel(h, h, h)[0], x)


def test_the_linformers_attention_is_that_of_its_package() -> None:
    from linformer.linformer import LinformerSelfAttention

    ours = LinformerLayer(WIDTH, 3, 20, 6, 96, 0.0)
    reference = LinformerSelfAttention(WIDTH, 20, k=6, heads=3)
    names = {"to_q.weight": ours.query.weight, "to_k.weight": ours.key.weight, "to_v.weight": ours.value.weight}
    names |= {"proj_k": ours.mix_keys, "proj_v": ours.mix_values}
    names |= {"to_out.weight": ours.out.weight, "to_out.bias": ours.out.bias}
    copy(reference, names)
    nn.init.zeros_(ours.net[-1].weight)  # leaves the attention alone
    nn.init.zeros_(ours.net[-1].bias)
    for length in (20, 7):
        x = torch.randn(2, length, WIDTH)
        assert_alike(lambda h: ours(h, torch.ones(*h.shape[:2], 1)), lambda h: h + reference(ours.attention_norm(h)), x)


def test_the_performers_features_are_those_of_its_paper() -> None:
    """Against attention written out with the same features, position by position."""
    ours = FavorAttention(WIDTH, 3, 64)
    x = torch.randn(2, 30, WIDTH)

    def written_out(h: Tensor) -> Tensor:
        q, k, v = (p(h).unflatten(-1, (3, 16)) for p in (ours.query, ours.key, ours.value))

        def phi(z: Tensor) -> Tensor:
            z = z * 16**-0.25
            return torch.exp(z @ ours.features.T - z.square().sum(-1, keepdim=True) / 2) / 64**0.5

        scores = torch.einsum("bthn,bshn->bhts", phi(q), phi(k)).tril()
        return ours.out(torch.einsum("bhts,bshp->bthp", scores / scores.sum(-1, keepdim=True), v).flatten(-2))

    assert_alike(ours, written_out, x)


def test_performer_features_approach_softmax_attention() -> None:
    ours = FavorAttention(WIDTH, 3, 8192)
    x = 0.5 * torch.randn(2, 30, WIDTH)
    q, k, v = (p(x).unflatten(-1, (3, 16)).transpose(1, 2) for p in (ours.query, ours.key, ours.value))
    exact = ours.out(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
    torch.testing.assert_close(ours(x), exact, rtol=0.05, atol=0.01)


def test_s4d_is_the_discretised_system_of_scipy() -> None:
    mixer = S4dMixer(4, 16, 0.01, 0.1)
    kernel = mixer.kernel(50).detach()
    for channel in range(4):
        a = torch.complex(-mixer.log_decay.exp(), mixer.frequency)[channel].detach().numpy()
        c = torch.view_as_complex(mixer.read)[channel].detach().numpy()
        # conjugate pairs as one real system: blocks [[re, -im], [im, re]]
        n = len(a)
        system = np.zeros((2 * n, 2 * n))
        for i, pole in enumerate(a):
            system[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[pole.real, -pole.imag], [pole.imag, pole.real]]
        b = np.tile([[1.0], [0.0]], (n, 1))
        out = np.stack([2 * c.real, -2 * c.imag], axis=1).reshape(1, -1)
        dt = float(mixer.log_dt.detach()[channel].exp())
        ad, bd, cd, dd, _ = scipy.signal.cont2discrete((system, b, out, np.zeros((1, 1))), dt, method="zoh")
        impulse = np.zeros(51)
        impulse[0] = 1.0
        _, y, _ = scipy.signal.dlsim((ad, bd, cd, dd, dt), impulse)
        np.testing.assert_allclose(kernel[channel], y[1:, 0], rtol=1e-3, atol=1e-4)


def test_hyena_is_its_convolution_written_out() -> None:
    mixer = HyenaMixer(12, 16)
    x = torch.randn(2, 25, 12)

    def written_out(h: Tensor) -> Tensor:
        mixed = mixer.in_proj(h)  # (B, T, 3M)
        short = sum(
            nn.functional.pad(mixed, (0, 0, lag, 0))[:, :25] * mixer.short.weight[:, 0, 2 - lag] for lag in range(3)
        )
        outer, inner, value = (short + mixer.short.bias).chunk(3, dim=-1)
        gated, kernel = inner * value, mixer.kernel(25)
        rows = [sum(kernel[:, lag] * gated[:, t - lag] for lag in range(t + 1)) for t in range(25)]
        return mixer.out_proj(outer * (torch.stack(rows, dim=1) + mixer.direct * gated))

    assert_alike(mixer, written_out, x)


@pytest.mark.parametrize("length", [1, 5, 64, 65, 150])
def test_blocks_of_decaying_attention_are_the_recurrence(length: int) -> None:
    q, k, v = torch.randn(2, length, 3, 8), torch.randn(2, length, 3, 8), torch.randn(2, length, 3, 5)
    decay = -torch.rand(2, length, 3)
    state, rows = torch.zeros(2, 3, 8, 5), []
    for t in range(length):
        state = decay[:, t].exp()[..., None, None] * state + k[:, t, ..., None] * v[:, t, :, None]
        rows.append(torch.einsum("bhn,bhnp->bhp", q[:, t], state))
    torch.testing.assert_close(decay_attention(q, k, v, decay), torch.stack(rows, dim=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("length", [1, 2, 7, 16, 50])
def test_the_scan_is_the_recurrence_and_so_is_its_gradient(length: int) -> None:
    a, b = torch.rand(2, length, 3, dtype=torch.float64), torch.randn(2, length, 3, dtype=torch.float64)
    h, rows = torch.zeros(2, 3, dtype=torch.float64), []
    for t in range(length):
        h = a[:, t] * h + b[:, t]
        rows.append(h)
    torch.testing.assert_close(linear_scan(a, b), torch.stack(rows, dim=1))
    assert torch.autograd.gradcheck(linear_scan, (a.requires_grad_(), b.requires_grad_()))


RECURRENT = ("mamba", "mamba2", "hybrid", "s4d", "rwkv", "retnet", "performer", "lcm", "llama")


@pytest.mark.parametrize("name", RECURRENT)
@torch.inference_mode()
def test_step_by_step_is_all_at_once(name: str) -> None:
    options = {"n_heads": 3} if name in ("retnet", "performer", "lcm", "hybrid", "llama") else {}
    options |= {"d_head": 12} if name in ("mamba2", "hybrid") else {}
    options |= {"every": 2} if name == "hybrid" else {}
    net, _ = layers(name, **options)
    assert net.recurrent
    x = nn.functional.normalize(torch.randn(2, 40, WIDTH), dim=-1)
    whole, states = net.correction(x), None
    for t in range(40):
        out, states = net.step(x[:, t], states)
        torch.testing.assert_close(out, whole[:, t], rtol=1e-4, atol=1e-5)


def test_nets_with_a_step_are_those_that_say_so() -> None:
    nets = {name: build_model(name, 384, n_layers=1) for name, cls in MODELS.items() if issubclass(cls, Stack)}
    assert {name for name, net in nets.items() if net.recurrent} == set(RECURRENT)


def test_a_tmd_code_moves_the_prediction_and_none_adds_nothing() -> None:
    net = build_model("mamba2", WIDTH, n_layers=1, d_head=12, tmd=True)
    x, code = torch.randn(1, 4, WIDTH), torch.randn(1, 4, 16)
    assert torch.equal(net.embed(x), net.input(x * math.sqrt(WIDTH)))
    torch.testing.assert_close(net.embed(x, code), net.embed(x) + net.tmd(code))
