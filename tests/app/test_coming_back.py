"""Coming back to a page finds it as it was left: every page, from every other."""

from itertools import permutations

import pytest
from streamlit.testing.v1 import AppTest

from lvm_core.workspace import Workspace
from pages import PAGES
from tests.app.conftest import Open

SET: dict[str, list[tuple[str, str, object]]] = {
    "predict": [("text_area", "context_box_0", "The moon is the only natural satellite of the Earth.")],
    "corpus": [("selectbox", "corpus:corpus", "enwiki-sample"), ("number_input", "corpus:to", 7),
               ("text_input", "corpus:search", "")],
    "train": [("number_input", "train:epochs", 3), ("number_input", "train:lr", 0.002)],
    "leaderboard": [("text_input", "leaderboard:words", "mlp"), ("selectbox", "leaderboard:by", "recall_at_5")],
    "vectors": [("number_input", "vectors:windows", 35), ("toggle", "vectors:snap", False),
                ("multiselect", "vectors:models", ["copy-last"])],
    "drift": [("slider", "drift:steps", 3), ("multiselect", "drift:models", ["context-mean"])],
    "system": [],
}  # fmt: skip
"""What is changed on each page: kind of widget, its key, and the value; System has but the encoder of all pages."""

QUERY = {"vectors": {"models": "copy-last", "windows": "30"}, "drift": {"models": "copy-last", "split": "train"}}


def go(app: AppTest, page: str) -> AppTest:
    return app.switch_page(f"pages/{page}.py").run()


def values(app: AppTest, page: str) -> list[object]:
    return [getattr(app, kind)(key=key).value for kind, key, _ in SET[page]]


def test_every_page_has_something_to_be_found_again() -> None:
    assert set(SET) == set(PAGES)


@pytest.mark.parametrize("page", [page for page in PAGES if SET[page]])
def test_a_page_is_found_as_it_was_left(page: str, seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, page, **QUERY.get(page, {}))
    for kind, key, value in SET[page]:
        getattr(app, kind)(key=key).set_value(value).run()
    left = values(app, page)
    assert left == [value for _, _, value in SET[page]]
    for other in PAGES:
        if other != page:
            assert not go(app, other).exception, other
            assert not go(app, page).exception, other
            assert values(app, page) == left, f"by way of {other}"


def test_no_way_from_page_to_page_raises(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "system")
    for first, second in permutations([page for page in PAGES if page not in ("vectors", "drift")], 2):
        for page in (first, second):
            go(app, page)
            assert not app.exception, f"{first} to {second}"


def test_the_article_and_the_run_of_chunks_stand_in_the_address(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "corpus")
    title = app.radio[0].options[2]
    app.radio[0].set_value(app.radio[0].options[2]).run()
    app.number_input(key="corpus:from").set_value(2).run()
    app.number_input(key="corpus:to").set_value(4).run()
    link = {name: str(value) for name, value in dict(app.query_params).items()}
    again = open_page(seeded, "corpus", **link)
    assert again.header[0].value == app.header[0].value == title
    assert (again.number_input(key="corpus:from").value, again.number_input(key="corpus:to").value) == (2, 4)


def test_sending_to_predict_and_coming_back_finds_the_article(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "corpus")
    app.radio[0].set_value(app.radio[0].options[1]).run()
    app.number_input(key="corpus:to").set_value(6).run()
    title = app.header[0].value
    (send,) = [button for button in app.button if button.label == "Send to Predict"]
    send.click().run()
    go(app, "corpus")
    assert not app.exception
    assert app.header[0].value == title
    assert app.number_input(key="corpus:to").value == 6
