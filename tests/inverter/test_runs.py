"""A search that goes on where an earlier one ended says what a search in one go says."""

import numpy as np
import pytest

from lvm_core.inverter.decoder import Inverter
from lvm_core.inverter.generate import Generator
from lvm_core.inverter.net import InverterNet, NetSize
from lvm_core.inverter.search import Search
from tests.inverter.tiny_inverter import BagEncoder, tiny_language

TEXTS = ["the first people in the region", "a large part of the country"]


@pytest.fixture(scope="module")
def generator():
    language = tiny_language()
    net = InverterNet(language, NetSize(dim=BagEncoder.dim))
    return Generator(net.eval(), language.tokenizer)


def test_steps_in_turn_equal_steps_at_once(generator, monkeypatch):
    vectors = BagEncoder().encode(TEXTS)
    at_once = Inverter("a", generator, BagEncoder()).decode_all(vectors, 3)
    inverter = Inverter("b", generator, BagEncoder())
    first = inverter.decode_all(vectors, 1)
    calls = []
    for name in ("start", "step"):
        own = getattr(Search, name)
        monkeypatch.setattr(Search, name, lambda self, *a, name=name, own=own: (calls.append(name), own(self, *a))[1])
    then = inverter.decode_all(vectors, 3)
    assert calls == ["step", "step"], "nothing is begun anew"
    assert then == at_once
    assert [texts[:2] for texts in then] == first
    assert inverter.decode_all(vectors[::-1], 2) == [texts[:3] for texts in at_once[::-1]]
    assert calls == ["step", "step"]


def test_the_same_vector_twice_is_searched_once(generator):
    inverter = Inverter("c", generator, BagEncoder())
    vector = BagEncoder().encode(TEXTS[:1])
    one, two = inverter.decode_all(np.concatenate([vector, vector]), 1)
    assert one == two
