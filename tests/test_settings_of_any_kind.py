"""Settings of any kind are checked or refused with what was expected: never a traceback, never silently taken."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm_core.config import fields_of, from_dict
from lvm_core.corpus.ingest import IngestSettings
from lvm_core.denoiser.config import DenoiserConfig
from lvm_core.errors import SettingsError
from lvm_core.inverter.config import InverterConfig
from lvm_core.snap import SnapSettings
from lvm_core.train import TrainConfig

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**310)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "\x1b[31m", "../..", "~nosuch", "a" * 300]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("cls", [TrainConfig, IngestSettings, SnapSettings, InverterConfig, DenoiserConfig])
def test_any_value_is_taken_in_its_bounds_or_refused(cls: type[Any]) -> None:
    names = [field.name for field in fields_of(cls)]

    @given(st.dictionaries(st.sampled_from([*names, "nonsense"]), VALUES, max_size=4))
    @settings(max_examples=600, deadline=None)
    def mutated(values: dict[str, Any]) -> None:
        try:
            made = from_dict(cls, values)
        except SettingsError as error:
            assert all("expected" in problem for problem in error.problems)  # noqa: PT017
        else:
            for field in fields_of(cls):
                value = getattr(made, field.name)
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    assert field.low is None or value >= field.low
                    assert field.high is None or value <= field.high

    mutated()
