"""Which space is meant: each rule gives what it says, or refuses and says why."""

import pytest

from lvm_core.errors import CorpusError, EncoderError, SettingsError
from lvm_core.spaces import (
    first_installed,
    space_called,
    space_of_corpus,
    space_of_models,
    space_to_measure_in,
    space_to_train_in,
)
from lvm_core.workspace import Workspace
from tests.evaluate.worlds import make_corpus

ONE, OTHER = "one@111111111111", "other@222222222222"


def encoded(workspace: Workspace, name: str, *spaces: str) -> None:
    from lvm_core.vectors.encode import encode_corpus
    from tests.evaluate.worlds import ToyEncoder, walk

    make_corpus(workspace, name, [9, 9], id=spaces[0])
    for space in spaces[1:]:
        encode_corpus(workspace, name, ToyEncoder(walk(18), space))


def test_of_a_corpus_the_named_space_else_the_latest(workspace: Workspace) -> None:
    encoded(workspace, "a", ONE, OTHER)
    assert space_of_corpus(workspace, "a") == OTHER
    assert space_of_corpus(workspace, "a", "one") == space_of_corpus(workspace, "a", ONE) == ONE
    with pytest.raises(CorpusError, match=f"no vectors of 'third'; expected one of {OTHER}, {ONE}"):
        space_of_corpus(workspace, "a", "third")
    with pytest.raises(CorpusError, match="There is no corpus 'b'"):
        space_of_corpus(workspace, "b")


def test_training_takes_the_one_space_that_all_corpora_share(workspace: Workspace) -> None:
    encoded(workspace, "a", ONE, OTHER)
    encoded(workspace, "b", OTHER)
    assert space_to_train_in(workspace, ["a", "b"]) == OTHER
    assert space_to_train_in(workspace, ["a"], "one") == ONE
    with pytest.raises(SettingsError, match="expected one of these"):
        space_to_train_in(workspace, ["a"])
    with pytest.raises(CorpusError, match=r"b: not encoded with 'one'|not encoded with 'one'"):
        space_to_train_in(workspace, ["a", "b"], "one")
    with pytest.raises(SettingsError, match="corpus is empty"):
        space_to_train_in(workspace, [])


def test_models_are_measured_in_their_own_space_and_rules_in_the_corpus_s(seeded_once: Workspace) -> None:
    built_in = space_of_corpus(seeded_once, "enwiki-sample")
    assert space_of_models(seeded_once, ["copy-last", "amn"]) == built_in
    assert space_of_models(seeded_once, ["copy-last", "passthrough"]) is None
    assert space_to_measure_in(seeded_once, ["copy-last"], "enwiki-sample") == built_in


def test_the_default_encoder_comes_first_where_only_rules_are_measured(seeded: Workspace) -> None:
    from lvm_core.vectors.encode import encode_corpus
    from tests.evaluate.worlds import walk

    class Constant:
        id, dim, unit_norm = ONE, 16, True

        def encode(self, texts: list[str]):
            return walk(len(texts))

    built_in = space_of_corpus(seeded, "enwiki-sample")
    encode_corpus(seeded, "enwiki-sample", Constant())
    assert space_of_corpus(seeded, "enwiki-sample") == ONE
    assert space_to_measure_in(seeded, ["copy-last"], "enwiki-sample") == built_in


def test_an_encoder_is_given_by_name_or_by_id() -> None:
    assert space_called(ONE) == ONE
    assert space_called("all-MiniLM-L6-v2").startswith("all-MiniLM-L6-v2@")
    with pytest.raises(EncoderError, match="There is no encoder 'nobody'"):
        space_called("nobody")
    assert first_installed(("nobody", "all-MiniLM-L6-v2")) == "all-MiniLM-L6-v2"
    assert first_installed(("all-MiniLM-L6-v2", "nobody")) == "all-MiniLM-L6-v2"
