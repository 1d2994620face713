from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvm_core.checkpoint import find_model
from lvm_core.corpus.store import CorpusStore
from lvm_core.dataset import split_documents
from lvm_core.evaluate.candidates import Candidate, open_encoded
from lvm_core.evaluate.settings import EvaluateSettings
from lvm_core.evaluate.twins import TwinFinder, find_twins, plain_title, shingles
from lvm_core.workspace import Workspace


def article(seed: int, n: int = 400) -> str:
    return " ".join(f"word{number}" for number in np.random.default_rng(seed).integers(0, 500, n))


@pytest.mark.parametrize(
    ("one", "other"), [("Éclair (film)", "Eclair film"), ("Apollo_11", "apollo 11"), ("St. Louis", "St Louis")]
)
def test_plain_titles_meet(one: str, other: str) -> None:
    assert plain_title(one) == plain_title(other)


@given(st.text(min_size=1))
def test_every_title_has_a_plain_form_that_stays(title: str) -> None:
    assert plain_title(plain_title(title)) == plain_title(title)


def test_a_copied_article_is_found_under_another_title() -> None:
    copied = article(1)
    finder = TwinFinder([("Original", copied), ("Other", article(2))])
    twins = finder.twins_of("Renamed", "A new first sentence. " + copied + " And a last one.")
    assert [(t.test, t.train, t.how) for t in twins] == [("Original", "Renamed", "text")]
    assert twins[0].share > 0.95


def test_an_article_that_quotes_a_little_is_no_twin_but_one_of_the_same_title_is() -> None:
    finder = TwinFinder([("Éclair", article(1)), ("Other", article(2))])
    quoted = " ".join(article(1).split()[:30]) + " " + article(5)
    assert finder.twins_of("Quoting", quoted) == []
    same = finder.twins_of("Eclair", article(9))
    assert [(t.test, t.how) for t in same] == [("Éclair", "title")]


def test_shares_from_sampled_shingles_are_near_the_true_share() -> None:
    whole = article(3, 3000)
    half = " ".join(whole.split()[:1500])
    finder = TwinFinder([("Whole", whole)])
    assert finder.twins_of("Half", half)[0].share == pytest.approx(0.5, abs=0.06)


def test_short_and_empty_texts_have_no_shingles() -> None:
    assert len(shingles("")) == 0
    assert len(shingles("seven words are not enough for one")) == 0
    assert TwinFinder([]).twins_of("Any", article(1)) == []


def test_an_article_that_no_model_was_trained_on_is_no_twin(seeded_once: Workspace) -> None:
    """A training on several corpora leaves out what any of them holds out, though it lies among another's articles."""
    store = CorpusStore(seeded_once)
    info = store.corpora()[0]
    mlp = find_model(seeded_once, "mlp")
    about = {"corpora": [{"name": info.name, "digest": info.digest}], "split_seed": 3}
    mlp = replace(mlp, config={**mlp.config, **about})
    encoded = open_encoded(seeded_once, info.name, mlp.encoder_id, 0)
    document = split_documents(store.documents(info.name), 3)["train"][0]
    test = SimpleNamespace(documents=[replace(document, document_id=-1)])

    def found(titles: list[str] | None) -> list[str]:
        candidates = [Candidate(mlp, titles)]
        return [twin.train for twin in find_twins(encoded, test, candidates, EvaluateSettings(split="all"))]

    assert found([document.title]) == found(None) == [document.title]
    assert found(["Another"]) == []
