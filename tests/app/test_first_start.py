"""An empty workspace starts the embedded corpus by itself, once, and says what waits for it."""

import pytest

from lvm_core.jobs.store import JobStore
from lvm_core.workspace import Workspace
from pages.shared import first_start
from tests.app.conftest import Open, shown


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs wait in the queue: what they do is tested elsewhere."""
    monkeypatch.setattr("lvm_core.jobs.runner.look", lambda *_: None)


@pytest.mark.usefixtures("held")
def test_an_empty_workspace_queues_reading_and_encoding(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace, first="enwiki-sample")
    assert not app.exception
    assert [job.kind for job in JobStore(workspace).list()] == ["ingest", "encode"]
    assert "still being read" in shown(app)
    assert "Read enwiki-sample" in shown(app)
    open_page(workspace, first="enwiki-sample")
    assert len(JobStore(workspace).list()) == 2


@pytest.mark.usefixtures("held")
def test_a_workspace_with_a_corpus_is_left_alone(seeded: Workspace, open_page: Open) -> None:
    open_page(seeded, first="enwiki-sample")
    assert JobStore(seeded).list() == []


@pytest.mark.usefixtures("held")
def test_it_is_offered_where_nothing_is_under_way(workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace)
    app.button(key="first-start").click().run()
    assert [job.kind for job in JobStore(workspace).list()] == ["ingest", "encode"]


def test_the_strip_shows_titles_as_text() -> None:
    assert first_start.strip_html([]) == "<span></span>"


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("page", ["train", "vectors", "drift"])
def test_every_page_that_waits_for_a_corpus_offers_it(page: str, workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace, page)
    assert "No corpus is encoded" in shown(app)
    app.button(key="first-start").click().run()
    assert not app.exception
    assert [job.kind for job in JobStore(workspace).list()] == ["ingest", "encode"]
