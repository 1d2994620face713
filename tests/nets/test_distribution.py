"""Nets that predict a distribution: their schedule, their samples, and what is said of both."""

import numpy as np
import pytest
import torch

from lvm_core import forecast
from lvm_core.dataset import evaluation_windows
from lvm_core.errors import SettingsError
from lvm_core.nets import build_model
from lvm_core.nets.distribution import Distribution, standing_noise
from lvm_core.nets.energy import energy_score
from lvm_core.nets.noise_schedule import ddim_step, kept_signal, trailing_times
from tests.nets.test_nets import SMALL, sequences, wake
from tests.nets.toy import DIM, Rows, documents, walk

NETS = ("lcm-one-tower", "lcm-two-tower", "energy")


def net(name: str, **options) -> Distribution:
    torch.manual_seed(0)
    made = build_model(name, DIM, **{**SMALL[name], **options}).eval()
    assert isinstance(made, Distribution)
    wake(made)
    return made


@pytest.mark.parametrize("n_steps", [5, 10, 40])
def test_the_way_back_is_that_of_diffusers(n_steps: int) -> None:
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(
        num_train_timesteps=100, beta_schedule="squaredcos_cap_v2", prediction_type="sample", clip_sample=False,
        rescale_betas_zero_snr=True, timestep_spacing="trailing",
    )  # fmt: skip
    theirs.set_timesteps(n_steps)
    ours = kept_signal(100)
    torch.testing.assert_close(ours, theirs.alphas_cumprod, atol=1e-5, rtol=1e-4)
    times = trailing_times(100, n_steps)
    assert times == theirs.timesteps.tolist()
    if 100 % n_steps:
        return  # there diffusers steps by a rounded stride, not to the next time visited
    noisy, clean = torch.randn(3, DIM), torch.randn(3, DIM)
    for now, after in zip(times, [*times[1:], -1], strict=True):
        mine = ddim_step(noisy, clean, ours[now], ours[after] if after >= 0 else 1.0)
        torch.testing.assert_close(mine, theirs.step(clean, now, noisy).prev_sample, atol=1e-4, rtol=1e-4)
        noisy = mine


def test_at_the_last_time_nothing_but_noise_is_left() -> None:
    signal = kept_signal(100)
    assert signal[-1] == pytest.approx(0, abs=1e-7)
    assert (signal.diff() < 0).all()


@torch.inference_mode()
def test_the_energy_score_is_that_of_its_formula_and_least_for_the_truth() -> None:
    samples, target = torch.randn(5, 2, DIM), torch.randn(2, DIM)
    pairs = [(samples[i] - samples[j]).norm(dim=-1) for i in range(5) for j in range(5) if i != j]
    expected = 2 * torch.stack([(s - target).norm(dim=-1) for s in samples]).mean(0) - torch.stack(pairs).mean(0)
    torch.testing.assert_close(energy_score(samples, target), expected / DIM**0.5, atol=1e-4, rtol=1e-4)
    truth = torch.randn(4000, DIM)
    wide, right, narrow = (energy_score(s * torch.randn(8, 4000, DIM), truth).mean() for s in (1.5, 1.0, 0.5))
    assert right < min(wide, narrow)


@pytest.mark.parametrize("name", NETS)
@torch.inference_mode()
def test_the_prediction_is_the_mean_of_samples_and_a_sample_is_always_the_same(name: str) -> None:
    made, x = net(name), sequences()
    last = torch.tensor([19, 6, 2, 11])
    few, many = made.samples_at(x, last, 3), made.samples_at(x, last, made.n_samples)
    torch.testing.assert_close(few, many[:3], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(made.unscaled_at(x, last), many.mean(0))
    torch.testing.assert_close(made.unscaled(x)[torch.arange(4), last], many.mean(0), atol=1e-5, rtol=1e-4)
    assert many.std(0).mean() > 1e-3
    alone = made.samples_at(x[1:2, :7], torch.tensor([6]), 3)
    torch.testing.assert_close(alone[:, 0], few[:, 1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NETS)
def test_a_forecast_has_one_sample_and_the_spread_of_all(name: str) -> None:
    made, lengths = net(name), [9, 12]
    source = Rows(walk(lengths))
    windows = evaluation_windows(documents(lengths), 4)
    said = forecast.over_windows(made, source, windows)
    assert said.sample is not None
    assert said.spread is not None
    np.testing.assert_allclose(np.linalg.norm(said.sample, axis=1), 1, atol=1e-5)
    assert (said.spread > 0).all()
    context = source.rows(windows.contexts[3])
    np.testing.assert_allclose(forecast.samples(made, context, 2)[0], said.sample[3], atol=1e-4)
    one = forecast.after(made, context)
    np.testing.assert_allclose(one.vectors, said.vectors[3], atol=1e-4)
    assert forecast.after(build_model("gru", DIM, **SMALL["gru"]).eval(), context).sample is None


@pytest.mark.parametrize("name", ["lcm-one-tower", "lcm-two-tower"])
@torch.inference_mode()
def test_without_its_context_a_sample_knows_nothing_of_it(name: str) -> None:
    made, x = net(name), sequences(2)
    nothing = torch.zeros(2, 1, 20, dtype=torch.bool)
    z = standing_noise(1, DIM, x.device).expand(2, 1, DIM)
    place, time = torch.full((2, 1), 20), torch.tensor([[50]])
    blind = made.denoise(z, time, place, made.read(x), nothing)
    torch.testing.assert_close(blind[0], blind[1])
    told = made.denoise(z, time, place, made.read(x), ~nothing)
    assert (told[0] - told[1]).abs().max() > 1e-3


@torch.inference_mode()
def test_guidance_moves_samples_away_from_those_without_context() -> None:
    plain, guided, x = net("lcm-two-tower"), net("lcm-two-tower", guidance=3.0), sequences(1)
    last = torch.tensor([19])
    assert not torch.allclose(plain.samples_at(x, last, 1), guided.samples_at(x, last, 1), atol=1e-3)


def test_normalised_by_median_and_quartiles() -> None:
    made = net("energy")
    y = 3 + 2 * torch.randn(40, 50, DIM, generator=torch.Generator().manual_seed(0))
    made.prepare([(torch.zeros_like(y), y, torch.ones(40, 50, dtype=torch.bool))])
    scaled = made.normalised(torch.zeros_like(y), y).flatten(0, 1)
    low, middle, high = torch.quantile(scaled, torch.tensor([0.25, 0.5, 0.75]), dim=0)
    torch.testing.assert_close(middle, torch.zeros(DIM), atol=1e-4, rtol=0)
    torch.testing.assert_close(high - low, torch.ones(DIM), atol=1e-4, rtol=0)
    torch.testing.assert_close(made.restored(scaled), y.flatten(0, 1), atol=1e-4, rtol=1e-4)


def test_more_steps_than_times_are_refused() -> None:
    with pytest.raises(SettingsError, match="n_steps is 40; expected at most n_times = 20"):
        net("lcm-two-tower", n_steps=40, n_times=20)
