"""A pretrained body: its layers are those of the file, and a file of another shape is refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lvm_core.errors import ModelError
from lvm_core.nets import build_model
from tests.nets.toy import DIM

SIZES = {"d_model": 24, "n_heads": 4, "n_kv_heads": 2, "d_ff": 40, "dropout": 0.0, "base": 10_000.0}


def published(path: Path, n_layers: int = 3):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=24, intermediate_size=40, num_hidden_layers=n_layers, num_attention_heads=4, num_key_value_heads=2,
        vocab_size=5, rms_norm_eps=1e-5, max_position_embeddings=64, use_cache=False,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    save_file({name: t.contiguous().clone() for name, t in model.model.state_dict(prefix="model.").items()}, path)
    return model.model


def test_its_layers_are_the_first_of_the_file(tmp_path: Path) -> None:
    reference = published(tmp_path / "a.safetensors")
    net = build_model("llama", DIM, n_layers=3, weights=str(tmp_path / "a.safetensors"), **SIZES).eval()
    net.prepare([])
    h = torch.randn(2, 9, 24)
    with torch.inference_mode():
        ours = h
        for layer in net.layers:
            ours = layer(ours)
        theirs = reference(inputs_embeds=h, output_hidden_states=True).last_hidden_state
        torch.testing.assert_close(reference.norm(ours), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_layers": 4}, r"'model.layers.3.input_layernorm.weight' is missing; expected \(24,\)"),
        ({"n_layers": 2, "d_ff": 48}, r"gate_proj.weight' has the shape \(40, 24\); expected \(48, 24\)"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, options: dict, message: str) -> None:
    published(tmp_path / "a.safetensors")
    net = build_model("llama", DIM, weights=str(tmp_path / "a.safetensors"), **{**SIZES, **options})
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(ModelError, match=message):
        net.prepare([])
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_no_weights_are_asked_for_where_none_are_wanted() -> None:
    build_model("llama", DIM, n_layers=1, weights="none", **SIZES).prepare([])
    with pytest.raises(ModelError, match="no-such"):
        build_model("llama", DIM, n_layers=1, weights="/no-such.safetensors", **SIZES).prepare([])
