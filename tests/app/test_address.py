"""Addresses: what is chosen stands in them, and what is impossible in them is said in one line."""

import pytest
from streamlit.testing.v1 import AppTest

from lvm_core.workspace import Workspace
from pages.shared import packed
from tests.app.conftest import Open


def chosen(app: AppTest, key: str) -> object:
    """Return what the widget called `key` is set to."""
    return app.session_state[key]


def test_a_link_sets_the_widgets_and_what_is_chosen_stands_in_the_address(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", models="copy-last,context-mean", windows="30", snap="0", colour="article")
    assert not app.exception
    assert chosen(app, "vectors:models") == ["copy-last", "context-mean"]
    assert (chosen(app, "vectors:windows"), chosen(app, "vectors:snap")) == (30, False)
    assert chosen(app, "vectors:colour") == "article"
    app.number_input(key="vectors:windows").set_value(40).run()
    assert app.query_params["windows"] == "40"
    app.number_input(key="vectors:windows").set_value(500).run()
    assert "windows" not in app.query_params


@pytest.mark.parametrize(
    ("page", "query", "said"),
    [
        ("vectors", {"windows": "abc"}, "windows is 'abc'; expected a whole number"),
        ("vectors", {"windows": "1", "n_dims": "7"}, "windows is 1; expected 5 to 20000"),
        ("vectors", {"models": "nothing,copy-last"}, "models is 'nothing'"),
        ("vectors", {"colour": "smell", "lines": "perhaps"}, "colour is 'smell'; expected one of role"),
        ("drift", {"steps": "99", "view": "upside down"}, "steps is 99; expected 1 to 50"),
        ("drift", {"k": "0.5", "position": "-3", "article": "Nowhere"}, "k is '0.5'; expected a whole number"),
        ("drift", {"split": "", "strength": "nan"}, "strength is nan"),
    ],
)
def test_an_impossible_address_gives_the_usual_values_and_one_line(
    page: str, query: dict[str, str], said: str, seeded: Workspace, open_page: Open
) -> None:
    app = open_page(seeded, page, **{"models": "copy-last", "split": "train", **query})
    assert not app.exception
    assert not app.error
    (line,) = [warning.value for warning in app.warning]
    assert said.replace("_", "\\_") in line.replace("\\'", "'").replace("\\:", ":")
    assert not [w for w in app.run().warning if "address" in w.value], "it is said once"


def test_a_link_is_followed_again_when_the_page_is_come_to_again(seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, "vectors", models="copy-last", windows="30")
    app.switch_page("pages/system.py").run()
    app.switch_page("pages/vectors.py")
    app.query_params["windows"] = "35"
    app.run()
    assert chosen(app, "vectors:windows") == 35
    assert chosen(app, "vectors:models") == ["copy-last"], "what the link does not name stays"


@pytest.mark.parametrize(
    "draft", [{"chunks": ["\ud800"]}, {"text": "a\udfffb"}, {"from": ["\udc00", [0]]}, {"chunks": 3}, [], "x"]
)
def test_a_context_of_half_characters_is_refused_in_one_line(seeded: Workspace, open_page: Open, draft: object) -> None:
    app = open_page(seeded, "predict", t=packed.pack(draft))
    assert not app.exception
    assert len(app.warning) <= 1
    assert app.text_area


def test_values_survive_the_address() -> None:
    for value in (True, False, 3, -0.25, "a b,c", ["a", "b"], [], {"chunks": ["x"], "run": True}):
        assert packed.parsed(packed.text_of(value), type(value)) == value
