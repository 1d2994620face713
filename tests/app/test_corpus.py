"""The Corpus page on empty and seeded workspaces, through app.py as a browser opens it."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from lvm_core.corpus.store import CorpusStore
from lvm_core.corpus.tmd.codes import by_names
from lvm_core.dataset.labelling import set_codes
from lvm_core.jobs.store import JobStore
from lvm_core.workspace import Workspace
from pages.views.corpus import reading
from pages.views.corpus.ingest import FILE, kept
from tests.app.conftest import Open, press, shown
from tests.corpus.makers import read_in, write_dump, write_lines
from tests.jobs.conftest import wait


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Catch the commands that would be queued."""
    found: list[list[str]] = []
    monkeypatch.setattr(JobStore, "submit", lambda self, argv, title="", **_: found.append(list(argv)) or "job")
    return found


@pytest.fixture
def seeded(workspace: Workspace, tmp_path: Path) -> Workspace:
    read_in(workspace, write_dump(tmp_path / "wiki.xml", ["Rivers", "Mountains <b>", "Deserts"]), "tiny")
    read_in(workspace, write_lines(tmp_path / "other.jsonl", ["Oceans", "Lakes"]), "other", licence="CC0")
    CorpusStore(workspace).set_coherence("tiny", np.linspace(0.1, 0.9, CorpusStore(workspace).corpus("tiny").n_chunks))
    return workspace


def opened(app: AppTest) -> str:
    return str(app.header[0].value)


def test_an_empty_workspace_offers_the_embedded_corpus(
    open_page: Open, workspace: Workspace, submitted: list[list[str]]
) -> None:
    app = open_page(workspace, "corpus")
    assert "No corpus yet" in shown(app)
    assert "python -m lvm_core ingest enwiki-sample --corpus enwiki-sample" in shown(app)
    press(app, "Read in")
    assert submitted == [
        ["ingest", "enwiki-sample", "--corpus", "enwiki-sample"],
        ["encode", "--corpus", "enwiki-sample"],
    ]


def test_a_corpus_that_is_being_read_in_is_not_offered_again(
    open_page: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.shared.first_start.active_jobs", lambda: ["a job"])
    monkeypatch.setattr("pages.shared.first_start.strip", lambda: None)
    app = open_page(workspace, "corpus")
    assert "The first corpus is being read in" in shown(app)
    assert not [button for button in app.button if button.label == "Read in"]


def test_the_first_article_is_read_with_its_sections_and_licence(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    text = shown(app)
    assert not app.exception
    assert opened(app) == "Rivers"
    assert "<h3>History</h3>" in text
    assert "Rivers is one of the things." in text
    assert "creativecommons" in text
    assert text.count('"lvm-chunk lvm-chosen"') == 5
    assert text.count('"lvm-chunk lvm-next"') == 1


def test_a_file_of_which_no_article_can_be_taken_says_so(open_page: Open, seeded: Workspace, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Two words.\n")
    app = open_page(seeded, "corpus", view="Add a corpus")
    app.selectbox(key="corpus:ingest:source").select(FILE).run()
    app.text_input(key="corpus:ingest:path").set_value(str(tmp_path / "short.txt")).run()
    assert not app.exception
    assert "No article of its beginning could be taken" in shown(app)


def test_what_a_page_shows_is_text_and_never_markup(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    app.text_input(key="corpus:search").set_value("mountains").run()
    app.radio[0].set_value(app.radio[0].options[0]).run()
    assert opened(app) == "Mountains \\<b\\>"
    assert "<b> is one" not in shown(app)


def test_words_find_articles_and_are_marked(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    app.text_input(key="corpus:search").set_value("deserts 3").run()
    assert list(app.radio[0].options) == ["Deserts"]
    app.radio[0].set_value("Deserts").run()
    assert opened(app) == "Deserts"
    assert "<mark>Deserts</mark>" in shown(app)
    assert "<mark>3</mark>" in shown(app)
    assert app.number_input(key="corpus:to").value == 5
    press(app, "Next match (1 of 2)")
    assert app.number_input(key="corpus:to").value == 11
    app.text_input(key="corpus:search").set_value("nowhere to be found").run()
    assert "No article of this corpus holds all of" in shown(app)
    assert not app.exception


def test_a_run_of_chunks_goes_to_predict(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    app.number_input(key="corpus:from").set_value(3)
    app.number_input(key="corpus:to").set_value(4).run()
    assert "2 chunks as context; the true next one is chunk 5" in shown(app)
    press(app, "Send to Predict")
    assert not app.exception
    boxes = [area.value for area in app.text_area]
    assert [text for text in boxes if text] == CorpusStore(seeded).texts("tiny", 2, 4)


def test_one_may_leave_the_page_and_come_back_to_the_same_run(open_page: Open, seeded: Workspace) -> None:
    def first(app: AppTest) -> NumberInput:
        return next(box for box in app.number_input if box.label == "From chunk")

    app = open_page(seeded, "corpus")
    first(app).set_value(2).run()
    app.switch_page("pages/system.py").run()
    app.switch_page("pages/corpus.py").run()
    assert not app.exception
    assert first(app).value == 2


def test_a_run_that_is_upside_down_cannot_be_sent(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    app.number_input(key="corpus:from").set_value(4)
    app.number_input(key="corpus:to").set_value(2).run()
    assert "The first chunk comes after the last one" in shown(app)
    assert [button.disabled for button in app.button if button.label == "Send to Predict"] == [True]


def test_a_section_can_be_gone_to(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    (section,) = [box for box in app.selectbox if box.label == "Section"]
    section.select("History").run()
    assert (app.number_input(key="corpus:from").value, app.number_input(key="corpus:to").value) == (8, 12)


def test_another_corpus_shows_its_own_licence(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    app.selectbox(key="corpus:corpus").select("other").run()
    assert opened(app) == "Oceans"
    assert "CC0" in shown(app)
    assert not app.get("plotly_chart"), "there is no coherence before encoding"


def test_long_articles_and_lists_come_in_slices(open_page: Open, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    write_lines(path, [f"Article {i:03}" for i in range(60)])
    read_in(workspace, path, "many")
    (tmp_path / "book.txt").write_text(" ".join(f"This is sentence {i} of a long book." for i in range(500)))
    read_in(workspace, tmp_path / "book.txt", "book")
    app = open_page(workspace, "corpus")
    assert "1-40 of 60 articles" in shown(app)
    app.button(key="articles_on").click().run()
    assert len(app.radio[0].options) == 20
    app.selectbox(key="corpus:corpus").select("book").run()
    assert shown(app).count('class="lvm-chunk') == reading.SLICE
    app.button(key="chunks_on_below").click().run()
    assert "chunks 81-160 of 500" in shown(app)


def test_searching_by_meaning_says_what_it_needs(
    open_page: Open, seeded: Workspace, submitted: list[list[str]]
) -> None:
    app = open_page(seeded, "corpus")
    app.segmented_control(key="corpus:by").select("Meaning").run()
    assert "Searching by meaning needs the vectors" in shown(app)
    press(app, "Encode now")
    assert submitted == [["encode", "--corpus", "tiny"]]


def test_meaning_finds_the_chunk_and_opens_it(open_page: Open, seeded: Workspace) -> None:
    from lvm_core.encoders import load_encoder
    from lvm_core.vectors.encode import encode_corpus

    encode_corpus(seeded, "tiny", load_encoder("all-MiniLM-L6-v2"))
    app = open_page(seeded, "corpus")
    app.segmented_control(key="corpus:by").select("Meaning").run()
    app.text_input(key="corpus:search").set_value("dry land of sand").run()
    assert "Deserts" in app.radio[0].options[0]
    app.radio[0].set_value(app.radio[0].options[0]).run()
    assert opened(app) == "Deserts"
    assert not app.exception


def test_deleting_asks_first(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    app.segmented_control(key="corpus:view").select("Corpora").run()
    text = shown(app)
    assert CorpusStore(seeded).corpus("tiny").digest in text
    assert "MediaWiki dump wiki.xml" in text
    next(button for button in app.button if button.label == "Delete").click().run()
    assert "Delete 39 chunks" in shown(app)
    press(app, "Keep it")
    assert len(CorpusStore(seeded).corpora()) == 2
    next(button for button in app.button if button.label == "Delete").click().run()
    press(app, "Delete for good")
    assert [corpus.name for corpus in CorpusStore(seeded).corpora()] == ["other"]
    assert not app.exception


def test_the_form_shows_the_command_it_stands_for(
    open_page: Open, seeded: Workspace, submitted: list[list[str]]
) -> None:
    app = open_page(seeded, "corpus")
    app.segmented_control(key="corpus:view").select("Add a corpus").run()
    app.segmented_control(key="corpus:ingest:chunker").select("paragraph").run()
    app.segmented_control(key="corpus:ingest:amount").select("random").run()
    app.number_input(key="corpus:ingest:sample").set_value(20).run()
    app.checkbox[0].uncheck().run()
    command = ["ingest", "enwiki-sample", "--corpus", "enwiki-sample", "--chunker", "paragraph", "--sample", "20"]
    assert f"python -m lvm_core {' '.join(command)}" in shown(app)
    press(app, "Read in")
    assert submitted == [command]


def test_a_name_that_is_taken_is_refused_before_a_job_is_queued(
    open_page: Open, seeded: Workspace, submitted: list[list[str]]
) -> None:
    app = open_page(seeded, "corpus")
    app.segmented_control(key="corpus:view").select("Add a corpus").run()
    app.text_input(key="corpus:ingest:name-enwiki-sample").set_value("tiny").run()
    press(app, "Read in")
    assert "exists already" in app.error[0].value
    assert submitted == []


def test_a_corpus_deleted_elsewhere_does_not_break_the_page(open_page: Open, seeded: Workspace) -> None:
    app = open_page(seeded, "corpus")
    CorpusStore(seeded).delete("tiny")
    app.run()
    assert not app.exception
    assert opened(app) == "Oceans"


def test_labels_are_offered_shown_filtered_and_mended(
    open_page: Open, seeded: Workspace, submitted: list[list[str]]
) -> None:
    app = open_page(seeded, "corpus")
    app.segmented_control(key="corpus:by").select("Domain").run()
    assert "No chunk of this corpus has a label yet" in shown(app)
    assert "python -m lvm_core tmd --corpus tiny" in shown(app)
    assert [b.disabled for b in app.button if b.label == "Label now"] == [True]

    science, law = by_names("science", "fact_retrieval", "historical"), by_names("law", "entailment", "legal")
    set_codes(seeded, "tiny", 0, [science] * 10 + [law] * 29)
    app.run()
    domain = app.selectbox(key="corpus:domain")
    assert list(domain.options) == ["law (29 chunks)", "science (10 chunks)"]
    assert ">science · fact retrieval · historical<" in shown(app)
    domain.select("science").run()
    assert "1-10 of 10 chunks" in shown(app)
    assert len(app.radio[0].options) == 10
    app.radio[0].set_value(app.radio[0].options[2]).run()
    assert app.number_input(key="corpus:to").value == 3
    app.text_input(key="corpus:search").set_value("nowhere to be found").run()
    assert "No chunk of this domain holds all of" in shown(app)
    app.text_input(key="corpus:search").set_value("").run()

    (task,) = [box for box in app.selectbox if box.label == "Task"]
    assert task.value == "fact_retrieval"
    task.select("summarization").run()
    press(app, "Keep this label")
    assert not app.exception
    assert CorpusStore(seeded).chunks("tiny", [2])[0].tmd == by_names("science", "summarization", "historical")


def test_an_encoded_corpus_is_labelled_by_a_job_and_its_order_is_checked_once(
    open_page: Open, seeded: Workspace, submitted: list[list[str]]
) -> None:
    from lvm_core.dataset.order_notes import known_order
    from lvm_core.encoders import load_encoder
    from lvm_core.vectors.encode import encode_corpus

    encoder = load_encoder("all-MiniLM-L6-v2")
    encode_corpus(seeded, "tiny", encoder)
    app = open_page(seeded, "corpus")
    app.segmented_control(key="corpus:by").select("Domain").run()
    press(app, "Label now")
    assert submitted == [["tmd", "--corpus", "tiny"]]
    app.segmented_control(key="corpus:view").select("Corpora").run()
    assert "Its order can be checked once it is encoded" in shown(app), "the other corpus has no vectors"
    assert "Made in" in shown(app)
    assert "ms a chunk" in shown(app)
    press(app, "Check its order")
    report = known_order(seeded, "tiny", encoder.id)
    assert report is not None
    assert f"{report.order_signal:+.3f}" in shown(app)
    assert report.verdict in shown(app)
    assert len(app.get("plotly_chart")) == 1
    app.run()
    assert not [b for b in app.button if b.label == "Check its order"], "it is known now"
    assert not app.exception


def test_an_edited_file_of_the_same_size_and_name_is_read_anew(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LVM_WORKSPACE", str(workspace.root))
    path = kept("animals.jsonl", b'{"title": "otter"}')
    assert kept("animals.jsonl", b'{"title": "OTTER"}') == path
    assert path.read_bytes() == b'{"title": "OTTER"}'


def test_a_source_is_shown_before_it_is_read_in_and_its_headings_can_split_it(
    open_page: Open, seeded: Workspace, tmp_path: Path
) -> None:
    text = "\n\n".join(
        f"# Animal {i}\n\nThe animal {i} lives here. It eats grass. It sleeps at night." for i in range(5)
    )
    (tmp_path / "animals.md").write_text(text, encoding="utf-8")
    app = open_page(seeded, "corpus", view="Add a corpus")
    app.selectbox(key="corpus:ingest:source").set_value("A path on this machine, or hf:NAME").run()
    app.text_input(key="corpus:ingest:path").set_value(str(tmp_path / "animals.md")).run()
    assert not app.exception
    assert "Its headings can split it: Animal 0, Animal 1" in shown(app)
    app.toggle(key="corpus:ingest:split_headings").set_value(True).run()
    assert "<b>Animal 1</b>" in shown(app)
    assert "It eats grass." in shown(app)
    assert "--split-headings" in shown(app)


def test_a_failed_reading_is_said_where_it_was_started_and_nothing_is_encoded(
    open_page: Open, seeded: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "broken.jsonl").write_text("{ this is no line\n", encoding="utf-8")
    app = open_page(seeded, "corpus", view="Add a corpus")
    app.selectbox(key="corpus:ingest:source").set_value("A path on this machine, or hf:NAME").run()
    app.text_input(key="corpus:ingest:path").set_value(str(tmp_path / "broken.jsonl")).run()
    press(app, "Read in")
    store = JobStore(seeded)
    encode, read = store.list()[0], store.list()[1]
    if encode.kind != "encode":
        encode, read = read, encode
    assert wait(store, read.id, timeout_s=90).state == "failed"
    assert wait(store, encode.id, timeout_s=30).state == "cancelled"
    app.run()
    (error,) = [error.value for error in app.error if error.value.startswith("Reading")]
    assert error.startswith("Reading failed")
    assert "--" not in error


def test_a_corpus_that_was_added_is_open_with_one_press(open_page: Open, seeded: Workspace, tmp_path: Path) -> None:
    app = open_page(seeded, "corpus", view="Add a corpus")
    app.selectbox(key="corpus:ingest:source").set_value("A path on this machine, or hf:NAME").run()
    write_lines(tmp_path / "more.jsonl", ["Glaciers", "Islands"])
    app.text_input(key="corpus:ingest:path").set_value(str(tmp_path / "more.jsonl")).run()
    app.checkbox(key="corpus:ingest:encode").uncheck().run()
    press(app, "Read in")
    store = JobStore(seeded)
    assert wait(store, store.list()[0].id, timeout_s=90).state == "done"
    app.run()
    assert "2 articles" in shown(app)
    press(app, "Open")
    assert opened(app) == "Glaciers"


def test_mistakes_are_said_in_the_words_of_the_form(
    open_page: Open, seeded: Workspace, submitted: list[list[str]]
) -> None:
    app = open_page(seeded, "corpus", view="Add a corpus")
    app.text_input(key="corpus:ingest:name-enwiki-sample").set_value("tiny").run()
    press(app, "Read in")
    assert "'replace one of this name'" in app.error[0].value.replace("\\", "").lower()
    assert "--" not in app.error[0].value
    app.toggle(key="corpus:ingest:replace").set_value(True).run()
    press(app, "Read in")
    assert submitted[0][-1] == "--replace"
