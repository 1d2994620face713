"""The picture of a prediction: models in their colours, and no label on another."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from pages.shared import charts
from pages.views.predict import picture
from tests.app.test_cards import prediction

MODELS = ("ensemble", "linear-filter-5", "passthrough", "mlp", "amn")


def near(model: str, seed: int, snapped: bool = False) -> object:
    """Return a prediction that lies close to all others."""
    base = prediction(model=model, snap_on=snapped)
    raw = np.array([1.0, 0.02 * seed], np.float32)
    return replace(base, raw=raw, vector=raw + 0.01)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_labels_of_points_that_lie_together_do_not_cover_each_other(n: int) -> None:
    groups = picture._groups([near(model, i) for i, model in enumerate(MODELS[:n])])  # type: ignore[misc]
    spots = [np.asarray(group.vectors, np.float32) for group in groups]
    sides = picture._label_sides(groups, spots)
    everything = np.concatenate(spots)
    scale = np.array([picture.WIDTH_PX, picture.HEIGHT_PX]) / np.maximum(np.ptp(everything, axis=0), 1e-9)
    boxes = [picture._label_box(spots[i][0] * scale, len(groups[i].model), side) for i, side in sides.items()]
    assert len(boxes) == n
    assert all(picture._overlap(a, b) == 0 for a, b in combinations(boxes, 2))


@pytest.mark.parametrize("x", [-3.0, -1.0, 1.0, 1.2, 3.0])
def test_no_label_is_cut_in_a_narrow_window(x: float) -> None:
    others = [near(model, i) for i, model in enumerate(MODELS) if model != "passthrough"]
    raw = np.array([x, 0.05], np.float32)
    edge = replace(near("passthrough", 0), raw=raw, vector=raw)  # type: ignore[type-var]
    fig = picture.figure([*others, edge])  # type: ignore[list-item]
    low, high = fig.layout.xaxis.range
    labelled = [trace for trace in fig.data if trace.mode and "text" in trace.mode]
    assert len(labelled) == len(MODELS)
    for trace in labelled:
        place = (trace.x[0] - low) / (high - low) * picture.NARROW_PX
        left, _, right, _ = picture._label_box(np.array([place, 0.0]), len(trace.text[0]), trace.textposition)
        assert -1 < left < right < picture.NARROW_PX + 1, trace.text[0]


def test_every_model_wears_its_own_colour_raw_and_snapped() -> None:
    fig = picture.figure([near("amn", 1), near("mlp", 2), near("amn", 1, snapped=True)])  # type: ignore[list-item]
    colours = [(trace.name, trace.marker.color) for trace in fig.data if trace.name in ("prediction", "snapped")]
    assert sorted(colours) == sorted(
        [
            ("prediction", charts.model_colour("amn")),
            ("prediction", charts.model_colour("mlp")),
            ("snapped", charts.model_colour("amn")),
        ]
    )


def test_of_many_models_none_is_labelled() -> None:
    fig = picture.figure([near(f"run-{i}", i) for i in range(9)])  # type: ignore[misc]
    assert not [trace for trace in fig.data if trace.mode and "text" in trace.mode]


def test_variants_of_a_net_have_hues_of_their_own() -> None:
    names = ("mlp", "mlp-100", "ensemble", "ensemble-recall", "amn-20261125-043117", "amn-20261125-051200")
    assert len({charts.model_colour(name) for name in names}) == len(names)
    assert charts.model_colour("mlp") == charts.MODEL_COLOURS["mlp"]
