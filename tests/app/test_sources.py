"""A new source of text appears in the form of the Corpus page."""

from pathlib import Path

from lvm_core.workspace import Workspace
from tests.app.conftest import Open
from tests.corpus.sources.toy import subtitles  # noqa: F401 - fixture


def test_a_new_source_can_be_uploaded(open_page: Open, workspace: Workspace, subtitles: Path) -> None:  # noqa: F811
    app = open_page(workspace, "corpus")
    for view in app.segmented_control:
        if "Add a corpus" in view.options:
            view.select("Add a corpus").run()
    (source,) = [box for box in app.selectbox if box.label == "Source"]
    source.select("A file from this browser").run()
    (upload,) = app.get("file_uploader")
    assert ".srt" in upload.proto.type
    assert {".xml", ".jsonl", ".bz2", ".gz"} <= set(upload.proto.type)
