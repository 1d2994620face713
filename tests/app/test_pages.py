"""Every page opens, on an empty workspace and on one with a corpus, and shows no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pages
from lvm_core.workspace import Workspace
from tests.app.conftest import Open

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("[a-z]*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_opens_on_an_empty_workspace(page: str, workspace: Workspace, open_page: Open) -> None:
    app = open_page(workspace, page)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", PAGES)
def test_opens_on_a_workspace_with_a_corpus(page: str, seeded: Workspace, open_page: Open) -> None:
    app = open_page(seeded, page, p_models="copy-last", p_snap="off")
    assert not app.exception
    assert not app.error


def test_the_first_sight_does_not_wait_for_torch(tmp_path: Path) -> None:
    """Torch takes a second to import; it comes in the background, when the page is shown."""
    script = (
        "import sys; from streamlit.testing.v1 import AppTest; from pages.shared import state;"
        "from pages.shared import asked; state.warm = asked.warm = lambda *_: None;"
        f"app = AppTest.from_file({str(ROOT / 'app.py')!r}, default_timeout=120).run();"
        "assert not app.exception; assert app.text_area; print('torch' in sys.modules)"
    )
    environment = {**os.environ, "LVM_WORKSPACE": str(tmp_path / "work space"), "LVM_FIRST_CORPUS": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "False"


def test_every_page_is_in_the_navigation() -> None:
    assert sorted(pages.PAGES) == PAGES


def test_nothing_is_fetched_from_elsewhere() -> None:
    looks = [*(ROOT / "assets").glob("*.css"), *(ROOT / "assets").glob("*.svg"), ROOT / ".streamlit/config.toml"]
    for path in looks:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text, path
    config = (ROOT / ".streamlit/config.toml").read_text()
    assert 'address = "localhost"' in config
    assert "gatherUsageStats = false" in config
