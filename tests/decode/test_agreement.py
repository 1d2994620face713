"""Which words of a text are certain, and what else was weighed in their place."""

import pytest

from lvm_core.decode.agreement import NOTHING, agreement
from lvm_core.decode.cache import DecodeCache
from lvm_core.types import Decoded
from lvm_core.workspace import Workspace
from tests.decode.fakes import unit_vectors


def test_words_that_all_share_are_firm_and_the_others_have_alternatives() -> None:
    text = "The bridge was opened in 1884."
    words = agreement(text, ["The bridge was opened in 1894", "A bridge was built in 1884"])
    assert " ".join(word.text for word in words) == text
    assert [word.text for word in words if word.firm] == ["bridge", "was", "in"]
    by_text = {word.text: word for word in words}
    assert by_text["The"].instead == ("A",)
    assert by_text["1884."].instead == ("1894",)
    assert (by_text["opened"].share, by_text["opened"].instead) == (0.5, ("built",))


@pytest.mark.parametrize("others", [(), ("the BRIDGE, was opened",)])
def test_without_another_text_or_with_the_same_every_word_is_firm(others: tuple[str, ...]) -> None:
    assert all(word.firm and not word.instead for word in agreement("The bridge was opened.", others))


def test_what_others_leave_out_or_say_in_more_words_stands_beside_each_word() -> None:
    words = agreement("It was very old", ["It was old", "It was two hundred years old"])
    assert words[2].instead == (NOTHING, "two hundred years")
    assert agreement("", ["anything"]) == []


def test_the_cache_keeps_the_other_texts(workspace: Workspace) -> None:
    cache, vector = DecodeCache(workspace), unit_vectors(1, 4)[0]
    kept = [Decoded("one", "inverter", 1, 0.5, -1.0, ("two", "three")), Decoded("one", "extractive", 0, 0.5)]
    cache.put("decoder", 1, vector, kept)
    assert cache.get("decoder", 1, vector) == kept
