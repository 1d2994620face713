"""The settings in which runs differ, as axes."""

import pytest

from lvm_core.train.axes import axes


def test_only_what_differs_has_an_axis_and_options_count_as_settings() -> None:
    runs = [
        {"model": "amn", "lr": 0.001, "epochs": 3, "options": {"d_model": 32}},
        {"model": "lstm", "lr": 0.002, "epochs": 3, "options": {"d_model": 64}},
    ]
    assert [axis.name for axis in axes(runs)] == ["model", "lr", "d_model"]


def test_names_are_numbered_and_numbers_stay_in_their_order() -> None:
    runs = [{"model": "mlp", "lr": 0.002}, {"model": "amn", "lr": 0.001}, {"model": "mlp", "lr": 0.003}]
    model, lr = axes(runs)
    assert model.places == [2, 1, 2]
    assert model.ticks == {1: "amn", 2: "mlp"}
    assert lr.places == [0.002, 0.001, 0.003]
    assert lr.ticks == {0.001: "0.001", 0.002: "0.002", 0.003: "0.003"}


def test_a_number_over_orders_of_magnitude_lies_by_its_logarithm_and_many_values_are_not_all_named() -> None:
    (lr,) = axes([{"lr": 0.0001}, {"lr": 0.01}, {"lr": 0.001}])
    assert lr.places == pytest.approx([-4, -2, -3])
    assert list(lr.ticks.values()) == ["0.0001", "0.001", "0.01"]
    (seed,) = axes([{"seed": seed} for seed in range(9)])
    assert seed.ticks == {}


def test_an_option_that_a_net_does_not_have_is_named_and_yes_is_no_number() -> None:
    (d_model, snap) = axes([{"options": {"d_model": 32}, "snap": True}, {"options": {}, "snap": False}])[::-1]
    assert d_model.name == "d_model"
    assert d_model.ticks == {1: "32", 2: "default"}
    assert snap.ticks == {1: "no", 2: "yes"}
