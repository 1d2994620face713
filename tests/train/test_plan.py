import subprocess
import sys

import pytest

from lvm_core.errors import SettingsError
from lvm_core.nets import MODELS
from lvm_core.train import TrainConfig, presets
from lvm_core.train.config import arguments
from lvm_core.train.plan import config_of, corpus_dim, option_names, plan
from lvm_core.workspace import Workspace


def test_a_plan_says_how_large_and_how_long(seeded_once: Workspace) -> None:
    config = TrainConfig(epochs=2, residual=False)
    found = plan(seeded_once, config, corpus_dim(seeded_once, config))
    assert found.problems == []
    assert found.n_parameters == MODELS["amn"](384, MODELS["amn"].Options()).n_parameters()
    assert found.n_windows > 100
    assert found.seconds > 0
    assert found.n_bytes > 4 * found.n_parameters


def test_all_problems_of_a_plan_are_found_at_once(seeded_once: Workspace) -> None:
    config = TrainConfig(model="transformer", epochs=0, lr=-1.0, context=999, options={"n_heads": 7})
    said = " ".join(plan(seeded_once, config, 384).problems)
    for words in ("epochs is 0", "lr is -1.0", "n_heads is 7", "expected at most"):
        assert words in said
    assert "There is no corpus" in " ".join(plan(seeded_once, TrainConfig(corpus="nowhere"), 384).problems)
    assert "model is 'gpt'" in " ".join(plan(seeded_once, TrainConfig(model="gpt"), 384).problems)


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_is_possible(name: str) -> None:
    config = config_of(presets.PRESETS[name][1])
    assert arguments(config)[:5] == ["train", "--model", "amn", "--corpus", "enwiki-sample"]


def test_settings_and_net_options_may_be_mixed() -> None:
    config = config_of({"model": "amn", "lr": 1, "d_model": 32})
    assert (config.lr, config.options) == (1.0, {"d_model": 32})
    with pytest.raises(SettingsError, match=r"Unknown setting 'n_heads'.* or an option of amn"):
        config_of({"model": "amn", "n_heads": 2})


def test_the_schedule_takes_the_nets_there_are_and_says_what_it_left_out() -> None:
    runs, left_out = presets.hundred(option_names())
    assert {run["model"] for run in runs if "model" in run} <= set(MODELS)
    assert len(runs) + sum(int(sentence.split(": ")[1].split()[0]) for sentence in left_out) == 100
    seen = [tuple(sorted((k, v) for k, v in run.items())) for run in runs]
    assert len(set(seen)) == len(seen)
    for run in runs:
        if "model" in run:
            config_of({k: v for k, v in run.items() if k not in ("week", "label")})


def test_a_net_is_laid_out_without_what_a_page_would_wait_for() -> None:
    program = (
        "import sys; from lvm_core.train import TrainConfig; from lvm_core.train.plan import parameters_of;"
        "print(parameters_of(TrainConfig(), 384)[0] > 1000, 'sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("held_out", [float("nan"), float("inf"), -1.0, 2.0])
def test_a_share_that_is_none_is_the_only_problem(seeded_once: Workspace, held_out: float) -> None:
    config = TrainConfig(held_out=held_out)
    assert [p.partition(";")[0] for p in plan(seeded_once, config, 384).problems] == [f"held_out is {held_out}"]
