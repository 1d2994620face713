"""What every test stands on: one thread a process, no network, a workspace of its own."""

import os
import shutil

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from pathlib import Path

import pytest

from lvm_core.workspace import Workspace
from tests.postgres import postgres_server, postgres_url  # noqa: F401 - fixtures


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a test that drives a browser a second go: what a person would wait for can take longer than any limit."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
            item.add_marker(pytest.mark.timeout(func_only=True))  # else the second go has no limit


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace in a folder with a space in its name."""
    return Workspace(tmp_path / "work space")


@pytest.fixture(scope="session")
def seeded_once(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with the beginnings of twelve real articles, encoded; read it, never write to it."""
    from lvm_core.corpus.ingest import IngestSettings, ingest
    from lvm_core.encoders import load_encoder
    from lvm_core.vectors.encode import encode_corpus

    here = Workspace(tmp_path_factory.mktemp("seeded") / "work space")
    source = Path(__file__).parent / "data" / "wikipedia.jsonl"
    ingest(here, str(source), "enwiki-sample", IngestSettings(licence="CC BY-SA 4.0"))
    encode_corpus(here, "enwiki-sample", load_encoder(device="cpu"))
    return here


@pytest.fixture
def seeded(seeded_once: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of `seeded_once` that a test may change."""
    shutil.copytree(seeded_once.root, tmp_path / "seeded")
    return Workspace(tmp_path / "seeded")
