"""One suite over every net and every baseline: what the contract of SequenceModel promises."""

import pytest
import torch
from torch import Tensor

from lvm_core import forecast
from lvm_core.baselines import BASELINES, LinearFilter, build_baseline
from lvm_core.config import problems
from lvm_core.errors import SettingsError
from lvm_core.nets import MODELS, build_model
from lvm_core.nets.base import SequenceModel, unit
from lvm_core.nets.build import from_config
from lvm_core.nets.distribution import Distribution
from tests.nets.toy import DIM, Rows, documents, sizes, walk

SMALL = {
    "amn": {"d_model": 16, "d_hidden": 32},
    "lstm": {"d_hidden": 24},
    "gru": {"d_model": 24, "n_layers": 2},
    "transformer": {"d_model": 24, "n_heads": 4, "n_layers": 2, "d_ff": 48},
    "latent-mamba": {"d_hidden": 24},
    "mlp": {"d_hidden": 48, "context": 12},
    "deep-mlp": {"d_hidden": 48, "context": 12, "dropout": 0.0},
    "mamba": {"d_model": 24, "n_layers": 2, "d_state": 4, "dropout": 0.0},
    "mamba2": {"d_model": 24, "n_layers": 2, "d_state": 8, "d_head": 12, "dropout": 0.0},
    "hybrid": {"d_model": 24, "n_layers": 3, "d_state": 8, "d_head": 12, "every": 3, "n_heads": 3, "dropout": 0.0},
    "s4d": {"d_model": 24, "n_layers": 2, "d_state": 16, "dropout": 0.0},
    "rwkv": {"d_model": 24, "n_layers": 2, "dropout": 0.0},
    "retnet": {"d_model": 24, "n_layers": 2, "n_heads": 3, "dropout": 0.0},
    "hyena": {"d_model": 24, "n_layers": 2, "d_filter": 16, "dropout": 0.0},
    "performer": {"d_model": 24, "n_layers": 2, "n_heads": 3, "n_features": 32, "dropout": 0.0},
    "linformer": {"d_model": 24, "n_layers": 2, "n_heads": 3, "k": 6, "context": 12, "dropout": 0.0},
    "gpt2": {"d_model": 24, "n_layers": 2, "n_heads": 3, "n_positions": 64, "dropout": 0.0},
    "lcm": {"d_model": 24, "n_layers": 2, "n_heads": 3, "dropout": 0.0},
    "lcm-one-tower": {"d_model": 24, "n_layers": 2, "n_heads": 3, "n_steps": 4, "n_samples": 4, "dropout": 0.0},
    "lcm-two-tower": {"d_model": 24, "n_layers": 1, "n_denoising": 2, "n_heads": 3, "n_steps": 4, "dropout": 0.0},
    "llama": {
        "d_model": 24,
        "n_layers": 2,
        "n_heads": 4,
        "n_kv_heads": 2,
        "d_ff": 48,
        "weights": "none",
        "dropout": 0.0,
    },
    "energy": {"d_model": 24, "n_layers": 2, "n_heads": 3, "n_blocks": 2, "d_noise": 8, "dropout": 0.0},
}
COUNTS = [
    ("amn", 768, 1_510_912),
    ("lstm", 768, 5_120_768),
    ("gru", 768, 7_095_552),
    ("transformer", 768, 17_867_520),
    ("latent-mamba", 784, 5_006_608),
]


def small(name: str, **options) -> SequenceModel:
    torch.manual_seed(0)
    return build_model(name, DIM, **{**SMALL[name], **options}).eval()


def wake(net: SequenceModel) -> None:
    """Move away what begins as nothing, such as a residual net's correction, so that the net itself is tested too."""
    for parameter in net.parameters():
        if parameter.ndim > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)


def every() -> list[SequenceModel]:
    nets = [small(name, residual=residual) for name in MODELS for residual in (False, True)]
    for net in nets:
        wake(net)
    baselines = [build_baseline(name, DIM) for name in BASELINES]
    baselines += [build_baseline(name, DIM, context=12) for name in ("context-mean", "weighted-mean", "linear-filter")]
    lengths = sizes(12)
    for baseline in baselines:
        baseline.fit(Rows(walk(lengths)), documents(lengths))
    return nets + [baseline.eval() for baseline in baselines]


EVERY = every()
NETS = [m for m in EVERY if m.kind == "net"]


def name_of(model: SequenceModel) -> str:
    return f"{model.name}{'+filter' if model.filter is not None else ''}{getattr(model.options, 'context', '')}"


def sequences(n: int = 4, length: int = 20) -> Tensor:
    return torch.from_numpy(walk([length] * n, seed=9)).view(n, length, DIM)


def test_every_net_is_tested() -> None:
    assert set(SMALL) == set(MODELS)


@pytest.mark.parametrize(("name", "dim", "count"), COUNTS)
def test_parameter_count_of_the_seeds(name: str, dim: int, count: int) -> None:
    assert build_model(name, dim).n_parameters() == count


def test_the_residual_form_has_no_further_parameters() -> None:
    assert small("lstm", residual=True).n_parameters() == small("lstm").n_parameters()


@pytest.mark.parametrize("model", EVERY, ids=name_of)
@torch.inference_mode()
def test_shape_norm_and_type(model: SequenceModel) -> None:
    out = model(sequences())
    assert out.shape == (4, 20, DIM)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.norm(dim=-1), torch.ones(4, 20))


@pytest.mark.parametrize("model", EVERY, ids=name_of)
@torch.inference_mode()
def test_no_position_sees_what_comes_later(model: SequenceModel) -> None:
    x = sequences()
    out = model(x)
    for t in (1, 2, 5, 6, 13, 19):
        changed = x.clone()
        changed[:, t:] = unit(torch.randn(4, 20 - t, DIM, generator=torch.Generator().manual_seed(t)))
        torch.testing.assert_close(model(changed)[:, :t], out[:, :t], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(model(x[:, :t]), out[:, :t], rtol=1e-4, atol=1e-5)  # each prefix is a context


@pytest.mark.parametrize("model", EVERY, ids=name_of)
@torch.inference_mode()
def test_a_batch_says_what_each_would_say_alone_and_padding_is_inert(model: SequenceModel) -> None:
    x = sequences()
    padded = x.clone()
    padded[1, 7:] = 0
    padded[2, 3:] = x[2, 2:3]
    out = model(padded)
    for i, length in enumerate((20, 7, 3, 20)):
        torch.testing.assert_close(model(x[i : i + 1, :length])[0], out[i, :length], rtol=1e-4, atol=1e-5)
    alone = torch.from_numpy(forecast.after(model, x[:1, :7].numpy()).vectors)
    torch.testing.assert_close(alone[0], model(x[:1])[0, 6], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", [m for m in EVERY if m.sliding], ids=name_of)
@torch.inference_mode()
def test_a_sliding_model_sees_no_further_than_its_reach(model: SequenceModel) -> None:
    reach = model.reach
    x = sequences()
    assert reach <= 12
    torch.testing.assert_close(model(x[:, -reach:])[:, -1], model(x)[:, -1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", NETS, ids=name_of)
def test_overfits_one_batch(model: SequenceModel) -> None:
    net = from_config(model.config())
    torch.manual_seed(1)
    x = unit(torch.randn(2, 4, DIM))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    real = torch.ones(2, 3, dtype=torch.bool)
    for _ in range(400 if isinstance(net, Distribution) else 150):
        loss = net.training_loss(x[:, :-1], x[:, 1:], real)
        loss = 1 - (net(x)[:, :-1] * x[:, 1:]).sum(-1).mean() if loss is None else loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert 1 - (net.eval()(x)[:, :-1] * x[:, 1:]).sum(-1).mean() < 0.2


@pytest.mark.parametrize("model", EVERY, ids=name_of)
@torch.inference_mode()
def test_comes_back_from_its_description_and_weights(model: SequenceModel) -> None:
    again = from_config(model.config())
    again.load_state_dict(model.state_dict())
    x = sequences()
    torch.testing.assert_close(again.eval()(x), model(x), rtol=0, atol=1e-6)
    assert again.config() == model.config()


@pytest.mark.parametrize("name", MODELS)
@torch.inference_mode()
def test_the_untrained_residual_form_is_its_filter(name: str) -> None:
    lengths = sizes(12)
    filtered = build_baseline("linear-filter", DIM)
    filtered.fit(Rows(walk(lengths)), documents(lengths))
    net = build_model(name, DIM, filtered, **SMALL[name], residual=True).eval()
    x = sequences()
    torch.testing.assert_close(net(x), filtered(x))
    net.scale.zero_()
    torch.nn.init.normal_(net.last_layer().weight)
    torch.testing.assert_close(net(x), filtered(x))


def test_the_attention_net_starts_from_the_running_mean() -> None:
    net = small("amn")
    torch.nn.init.zeros_(net.last_layer().weight)
    torch.nn.init.zeros_(net.last_layer().bias)
    x = sequences(1, 5)
    torch.testing.assert_close(net(x)[0, 4], unit(x[0].mean(0)))


def test_layers_of_the_transformer_start_apart() -> None:
    first, second = small("transformer").layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("transformer", {"d_model": 30, "n_heads": 8}, "n_heads is 8, which does not divide d_model 30; expected one"),
        ("transformer", {"d_model": 9, "n_heads": 3}, "d_model is 9; expected an even number"),
        ("lstm", {"d_hidden": 0}, "d_hidden is 0; expected 1 to 8192"),
        ("lstm", {"dropout": 1.5}, r"dropout is 1.5; expected 0.0 to 0.9"),
        ("gru", {"heads": 3}, "Unknown setting 'heads'; expected one of"),
        ("perceiver", {}, "model is 'perceiver'; expected one of amn, lstm"),
        ("mlp", {"context": 101}, "context is 101; expected 1 to 100"),
        ("mlp", {"dim": 3, "name": "x", "filter": 1}, "Unknown setting 'dim'.*'filter'.*'name'"),
        (
            "hybrid",
            {"d_model": 24, "d_head": 36, "n_heads": 5},
            r"d_head is 36, which does not.*\s.*n_heads is 5, which",
        ),
        ("lcm-two-tower", {"d_model": 24, "n_heads": 5, "n_steps": 200}, r"n_heads is 5, which.*\s.*n_steps is 200"),
        ("energy", {"n_training": 1, "d_noise": 0}, r"d_noise is 0; expected 1 to.*\s.*n_training is 1; expected 2 to"),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        build_model(name, DIM, **options)


def test_a_dimension_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="dim is 0; expected the number of entries"):
        build_model("amn", 0)


def test_every_option_has_help_and_sound_defaults() -> None:
    for cls in [c for c in (*MODELS.values(), *BASELINES.values()) if c.Options]:
        options = cls.Options()
        assert problems(options) == []
        assert all(f.metadata["help"] for f in type(options).__dataclass_fields__.values())


def test_filter_is_a_sequence_model() -> None:
    assert isinstance(small("gru", residual=True).filter, LinearFilter)
